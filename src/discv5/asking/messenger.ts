import type { DiscoveryErrorCode } from '../../errors.ts'
import { MAX_DISTANCE } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { RecordDecoder } from '../../identity/record-decoder.ts'
import type { Context } from '../context.ts'
import type { DeadlineHeap, Timed } from '../deadline-heap.ts'
import type { Initiator } from '../sessions/initiator.ts'
import type { Outbox } from '../sessions/outbox.ts'
import type { SentLog } from '../sessions/sent-log.ts'
import { MAX_SEALED_PER_KEY, type Outgoing, type Session } from '../sessions/session.ts'
import type { SessionCache } from '../sessions/session-cache.ts'
import {
  encodeMessage,
  encodeTalkRequests,
  FINDNODE,
  NODES,
  PING,
  PONG,
  type Request,
  type Response,
  TALKREQ,
  TALKRESP,
} from '../wire/message.ts'
import { MAX_PLAINTEXT_BYTES } from '../wire/packet.ts'
import { NodesAnswer } from './nodes-answer.ts'
import { isOneWayId, oneWayId, PendingRequest, type RequestOwner, RequestTable } from './requests.ts'

/** After so many requests in a row without an answer the keys are given up: the peer may have lost them without being able to say so. */
const MAX_SILENT_REQUESTS = 3

const ANSWERED_BY = { [PING]: PONG, [FINDNODE]: NODES, [TALKREQ]: TALKRESP } as const

/** A request before it has an id. */
export type Question =
  | { readonly type: typeof PING }
  | { readonly type: typeof FINDNODE; readonly distances: readonly number[] }
  | { readonly type: typeof TALKREQ; readonly protocol: Uint8Array; readonly payload: Uint8Array }

/** What the messenger tells of answers, besides the owner of the request. */
export interface MessengerEvents {
  /** A node answered one of our requests. */
  answered(session: Session, response: Response): void
  /** A node did not. */
  unanswered(record: NodeRecord): void
}

const nobody: RequestOwner = { answered() {}, failed() {} }

/** Sends messages through sessions, where there are none after a handshake, and matches answers with requests. */
export class Messenger {
  readonly #context: Context
  readonly #cache: SessionCache
  readonly #outbox: Outbox
  readonly #sentLog: SentLog
  readonly #timers: DeadlineHeap<Timed>
  readonly #initiator: Initiator
  readonly #decoder: RecordDecoder
  readonly #events: MessengerEvents
  readonly #requests = new RequestTable()

  constructor(
    context: Context,
    parts: {
      readonly cache: SessionCache
      readonly outbox: Outbox
      readonly sentLog: SentLog
      readonly timers: DeadlineHeap<Timed>
      readonly initiator: Initiator
      readonly decoder: RecordDecoder
    },
    events: MessengerEvents,
  ) {
    this.#context = context
    this.#cache = parts.cache
    this.#outbox = parts.outbox
    this.#sentLog = parts.sentLog
    this.#timers = parts.timers
    this.#initiator = parts.initiator
    this.#decoder = parts.decoder
    this.#events = events
  }

  get inFlight(): number {
    return this.#requests.size
  }

  /**
   * Asks a node. The owner hears of the outcome, later; what is refused at once is returned, and the owner does not hear of it.
   */
  ask(
    to: NodeRecord,
    question: Question,
    owner: RequestOwner,
    ref: number,
    timeoutMs?: number,
  ): DiscoveryErrorCode | undefined {
    const session = this.#cache.toward(to)
    if (session === undefined) return 'PEER_NO_ENDPOINT'
    if (session.record === undefined || session.record.seq < to.seq) session.record = to
    const request = this.#newRequest(session, question, owner, ref, timeoutMs)
    if (typeof request === 'string') return request
    this.#context.counters.requestsSent++
    this.#send(session, { plaintext: request.plaintext, request })
    return undefined
  }

  /** A PING that a handshake carries. */
  handshakePing(session: Session): Outgoing {
    const id = this.#requests.newId(this.#context.randomness)
    const plaintext = encodeMessage({ type: PING, requestId: id, enrSeq: this.#context.own.current.seq })
    const request = new PendingRequest(id, PING, session, plaintext, nobody, 0)
    this.#track(request, undefined)
    return { plaintext, request }
  }

  /** Sends requests whose answers nobody awaits, in one batch. */
  sendOneWay(to: NodeRecord, protocol: Uint8Array, payloads: readonly Uint8Array[]): void {
    const { counters, randomness } = this.#context
    const session = this.#cache.toward(to)
    if (session === undefined) {
      counters.oneWayDropped += payloads.length
      return
    }
    if (session.record === undefined || session.record.seq < to.seq) session.record = to
    for (const plaintext of encodeTalkRequests(() => oneWayId(randomness), protocol, payloads)) {
      if (plaintext.length > MAX_PLAINTEXT_BYTES) counters.oneWayDropped++
      else if (this.#send(session, { plaintext, request: undefined })) counters.oneWaySent++
    }
  }

  /** Sends a response through the session its request came by. It is dropped where the session is gone, or the response too large. */
  respond(session: Session | undefined, plaintext: Uint8Array): void {
    if (session?.keys === undefined || plaintext.length > MAX_PLAINTEXT_BYTES) {
      this.#context.counters.answersDropped++
    } else this.#outbox.message(session, session.keys, plaintext, undefined)
  }

  /** A response came. */
  receive(session: Session, response: Response): void {
    const { counters } = this.#context
    const request = this.#requests.find(response.requestId, session.nodeIdHex)
    if (request === undefined) {
      if (response.type === TALKRESP && isOneWayId(response.requestId)) counters.responsesIgnored++
      else counters.responsesUnexpected++
      return
    }
    if (ANSWERED_BY[request.type] !== response.type) {
      counters.responsesMismatched++
      return
    }
    session.silentRequests = 0
    if (response.type === NODES && request.nodes !== undefined) {
      request.nodes.add(response, session, this.#decoder, counters)
      if (!request.nodes.complete) return
    }
    this.#settle(request)
    counters.requestsAnswered++
    this.#events.answered(session, response)
    request.owner.answered(request, response)
  }

  /** The wait of a request is over. */
  expire(request: PendingRequest): void {
    const { counters } = this.#context
    if (!this.#settle(request)) return
    const { session } = request
    // What has come of a FINDNODE's answer is worth having, even where a packet was lost.
    if (request.nodes?.begun) {
      counters.requestsAnswered++
      request.owner.answered(request, { type: NODES, requestId: request.id, total: 0, records: [] })
      return
    }
    counters.requestsTimedOut++
    if (++session.silentRequests >= MAX_SILENT_REQUESTS && session.ready) this.#giveUp(session)
    if (session.record !== undefined) this.#events.unanswered(session.record)
    request.owner.failed(request, 'REQUEST_TIMEOUT', 'the node did not answer in time')
  }

  /**
   * Keys are there: what waits in the queue leaves. A handshake takes two round trips, and with a node far away most of a second;
   * so a request has its time for the answer anew.
   */
  drain(session: Session): void {
    const { turn } = this.#context
    const { queue, keys } = session
    if (keys === undefined) return
    session.queue = []
    for (const { plaintext, request } of queue) {
      if (request !== undefined) {
        request.queued = false
        this.#timers.set(request, Math.max(request.dueAt, turn.now + request.graceMs))
      }
      this.#outbox.message(session, keys, plaintext, request)
    }
  }

  /** What waited for a handshake, or was in flight when the cache let its session go, has failed. */
  abandon(session: Session): void {
    const { counters } = this.#context
    const queue = session.queue
    session.queue = []
    for (const { request } of queue) if (request === undefined) counters.oneWayDropped++
    for (const request of [...session.inFlight]) {
      request.queued = false
      if (!this.#settle(request)) continue
      if (session.record !== undefined) this.#events.unanswered(session.record)
      request.owner.failed(request, 'SESSION_FAILED', 'the node did not answer the handshake')
    }
  }

  #newRequest(
    session: Session,
    question: Question,
    owner: RequestOwner,
    ref: number,
    timeoutMs: number | undefined,
  ): PendingRequest | DiscoveryErrorCode {
    const { limits, counters, randomness } = this.#context
    if (this.#requests.size >= limits.requests || session.inFlight.size >= limits.requestsPerPeer) {
      counters.requestsLimited++
      return 'REQUEST_LIMIT'
    }
    if (question.type === FINDNODE && !question.distances.every(isDistance)) return 'MESSAGE_MALFORMED'
    const id = this.#requests.newId(randomness)
    const plaintext = encodeMessage(this.#withId(question, id))
    if (plaintext.length > MAX_PLAINTEXT_BYTES) return 'REQUEST_TOO_LARGE'
    if (!session.ready && session.queue.length >= limits.queuedPerPeer) {
      counters.requestsLimited++
      return 'REQUEST_LIMIT'
    }
    const request = new PendingRequest(id, question.type, session, plaintext, owner, ref)
    if (question.type === FINDNODE) request.nodes = new NodesAnswer(question.distances, limits)
    this.#track(request, timeoutMs)
    return request
  }

  #withId(question: Question, requestId: Uint8Array): Request {
    if (question.type === PING) return { type: PING, requestId, enrSeq: this.#context.own.current.seq }
    return { ...question, requestId }
  }

  #track(request: PendingRequest, timeoutMs: number | undefined): void {
    const { limits, turn } = this.#context
    this.#requests.add(request)
    if (timeoutMs === undefined) request.graceMs = limits.requestTimeoutMs
    const wait = Math.min(timeoutMs ?? limits.requestTimeoutMs, limits.maxRequestTimeoutMs)
    this.#timers.set(request, turn.now + wait)
  }

  /** Seals a message now, or lets it wait for the handshake. False where the queue is full. */
  #send(session: Session, outgoing: Outgoing): boolean {
    const { limits, counters } = this.#context
    const { keys } = session
    if (session.ready && keys !== undefined) {
      if (keys.sealed < MAX_SEALED_PER_KEY) {
        this.#outbox.message(session, keys, outgoing.plaintext, outgoing.request)
        return true
      }
      this.#giveUp(session)
    }
    if (session.queue.length >= limits.queuedPerPeer && outgoing.request === undefined) {
      counters.oneWayDropped++
      return false
    }
    session.queue.push(outgoing)
    if (outgoing.request !== undefined) outgoing.request.queued = true
    if (session.state !== 'opening' && session.state !== 'handshaking') this.#initiator.open(session)
    return true
  }

  /** Stops sending under the keys; what the peer still sends under them is read. */
  #giveUp(session: Session): void {
    session.otherKeys = session.keys
    session.keys = undefined
    session.silentRequests = 0
    session.happened('exhaust')
  }

  #settle(request: PendingRequest): boolean {
    if (!this.#requests.remove(request)) return false
    this.#timers.remove(request)
    this.#sentLog.settled(request)
    return true
  }
}

function isDistance(distance: number): boolean {
  return Number.isInteger(distance) && distance >= 0 && distance <= MAX_DISTANCE
}
