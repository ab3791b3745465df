import { Deadline } from 'spimpl-runtime/core'
import type { Context } from '../context.ts'

/** How soon after the first contact, and after each of the first refreshes, a bucket is refreshed. */
const FIRST_REFRESH_MS = 2_000

/** Refreshes that follow each other quickly after we join; then they come at their interval. */
const EAGER_REFRESHES = 3

/** When buckets are refreshed: soon after the first contact with the network, then at random intervals. */
export class RefreshSchedule {
  readonly #context: Context
  readonly #refresh = new Deadline('bucket-refresh', undefined)
  #refreshes = 0

  constructor(context: Context) {
    this.#context = context
  }

  /** We are in contact with a node. Only the first call has an effect. */
  begin(): void {
    const { deadlines, turn } = this.#context
    if (!this.#refresh.isSet) deadlines.set(this.#refresh, turn.now + FIRST_REFRESH_MS)
  }

  /** The next refreshes follow each other quickly: we join the network. */
  restart(): void {
    this.#refreshes = 0
  }

  /** A bucket is refreshed now: schedules the next refresh. */
  advance(): void {
    const { deadlines, turn, limits, randomness } = this.#context
    const isEager = this.#refreshes++ < EAGER_REFRESHES
    const wait = isEager ? FIRST_REFRESH_MS : limits.refreshIntervalMs
    deadlines.set(this.#refresh, turn.now + wait * (0.5 + randomness.below(1024) / 1024))
  }
}
