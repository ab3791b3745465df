import { Deadline } from 'spimpl-runtime/core'
import type { Insertion, Slot } from '../../discv5/table/routing-table.ts'
import { logDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { announcesPortal } from '../wire/version.ts'
import type { Member, OverlayState } from './state.ts'

/**
 * After this many silences in a row a node is stale: our answers leave it out, and it leaves a full bucket. A bucket
 * with room keeps it for longer, so that a short outage does not empty the table (portal-wire-protocol.md, Standard
 * Routing Table).
 */
const STALE_SILENCES = 3
const LOST_SILENCES = 8

/** A silent node is pinged again after this time, multiplied by its silences. */
const RETRY_MS = 2_000

interface Check {
  readonly due: Deadline<'member-check', NodeRecord>
  readonly isCandidate: boolean
}

/**
 * The membership of the network: the routing table, and when each node is due for its next ping. A node enters when it
 * has answered, or when a user adds it; it is pinged at random intervals, and leaves when it stays silent.
 */
export class Members {
  readonly #state: OverlayState
  /** By node id: members, and candidates that wait for their first pong. */
  readonly #checks = new Map<string, Check>()
  #candidates = 0
  #hasNewcomer = false

  constructor(state: OverlayState) {
    this.#state = state
  }

  /** Nodes that wait for their first pong. */
  get candidates(): number {
    return this.#candidates
  }

  /** Whether any member has answered since it entered the table. */
  get hasLive(): boolean {
    for (const slot of this.#state.table.slots()) if (slot.isLive) return true
    return false
  }

  /** Whether a member went live since the last call. */
  takeNewcomer(): boolean {
    const hadNewcomer = this.#hasNewcomer
    this.#hasNewcomer = false
    return hadNewcomer
  }

  /** Whether a node may be a member: another node, on our chain, with a common version and an address. */
  isFit(record: NodeRecord): boolean {
    return !this.#state.isSelf(record.nodeIdHex) && record.endpoint !== undefined && this.#state.version(record).ok
  }

  /** Whether our answers may include this member: it has answered, and not fallen silent since. */
  isAdvertised({ isLive, entry }: Readonly<Slot<Member>>): boolean {
    return isLive && (this.#state.profiles.peek(entry.record.nodeIdHex)?.silences ?? 0) < STALE_SILENCES
  }

  /** A user adds a node: it is a member at once, and is pinged. */
  add(record: NodeRecord): boolean {
    if (!this.isFit(record)) return false
    const insertion = this.#insert(record)
    if (insertion === 'outdated' || insertion === 'ip-limit' || insertion === 'self') return false
    this.#state.profiles.of(record.nodeIdHex).resetSilences()
    this.#schedule(record, 0)
    return true
  }

  /** @returns whether it was a member */
  remove(nodeIdHex: string): boolean {
    this.#state.profiles.delete(nodeIdHex)
    return this.#replace(nodeIdHex)
  }

  /** Discovery met a node, or the node sent us a request: it becomes a candidate and is pinged soon. */
  meet(record: NodeRecord): void {
    const { table, limits, profiles, turn } = this.#state
    const known = table.get(record.nodeIdHex)
    if (known !== undefined) {
      if (record.seq <= known.record.seq) return
      if (!this.isFit(record)) this.remove(record.nodeIdHex)
      // At a new address the node has to answer again before our answers include it.
      else if (this.#insert(record) === 'updated' && table.slot(record.nodeIdHex)?.isLive === false) {
        this.#schedule(record, 0)
      }
      return
    }
    if (!announcesPortal(record) || !this.isFit(record) || this.#checks.has(record.nodeIdHex)) return
    // A node that keeps sending requests and never answers is not pinged at each of its requests.
    const pingedAt = profiles.peek(record.nodeIdHex)?.pingedAt ?? Number.NEGATIVE_INFINITY
    if (turn.now - pingedAt < limits.pingIntervalMs || !this.#hasRoom()) return
    profiles.of(record.nodeIdHex).resetSilences()
    this.#schedule(record, this.#state.between(0, limits.candidateSpreadMs))
  }

  /** Makes a node due for a ping at once: to join, or because its radius is wanted. */
  checkNow(record: NodeRecord): void {
    if (this.isFit(record)) this.#schedule(record, 0)
  }

  /** A node answered a request. */
  answered(node: NodeRecord): void {
    const { table, profiles, limits, turn } = this.#state
    const profile = profiles.of(node.nodeIdHex)
    profile.resetSilences()
    const known = table.get(node.nodeIdHex)
    if (known === undefined || known.record.seq < node.seq) this.#insert(node)
    const slot = table.slot(node.nodeIdHex)
    if (slot === undefined) return
    if (!slot.isLive) this.#hasNewcomer = true
    table.markLive(node.nodeIdHex, turn.now)
    if (this.#checks.has(node.nodeIdHex)) return
    // Its first answer was not to a ping, so its radius is still unknown.
    const delayMs = profile.hasRadius ? this.#interval() : this.#state.between(0, limits.candidateSpreadMs)
    this.#schedule(node, delayMs)
  }

  /** A node did not answer a request. */
  silent(node: NodeRecord): void {
    const { table, profiles, limits, turn } = this.#state
    const profile = profiles.of(node.nodeIdHex)
    if (!profile.countSilence(turn.now)) return
    if (profile.silences < STALE_SILENCES || table.get(node.nodeIdHex) === undefined) return
    const bucket = table.atDistances([logDistance(table.localId, node.nodeId)], limits.bucketSize)
    if (profile.silences >= LOST_SILENCES || bucket.length >= limits.bucketSize) this.#replace(node.nodeIdHex)
  }

  /** A node answered in a way that shows that it does not speak this protocol with us. */
  estranged(node: NodeRecord): void {
    this.#state.counters.add('estranged')
    this.#replace(node.nodeIdHex)
  }

  /** A node sent content that is not what its key names. */
  distrust(node: NodeRecord): void {
    this.#state.counters.add('distrusted')
    this.#replace(node.nodeIdHex)
  }

  /** The check of a node is due. @returns its newest record, which is to be pinged */
  takeDue(node: NodeRecord): NodeRecord {
    this.#unschedule(node.nodeIdHex)
    return this.#state.table.get(node.nodeIdHex)?.record ?? node
  }

  /** The ping of a due check was answered, or not: schedules the next one. */
  checked(record: NodeRecord, isAnswered: boolean): void {
    const isMember = this.#isMember(record)
    const { silences } = this.#state.profiles.of(record.nodeIdHex)
    if (silences === 0) {
      if (isMember) this.#schedule(record, this.#interval())
    } else if (!isAnswered && (isMember || (silences < STALE_SILENCES && this.#hasRoom()))) {
      this.#schedule(record, RETRY_MS * silences)
    }
  }

  /** The ping of a due check could not be sent, because too many requests are in flight: it is due again soon. */
  postponeCheck(record: NodeRecord): void {
    if (this.#isMember(record) || this.#hasRoom()) this.#schedule(record, RETRY_MS)
  }

  #isMember(record: NodeRecord): boolean {
    return this.#state.table.get(record.nodeIdHex) !== undefined
  }

  #insert(record: NodeRecord): Insertion {
    const insertion = this.#state.table.insert({ record }, this.#state.turn.now)
    if (insertion === 'ip-limit') this.#state.counters.add('limit.addresses')
    return insertion
  }

  /** Removes a member. A replacement from the reserve of its bucket has to answer a ping before it counts as live. */
  #replace(nodeIdHex: string): boolean {
    this.#unschedule(nodeIdHex)
    const { removed, successor } = this.#state.table.remove(nodeIdHex)
    if (successor !== undefined) {
      this.#state.profiles.of(successor.record.nodeIdHex).resetSilences()
      this.#schedule(successor.record, 0)
    }
    if (removed !== undefined) this.#state.counters.add('table.removed')
    return removed !== undefined
  }

  #interval(): number {
    const { pingIntervalMs } = this.#state.limits
    return this.#state.between(0.75 * pingIntervalMs, 1.25 * pingIntervalMs)
  }

  #schedule(node: NodeRecord, delayMs: number): void {
    this.#unschedule(node.nodeIdHex)
    const isCandidate = !this.#isMember(node)
    if (isCandidate) this.#candidates += 1
    const due = new Deadline('member-check', node)
    this.#checks.set(node.nodeIdHex, { due, isCandidate })
    this.#state.deadlines.set(due, this.#state.turn.now + delayMs)
  }

  #unschedule(nodeIdHex: string): void {
    const check = this.#checks.get(nodeIdHex)
    if (check === undefined) return
    this.#state.deadlines.clear(check.due)
    this.#checks.delete(nodeIdHex)
    if (check.isCandidate) this.#candidates -= 1
  }

  /** Whether one more candidate may wait. Silent ones count, so that they do not add up beside newer ones. */
  #hasRoom(): boolean {
    if (this.#candidates < this.#state.limits.candidates) return true
    this.#state.counters.add('limit.candidates')
    return false
  }
}
