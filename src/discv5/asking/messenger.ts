import type { DiscoveryErrorCode } from '../../errors.ts'
import { MAX_DISTANCE } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Context } from '../context.ts'
import type { Backlog } from '../sessions/backlog.ts'
import type { Initiator } from '../sessions/initiator.ts'
import type { Outbox } from '../sessions/outbox.ts'
import type { Session } from '../sessions/session.ts'
import type { SessionKeys } from '../sessions/session-keyring.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { encodeMessage, encodeTalkRequests, FINDNODE, PING, type Request, type TALKREQ } from '../wire/message.ts'
import { MAX_PLAINTEXT_BYTES } from '../wire/packet.ts'
import { NodesAnswer } from './nodes-answer.ts'
import { PendingRequest, type RequestOwner } from './pending-request.ts'
import { oneWayId } from './request-id.ts'
import type { Requests } from './requests.ts'

/** A request before it has an id. */
export type Question =
  | { readonly type: typeof PING }
  | { readonly type: typeof FINDNODE; readonly distances: readonly number[] }
  | { readonly type: typeof TALKREQ; readonly protocol: Uint8Array; readonly payload: Uint8Array }

/** Sends messages through the sessions of their nodes. A message to a node without a session waits for a handshake. */
export class Messenger {
  readonly #context: Context
  readonly #sessions: Sessions
  readonly #initiator: Initiator
  readonly #requests: Requests
  readonly #backlog: Backlog
  readonly #outbox: Outbox

  constructor(
    context: Context,
    parts: {
      readonly sessions: Sessions
      readonly initiator: Initiator
      readonly requests: Requests
      readonly backlog: Backlog
      readonly outbox: Outbox
    },
  ) {
    this.#context = context
    this.#sessions = parts.sessions
    this.#initiator = parts.initiator
    this.#requests = parts.requests
    this.#backlog = parts.backlog
    this.#outbox = parts.outbox
  }

  /**
   * Sends a request. Its owner is given the outcome later.
   *
   * @param timeoutMs for the whole duration; by default the request has `requestTimeoutMs` after a handshake that it
   * waits for
   * @returns why the request is refused, in which case its owner is given no outcome
   */
  ask(
    to: NodeRecord,
    question: Question,
    owner: RequestOwner,
    ref: number,
    timeoutMs?: number,
  ): DiscoveryErrorCode | undefined {
    const session = this.#sessions.toward(to)
    if (session === undefined) return 'PEER_NO_ENDPOINT'
    const request = this.#newRequest(session, question, owner, ref, timeoutMs)
    if (typeof request === 'string') return request
    const { counters, limits } = this.#context
    this.#requests.add(request, timeoutMs ?? limits.requestTimeoutMs)
    counters.add('requestsSent')
    this.#send(session, request.plaintext, request)
    return undefined
  }

  /** Sends requests whose answers nobody awaits, in one batch. */
  sendOneWay(to: NodeRecord, protocol: Uint8Array, payloads: readonly Uint8Array[]): void {
    const { counters, randomness } = this.#context
    const session = this.#sessions.toward(to)
    if (session === undefined) {
      counters.add('oneWayDropped', payloads.length)
      return
    }
    let sent = 0
    for (const plaintext of encodeTalkRequests(() => oneWayId(randomness), protocol, payloads)) {
      if (plaintext.length <= MAX_PLAINTEXT_BYTES && this.#send(session, plaintext, undefined)) sent++
    }
    counters.add('oneWaySent', sent)
    counters.add('oneWayDropped', payloads.length - sent)
  }

  /** Sends a response through the session of its request. Drops it if the session is gone or it is too large. */
  respond(session: Session | undefined, plaintext: Uint8Array): void {
    const keys = session?.keyring.sending
    if (session === undefined || keys === undefined || keys.isExhausted || plaintext.length > MAX_PLAINTEXT_BYTES) {
      this.#context.counters.add('answersDropped')
    } else this.#outbox.add(session, keys, plaintext, undefined)
  }

  #newRequest(
    session: Session,
    question: Question,
    owner: RequestOwner,
    ref: number,
    timeoutMs: number | undefined,
  ): PendingRequest | DiscoveryErrorCode {
    const { limits, counters } = this.#context
    if (!this.#requests.hasRoomFor(session)) {
      counters.add('requestsLimited')
      return 'REQUEST_LIMIT'
    }
    if (question.type === FINDNODE && !question.distances.every(isDistance)) return 'MESSAGE_MALFORMED'
    const id = this.#requests.newId()
    const plaintext = encodeMessage(this.#withId(question, id))
    if (plaintext.length > MAX_PLAINTEXT_BYTES) return 'REQUEST_TOO_LARGE'
    if (!session.isEstablished && this.#backlog.sizeOf(session) >= limits.queuedPerPeer) {
      counters.add('requestsLimited')
      return 'REQUEST_LIMIT'
    }
    return new PendingRequest({
      id,
      type: question.type,
      session,
      plaintext,
      owner,
      ref,
      answerTimeoutMs: timeoutMs === undefined ? limits.requestTimeoutMs : 0,
      nodes: question.type === FINDNODE ? new NodesAnswer(question.distances, limits) : undefined,
    })
  }

  #withId(question: Question, requestId: Uint8Array): Request {
    if (question.type === PING) return { type: PING, requestId, enrSeq: this.#context.own.current.seq }
    return { ...question, requestId }
  }

  /** Seals a message now, or lets it wait for the handshake. @returns false if there is no room for it to wait */
  #send(session: Session, plaintext: Uint8Array, request: PendingRequest | undefined): boolean {
    const keys = usableKeys(session)
    if (keys !== undefined) {
      this.#outbox.add(session, keys, plaintext, request)
      return true
    }
    // A request was admitted by `#newRequest`.
    if (request === undefined && this.#backlog.sizeOf(session) >= this.#context.limits.queuedPerPeer) return false
    this.#backlog.add(session, { plaintext, request })
    if (!session.isOpening) this.#initiator.open(session)
    return true
  }
}

/** The keys to send with. Exhausted keys are given up, so that a handshake brings new ones. */
function usableKeys(session: Session): SessionKeys | undefined {
  if (!session.isEstablished) return undefined
  const keys = session.keyring.sending
  if (keys?.isExhausted !== true) return keys
  session.giveUpKeys()
  return undefined
}

function isDistance(distance: number): boolean {
  return Number.isInteger(distance) && distance >= 0 && distance <= MAX_DISTANCE
}
