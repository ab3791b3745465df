import { Deadline } from 'spimpl-runtime/core'
import { randomIdAtDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Members } from '../knowledge/members.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { NodeLookups } from './node-lookups.ts'

/** Buckets that a joining node looks up after its own neighbourhood. */
const BUCKETS_AT_JOIN = 3

/** Joins the network and keeps the table filled (portal-wire-protocol.md, Joining the Network, Finding Nodes). */
export class Joining {
  readonly #state: OverlayState
  readonly #members: Members
  readonly #lookups: NodeLookups
  readonly #retry = new Deadline('bootstrap', undefined)
  readonly #refresh = new Deadline('bucket-refresh', undefined)
  #bootstrap: readonly NodeRecord[] = []
  #isJoined = false

  constructor(state: OverlayState, members: Members, lookups: NodeLookups) {
    this.#state = state
    this.#members = members
    this.#lookups = lookups
  }

  /** Whether our own neighbourhood was looked up since the table last had a live member. */
  get isJoined(): boolean {
    return this.#isJoined
  }

  bootstrap(records: readonly NodeRecord[]): void {
    this.#bootstrap = records.filter(record => this.#members.isFit(record)).slice(0, this.#state.limits.candidates)
    this.#pingBootstrap()
  }

  /** Joins when the first member has gone live. Called at the end of each turn. */
  joinIfPossible(): void {
    if (!this.#members.takeNewcomer() || this.#isJoined) return
    this.#isJoined = true
    this.#state.counters.add('joined')
    this.#awaitRefresh()
    const lookup = this.#lookups.start(this.#state.record.nodeId, () => this.#lookUpBuckets(BUCKETS_AT_JOIN))
    if (lookup === undefined) this.#isJoined = false
  }

  /** The deadline `bootstrap` has come. */
  retryBootstrap(): void {
    if (this.#members.hasLive) this.#awaitRefresh()
    else this.#startOver()
  }

  /** The deadline `bucket-refresh` has come. */
  refreshBucket(): void {
    if (!this.#members.hasLive) {
      this.#startOver()
      return
    }
    this.#lookUpBuckets(1)
    this.#awaitRefresh()
  }

  #startOver(): void {
    this.#isJoined = false
    if (this.#bootstrap.length > 0) this.#pingBootstrap()
  }

  #pingBootstrap(): void {
    for (const record of this.#bootstrap) this.#members.checkNow(record)
    if (this.#isWaiting || this.#bootstrap.length === 0) return
    this.#state.deadlines.set(this.#retry, this.#state.turn.now + this.#state.limits.bootstrapIntervalMs)
  }

  #awaitRefresh(): void {
    if (this.#isWaiting) return
    const delayMs = this.#state.between(0.75, 1.25) * this.#state.limits.refreshIntervalMs
    this.#state.deadlines.set(this.#refresh, this.#state.turn.now + delayMs)
  }

  get #isWaiting(): boolean {
    return this.#retry.isSet || this.#refresh.isSet
  }

  /** Looks up a random id in each of `count` buckets, one after the other: those refreshed the longest ago. */
  #lookUpBuckets(count: number): void {
    if (count === 0) return
    const { table, randomness, turn } = this.#state
    const target = randomIdAtDistance(table.localId, table.nextToRefresh(turn.now), randomness)
    this.#lookups.start(target, () => this.#lookUpBuckets(count - 1))
  }
}
