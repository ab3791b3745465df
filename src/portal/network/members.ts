import type { Insertion, Slot } from '../../discv5/table/routing-table.ts'
import { refused } from '../../errors.ts'
import { logDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Job, Member, OverlayState } from '../knowledge/state.ts'
import type { Failure, Turn } from '../overlay-messages.ts'
import type { Appointment } from '../waiting/agenda.ts'
import type { Liveness, Requests } from '../waiting/requests.ts'
import {
  decodePingPayload,
  encodePingPayload,
  ownCapabilities,
  type PingPayload,
  payloadTypes,
} from '../wire/ping-extension.ts'
import { announcesPortal } from '../wire/version.ts'

/** A PONG whose payload is understood; an error payload is one. */
export type Pong =
  | { readonly ok: true; readonly enrSeq: bigint; readonly payload: PingPayload }
  | ({ readonly ok: false } & Failure)

/**
 * Silences in a row after which a node is stale: others are not told of it, and where its bucket is full it goes. Where
 * there is room it is kept for longer, so that a short outage does not empty a table (portal-wire-protocol.md, Standard
 * Routing Table).
 */
const TRIES = 3
const PATIENT_TRIES = 8
/** Requests that were under way together are one silence. */
const SILENCE_MS = 2_000
/** A silent node is pinged again after so long, times its silences. */
const RETRY_MS = 2_000

/**
 * Who takes part: the routing table, and the pings that fill it and keep it true. A node enters when it has answered
 * (or when a user says so), is pinged at random intervals, and leaves when it is silent.
 */
export class Members implements Liveness {
  readonly #state: OverlayState
  readonly #requests: Requests
  /** The next ping of each member, and of each candidate. */
  readonly #checks = new Map<string, { readonly due: Appointment<Job>; readonly isCandidate: boolean }>()
  #candidates = 0
  /** Told when a node became a live member. */
  joined: ((turn: Turn, node: NodeRecord) => void) | undefined

  constructor(state: OverlayState, requests: Requests) {
    this.#state = state
    this.#requests = requests
    requests.liveness = this
  }

  /** Nodes that wait for their first pong. */
  get candidates(): number {
    return this.#candidates
  }

  /** Whether a node may stand in the table: not ourselves, one chain, a common version, an address. */
  isFit(record: NodeRecord): boolean {
    return !this.#state.isSelf(record.nodeIdHex) && record.endpoint !== undefined && this.#state.version(record).ok
  }

  /** A user's word: the node stands in the table at once, and is pinged. */
  add(turn: Turn, record: NodeRecord): boolean {
    if (!this.isFit(record)) return false
    const insertion = this.#insert(turn, record)
    if (insertion === 'outdated' || insertion === 'ip-limit' || insertion === 'self') return false
    this.#state.profiles.of(record.nodeIdHex).silences = 0
    this.#check(turn, record, 0)
    return true
  }

  /** @returns whether it was a member */
  remove(turn: Turn, nodeIdHex: string): boolean {
    this.#state.profiles.delete(nodeIdHex)
    return this.#replace(turn, nodeIdHex)
  }

  /** A node was met in discovery, or it asked us something: it becomes a candidate and is pinged soon. */
  meet(turn: Turn, record: NodeRecord): void {
    const { table, limits, profiles } = this.#state
    const known = table.get(record.nodeIdHex)
    if (known !== undefined) {
      if (record.seq <= known.record.seq) return
      if (!this.isFit(record)) this.remove(turn, record.nodeIdHex)
      // At a new address it has to prove itself again before others are told of it.
      else if (this.#insert(turn, record) === 'updated' && table.slot(record.nodeIdHex)?.isLive === false) {
        this.#check(turn, record, 0)
      }
      return
    }
    if (!announcesPortal(record) || !this.isFit(record) || this.#checks.has(record.nodeIdHex)) return
    // A node that keeps asking and never answers is not pinged at each of its requests.
    if (turn.now - (profiles.peek(record.nodeIdHex)?.pingedAt ?? Number.NEGATIVE_INFINITY) < limits.pingIntervalMs)
      return
    if (!this.#hasRoom()) return
    this.#state.profiles.of(record.nodeIdHex).silences = 0
    this.#check(turn, record, this.#state.between(0, limits.candidateSpreadMs))
  }

  /** Pings now, whatever the schedule says: to join, or because the radius is wanted. */
  check(turn: Turn, record: NodeRecord): void {
    if (this.isFit(record)) this.#check(turn, record, 0)
  }

  heard(turn: Turn, node: NodeRecord): void {
    const { table, profiles, limits } = this.#state
    const profile = profiles.of(node.nodeIdHex)
    profile.silences = 0
    const known = table.get(node.nodeIdHex)
    if (known === undefined || known.record.seq < node.seq) this.#insert(turn, node)
    const before = table.slot(node.nodeIdHex)
    if (before === undefined) return
    const isNew = !before.isLive
    table.markLive(node.nodeIdHex, turn.now)
    if (!this.#checks.has(node.nodeIdHex)) {
      // It answered another request first: its radius is still to be asked for.
      const isDue = profile.radius === undefined
      this.#check(turn, node, isDue ? this.#state.between(0, limits.candidateSpreadMs) : this.#interval())
    }
    if (isNew) this.joined?.(turn, node)
  }

  silent(turn: Turn, node: NodeRecord): void {
    const { table, profiles, limits } = this.#state
    const profile = profiles.of(node.nodeIdHex)
    if (turn.now - profile.silentAt < SILENCE_MS) return
    profile.silentAt = turn.now
    profile.silences += 1
    if (profile.silences < TRIES || table.get(node.nodeIdHex) === undefined) return
    const bucket = table.atDistances([logDistance(table.localId, node.nodeId)], limits.bucketSize)
    if (profile.silences >= PATIENT_TRIES || bucket.length >= limits.bucketSize) this.#replace(turn, node.nodeIdHex)
  }

  /** Whether others may be told of a node of the table: it has answered here, and lately. */
  isTold({ isLive, entry }: Readonly<Slot<Member>>): boolean {
    return isLive && (this.#state.profiles.peek(entry.record.nodeIdHex)?.silences ?? 0) < TRIES
  }

  estranged(turn: Turn, node: NodeRecord): void {
    this.#state.counters.add('estranged')
    this.#replace(turn, node.nodeIdHex)
  }

  /** It sent content that is not what its key says. */
  distrust(turn: Turn, node: NodeRecord): void {
    this.#state.counters.add('distrusted')
    this.#replace(turn, node.nodeIdHex)
  }

  /**
   * Sends a ping. The first to a node is of type 0; later ones are of type 1 where the node has said that it speaks it.
   *
   * @param payload what a user wants to be sent instead
   */
  ping(
    turn: Turn,
    to: NodeRecord,
    payload: PingPayload | undefined,
    settle: (turn: Turn, pong: Pong) => void,
  ): Failure | undefined {
    const profile = this.#state.profiles.of(to.nodeIdHex)
    const sent = payload ?? this.ownPayload(profile.isIntroduced && profile.capabilities.includes(1) ? 1 : 0)
    profile.pingedAt = turn.now
    const message = {
      type: 'ping',
      enrSeq: this.#state.record.seq,
      payloadType: sent.payloadType,
      payload: encodePingPayload(sent),
    } as const
    return this.#requests.send(turn, to, message, (later, answer) => {
      if (!answer.ok) return settle(later, answer)
      const { enrSeq, payloadType } = answer.message
      this.newerRecord(later, to, enrSeq)
      const decoded = this.#readPong(sent.payloadType, payloadType, answer.message.payload)
      if (!decoded.ok) {
        settle(later, decoded)
        return
      }
      const learned = this.#state.profiles.of(to.nodeIdHex)
      learned.isIntroduced =
        decoded.value.payloadType === 0 || (learned.isIntroduced && decoded.value.payloadType === 1)
      this.learn(to, decoded.value)
      settle(later, { ok: true, enrSeq, payload: decoded.value })
    })
  }

  /** A pong is of the type of its ping, or an error. */
  #readPong(asked: number, payloadType: number, bytes: Uint8Array): ReturnType<typeof decodePingPayload> {
    const { counters } = this.#state
    if (payloadType !== asked && payloadType !== payloadTypes.error) {
      counters.add('malformed.pong.type')
      return refused('PORTAL_PAYLOAD_MALFORMED', `expected a pong of type ${asked}, got ${payloadType}`)
    }
    const decoded = decodePingPayload(payloadType, bytes)
    if (!decoded.ok) counters.add(`malformed.pong.${decoded.detail}`)
    else if (decoded.value.payloadType === payloadTypes.error) counters.add('pong.error')
    return decoded
  }

  /** What we say of ourselves in a ping or pong of this type. */
  ownPayload(payloadType: 0 | 1): PingPayload {
    const { clientInfo, radius } = this.#state
    return payloadType === 1
      ? { payloadType, radius }
      : { payloadType, clientInfo, radius, capabilities: ownCapabilities }
  }

  /** What a ping or pong said. */
  learn(node: NodeRecord, payload: PingPayload): void {
    if (payload.payloadType === 65535) return
    this.#state.profiles.setRadius(node.nodeIdHex, payload.radius)
    if (payload.payloadType !== 0) return
    const profile = this.#state.profiles.of(node.nodeIdHex)
    profile.capabilities = payload.capabilities
    profile.clientInfo = payload.clientInfo
  }

  /**
   * The node named its `seq`: where that is above the one we hold, it is asked for the record, once for each and again where that
   * did not bring it.
   */
  newerRecord(turn: Turn, node: NodeRecord, enrSeq: bigint): void {
    const known = this.#state.table.get(node.nodeIdHex)?.record ?? node
    const profile = this.#state.profiles.of(node.nodeIdHex)
    if (enrSeq <= known.seq) return
    const isAsked = enrSeq <= profile.fetchedSeq && turn.now - profile.fetchedAt < this.#state.limits.pingIntervalMs
    if (isAsked) return
    profile.fetchedSeq = enrSeq
    profile.fetchedAt = turn.now
    turn.emit({ type: 'fetch-record', known, seq: enrSeq })
  }

  #insert(turn: Turn, record: NodeRecord): Insertion {
    const insertion = this.#state.table.insert({ record }, turn.now)
    if (insertion === 'ip-limit') this.#state.counters.add('limit.addresses')
    return insertion
  }

  /** The member goes; who stood in reserve takes its place and has to prove itself. */
  #replace(turn: Turn, nodeIdHex: string): boolean {
    this.#forget(nodeIdHex)
    const { removed, successor } = this.#state.table.remove(nodeIdHex)
    if (successor !== undefined) {
      this.#state.profiles.of(successor.record.nodeIdHex).silences = 0
      this.#check(turn, successor.record, 0)
    }
    if (removed !== undefined) this.#state.counters.add('table.removed')
    return removed !== undefined
  }

  #interval(): number {
    const { pingIntervalMs } = this.#state.limits
    return this.#state.between(0.75 * pingIntervalMs, 1.25 * pingIntervalMs)
  }

  #forget(nodeIdHex: string): void {
    const check = this.#checks.get(nodeIdHex)
    if (check === undefined) return
    this.#state.agenda.cancel(check.due)
    this.#checks.delete(nodeIdHex)
    if (check.isCandidate) this.#candidates -= 1
  }

  #check(turn: Turn, node: NodeRecord, delayMs: number): void {
    this.#forget(node.nodeIdHex)
    const isCandidate = this.#state.table.get(node.nodeIdHex) === undefined
    if (isCandidate) this.#candidates += 1
    const due = this.#state.agenda.set(turn.now + delayMs, later => this.#due(later, node))
    this.#checks.set(node.nodeIdHex, { due, isCandidate })
  }

  #due(turn: Turn, node: NodeRecord): void {
    this.#forget(node.nodeIdHex)
    const { table, profiles } = this.#state
    const record = table.get(node.nodeIdHex)?.record ?? node
    const refused = this.ping(turn, record, undefined, (later, pong) => {
      const isMember = table.get(node.nodeIdHex) !== undefined
      const { silences } = profiles.of(node.nodeIdHex)
      // Silence is followed up soon, a pong that could not be understood is not.
      if (silences === 0) {
        if (isMember) this.#check(later, record, this.#interval())
      } else if (!pong.ok && (isMember || (silences < TRIES && this.#hasRoom())))
        this.#check(later, record, RETRY_MS * silences)
    })
    if (refused?.code !== 'REQUEST_LIMIT') return
    if (table.get(node.nodeIdHex) !== undefined || this.#hasRoom()) this.#check(turn, record, RETRY_MS)
  }

  /** Whether one more candidate may wait: one that is silent must not stand beside those that took its place meanwhile. */
  #hasRoom(): boolean {
    if (this.#candidates < this.#state.limits.candidates) return true
    this.#state.counters.add('limit.candidates')
    return false
  }
}
