import { randomIdAtDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Lookups } from '../asking/lookups.ts'
import type { Context } from '../context.ts'
import type { TableKeeper } from './table-keeper.ts'

/** How soon after joining the buckets are filled. */
const FIRST_REFRESH_MS = 2_000

/** Refreshes that follow each other quickly after joining; then they come at their interval. */
const EAGER_REFRESHES = 3

/** Bootstrap nodes that are kept. */
const MAX_BOOTSTRAP_RECORDS = 64

/** Joins the network, and keeps the buckets filled by lookups for a random id of the one that was refreshed longest ago. */
export class Bootstrap {
  readonly #context: Context
  readonly #keeper: TableKeeper
  readonly #lookups: Lookups
  #records: readonly NodeRecord[] = []
  #retryAt = Number.POSITIVE_INFINITY
  #refreshAt = Number.POSITIVE_INFINITY
  #eager = 0

  constructor(context: Context, keeper: TableKeeper, lookups: Lookups) {
    this.#context = context
    this.#keeper = keeper
    this.#lookups = lookups
  }

  deadline(): number {
    return Math.min(this.#retryAt, this.#refreshAt)
  }

  /** Starts with these nodes; they are tried again whenever the table is empty. */
  join(records: readonly NodeRecord[]): void {
    this.#records = records.slice(0, MAX_BOOTSTRAP_RECORDS)
    this.#eager = 0
    this.#join()
  }

  /** The table has nodes: its buckets want to be refreshed from now on. */
  awake(): void {
    if (this.#refreshAt !== Number.POSITIVE_INFINITY) return
    this.#refreshAt = this.#context.turn.now + FIRST_REFRESH_MS
  }

  run(): void {
    const { turn, limits, randomness, localId } = this.#context
    if (this.#retryAt <= turn.now) {
      if (this.#keeper.table.size === 0) this.#join()
      else this.#retryAt = turn.now + limits.bootstrapRetryMs
    }
    if (this.#refreshAt > turn.now) return
    const eager = this.#eager++ < EAGER_REFRESHES
    const wait = eager ? FIRST_REFRESH_MS : limits.refreshIntervalMs
    this.#refreshAt = turn.now + wait * (0.5 + randomness.below(1024) / 1024)
    if (this.#keeper.table.size === 0) return
    const distance = this.#keeper.table.nextToRefresh(turn.now)
    this.#lookups.start(randomIdAtDistance(localId, distance, randomness), { type: 'refresh' })
  }

  #join(): void {
    const { turn, limits, localId, localIdHex } = this.#context
    for (const record of this.#records) if (record.nodeIdHex !== localIdHex) this.#keeper.offer(record)
    this.#retryAt = this.#records.length > 0 ? turn.now + limits.bootstrapRetryMs : Number.POSITIVE_INFINITY
    if (this.#keeper.table.size === 0) return
    this.awake()
    // Who is closest to us knows our neighbours.
    this.#lookups.start(localId, { type: 'refresh' })
  }
}
