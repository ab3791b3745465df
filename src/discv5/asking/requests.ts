import { invariant, PendingCalls } from 'spimpl-runtime/core'
import { readUint48 } from '../../codec/integers.ts'
import type { RecordDecoder } from '../../identity/record-decoder.ts'
import type { Context } from '../context.ts'
import type { Backlog } from '../sessions/backlog.ts'
import type { SentLog } from '../sessions/sent-log.ts'
import type { Session } from '../sessions/session.ts'
import type { TableMembers } from '../table/table-members.ts'
import { encodeMessage, FINDNODE, NODES, PING, PONG, type Response, TALKREQ, TALKRESP } from '../wire/message.ts'
import { PendingRequest, type RequestOwner } from './pending-request.ts'
import { awaitedId, isOneWayId, REQUEST_ID_BYTES } from './request-id.ts'

const ANSWERED_BY = { [PING]: PONG, [FINDNODE]: NODES, [TALKREQ]: TALKRESP } as const

const NO_REQUESTS: ReadonlySet<PendingRequest> = new Set()

/** The owner of a PING that only serves a handshake. */
const NO_OWNER: RequestOwner = { answered() {}, failed() {} }

/** Requests in flight, sent or waiting. Each is settled once: by its answer, its timeout or the end of its session. */
export class Requests {
  readonly #context: Context
  readonly #backlog: Backlog
  readonly #sentLog: SentLog
  readonly #members: TableMembers
  readonly #decoder: RecordDecoder
  readonly #pending: PendingCalls<PendingRequest>
  /**
   * Sessions with requests in flight. An empty set stays until its session is evicted, because the next request reuses
   * it.
   */
  readonly #ofSession = new Map<Session, Set<PendingRequest>>()

  constructor(
    context: Context,
    parts: {
      readonly backlog: Backlog
      readonly sentLog: SentLog
      readonly members: TableMembers
      readonly decoder: RecordDecoder
    },
  ) {
    this.#context = context
    this.#backlog = parts.backlog
    this.#sentLog = parts.sentLog
    this.#members = parts.members
    this.#decoder = parts.decoder
    // Each session, one that is about to be evicted included, may have the PING of its handshake in flight as well.
    this.#pending = new PendingCalls(context.limits.requests + context.limits.sessions + 1)
  }

  get size(): number {
    return this.#pending.size
  }

  ofSession(session: Session): ReadonlySet<PendingRequest> {
    return this.#ofSession.get(session) ?? NO_REQUESTS
  }

  hasRoomFor(session: Session): boolean {
    const { limits } = this.#context
    return this.#pending.size < limits.requests && this.ofSession(session).size < limits.requestsPerPeer
  }

  /** A random id that no request in flight has. */
  newId(): Uint8Array {
    for (;;) {
      const id = awaitedId(this.#context.randomness)
      if (this.#pending.peek(readUint48(id, 0)) === undefined) return id
    }
  }

  /** Adds a request, which times out after this time at the latest. */
  add(request: PendingRequest, timeoutMs: number): void {
    const { deadlines, limits, turn } = this.#context
    this.#pending.addAs(request.idNumber, request)
    const ofSession = this.#ofSession.get(request.session)
    if (ofSession === undefined) this.#ofSession.set(request.session, new Set([request]))
    else ofSession.add(request)
    deadlines.set(request.timeout, turn.now + Math.min(timeoutMs, limits.maxRequestTimeoutMs))
  }

  /** A PING for a handshake to carry if no waiting request fits. */
  handshakePing(session: Session): PendingRequest {
    const { limits, own } = this.#context
    const id = this.newId()
    const request = new PendingRequest({
      id,
      type: PING,
      session,
      plaintext: encodeMessage({ type: PING, requestId: id, enrSeq: own.current.seq }),
      owner: NO_OWNER,
      ref: 0,
      answerTimeoutMs: limits.requestTimeoutMs,
    })
    this.add(request, limits.requestTimeoutMs)
    return request
  }

  /** A response arrived. @returns the request that it settles, whose owner the caller informs */
  answeredBy(session: Session, response: Response): PendingRequest | undefined {
    const { counters } = this.#context
    const request = this.#find(response.requestId, session.nodeIdHex)
    if (request === undefined) {
      const isOneWay = response.type === TALKRESP && isOneWayId(response.requestId)
      counters.add(isOneWay ? 'responsesIgnored' : 'responsesUnexpected')
      return undefined
    }
    if (ANSWERED_BY[request.type] !== response.type) {
      counters.add('responsesMismatched')
      return undefined
    }
    session.answered()
    if (response.type === NODES && request.nodes !== undefined) {
      request.nodes.add(response, session, this.#decoder, counters)
      if (!request.nodes.isComplete) return undefined
    }
    this.#settle(request)
    counters.add('requestsAnswered')
    return request
  }

  /** A request was not answered in time. */
  expire(request: PendingRequest): void {
    const { counters } = this.#context
    const { session, owner } = request
    this.#settle(request)
    // The part of a NODES answer that has arrived is useful, even if a packet of it was lost.
    if (request.nodes?.hasBegun) {
      counters.add('requestsAnswered')
      owner.answered(request, { type: NODES, requestId: request.id, total: 0, records: [] })
      return
    }
    counters.add('requestsTimedOut')
    session.unanswered()
    if (session.record !== undefined) this.#members.doubt(session.record)
    owner.failed(request, 'REQUEST_TIMEOUT', 'the node did not answer in time')
  }

  /** A session has failed or was evicted, and with it all that waits for its handshake and all that is in flight. */
  abandon(session: Session): void {
    const oneWay = this.#backlog.takeAll(session).filter(({ request }) => request === undefined)
    this.#context.counters.add('oneWayDropped', oneWay.length)
    for (const request of [...this.ofSession(session)]) {
      if (!this.#settle(request)) continue
      if (session.record !== undefined) this.#members.doubt(session.record)
      request.owner.failed(request, 'SESSION_FAILED', 'the node did not answer the handshake')
    }
    if (!session.isCached && this.ofSession(session).size === 0) this.#ofSession.delete(session)
  }

  #find(id: Uint8Array, nodeIdHex: string): PendingRequest | undefined {
    if (id.length !== REQUEST_ID_BYTES) return undefined
    const request = this.#pending.peek(readUint48(id, 0))
    return request?.session.nodeIdHex === nodeIdHex ? request : undefined
  }

  /** @returns false if the request was settled before */
  #settle(request: PendingRequest): boolean {
    if (this.#pending.take(request.idNumber) === undefined) return false
    const ofSession = this.#ofSession.get(request.session)
    invariant(ofSession?.delete(request) === true, 'a request in flight among those of its session')
    if (ofSession.size === 0 && !request.session.isCached) this.#ofSession.delete(request.session)
    this.#backlog.remove(request)
    this.#context.deadlines.clear(request.timeout)
    this.#sentLog.forget(request)
    return true
  }
}
