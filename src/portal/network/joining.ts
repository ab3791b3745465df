import { randomIdAtDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { Turn } from '../overlay-messages.ts'
import type { Members } from './members.ts'
import type { NodeLookups } from './node-lookups.ts'

/** Buckets that are looked through after the own neighbourhood when a node joins. */
const BUCKETS_AT_JOIN = 3

/** Joining the network and keeping the table filled (portal-wire-protocol.md, Joining the Network, Finding Nodes). */
export class Joining {
  readonly #state: OverlayState
  readonly #members: Members
  readonly #lookups: NodeLookups
  #bootstrap: readonly NodeRecord[] = []
  #joined = false
  #isTimed = false

  constructor(state: OverlayState, members: Members, lookups: NodeLookups) {
    this.#state = state
    this.#members = members
    this.#lookups = lookups
    members.joined = turn => this.#join(turn)
  }

  /** Whether a lookup of the own neighbourhood has been made since the table was last empty. */
  get isJoined(): boolean {
    return this.#joined
  }

  bootstrap(turn: Turn, records: readonly NodeRecord[]): void {
    this.#bootstrap = records.filter(record => this.#members.isFit(record)).slice(0, this.#state.limits.candidates)
    this.#knock(turn)
  }

  #knock(turn: Turn): void {
    for (const record of this.#bootstrap) this.#members.check(turn, record)
    if (this.#isTimed || this.#bootstrap.length === 0) return
    this.#isTimed = true
    this.#state.agenda.set(turn.now + this.#state.limits.bootstrapIntervalMs, later => {
      this.#isTimed = false
      if (!this.#anyLive()) {
        this.#joined = false
        this.#knock(later)
      } else this.#watch(later)
    })
  }

  /** A table that has lost everybody begins again. */
  #watch(turn: Turn): void {
    if (this.#isTimed) return
    this.#isTimed = true
    this.#state.agenda.set(turn.now + this.#state.between(0.75, 1.25) * this.#state.limits.refreshIntervalMs, later => {
      this.#isTimed = false
      if (this.#anyLive()) {
        this.#refresh(later, 1)
        this.#watch(later)
      } else {
        this.#joined = false
        if (this.#bootstrap.length > 0) this.#knock(later)
      }
    })
  }

  #join(turn: Turn): void {
    if (this.#joined) return
    this.#joined = true
    this.#state.counters.add('joined')
    this.#watch(turn)
    const started = this.#lookups.start(turn, this.#state.record.nodeId, later => this.#refresh(later, BUCKETS_AT_JOIN))
    if (started === undefined) this.#joined = false
  }

  /** Looks through `count` buckets, one after the other, those first that were not looked through for the longest. */
  #refresh(turn: Turn, count: number): void {
    if (count === 0) return
    const { table, randomness } = this.#state
    const target = randomIdAtDistance(table.localId, table.nextToRefresh(turn.now), randomness)
    this.#lookups.start(turn, target, later => this.#refresh(later, count - 1))
  }

  #anyLive(): boolean {
    for (const slot of this.#state.table.slots()) if (slot.isLive) return true
    return false
  }
}
