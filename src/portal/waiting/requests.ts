import { Deadline, PendingCalls } from 'spimpl-runtime/core'
import type { ErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Numbered } from '../deadlines.ts'
import type { Members } from '../knowledge/members.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { Failure } from '../messages.ts'
import {
  type Accept,
  type Content,
  decodeMessage,
  encodeMessage,
  type FindContent,
  type FindNodes,
  MAX_TALK_REQUEST_BYTES,
  type Nodes,
  type Offer,
  type Ping,
} from '../wire/message.ts'

/** Each type of request with the message that answers it. */
interface Answers {
  readonly ping: Ping
  readonly 'find-nodes': Nodes
  readonly 'find-content': Content
  readonly offer: Accept
}

type Request = Ping | FindNodes | FindContent | Offer
type RequestType = keyof Answers & Request['type']

const ANSWER_TYPES = { ping: 'pong', 'find-nodes': 'nodes', 'find-content': 'content', offer: 'accept' } as const

/** How a request ended. Each request that was sent has exactly one. */
export type Answer<Type extends RequestType> =
  | {
      readonly ok: true
      readonly message: Answers[Type]
      readonly version: number
      /** The request was sent twice: the peer may have answered the first one, and this answer may result from that. */
      readonly isRepeated: boolean
    }
  | ({ readonly ok: false } & Failure)

/** Options of one request. */
export interface RequestOptions {
  /** Of the call that it is sent for; a number of our own if it is undefined. */
  readonly ref?: number | undefined
  /** Whether the request is worth repeating. Default: it is. */
  readonly isWanted?: (() => boolean) | undefined
}

interface PendingRequest {
  readonly to: NodeRecord
  readonly type: RequestType
  readonly payload: Uint8Array
  readonly isWanted: (() => boolean) | undefined
  readonly isRepeated: boolean
  readonly version: number
  readonly settle: (answer: Answer<RequestType>) => void
  readonly timeout: Deadline<'request-timeout', Numbered>
}

/** Failures of requests that were never sent. */
const UNSENT: { readonly [Code in ErrorCode]?: string } = {
  PEER_NO_ENDPOINT: 'could not be sent: the record names no address, and no session with the node is open',
  REQUEST_LIMIT: 'could not be sent: too many requests are in flight',
}

/** Whether a failure means that nothing came back. Other failures are answers, or our own. */
export const isSilence = ({ code }: Pick<Failure, 'code'>): boolean =>
  code === 'REQUEST_TIMEOUT' || code === 'SESSION_FAILED'

/** Talk requests in flight: what was asked, at which version, and what is done with the answer. */
export class Requests {
  readonly #state: OverlayState
  readonly #members: Members
  readonly #pending: PendingCalls<PendingRequest>

  constructor(state: OverlayState, members: Members) {
    this.#state = state
    this.#members = members
    this.#pending = new PendingCalls(state.limits.requests)
  }

  get size(): number {
    return this.#pending.size
  }

  /**
   * Sends a request. `settle` is called once, in a later turn.
   *
   * An unanswered request is repeated once, because discovery sends a TALKREQ only once: requests to members of the
   * table, and offers to anybody. Pings are not repeated, as they find out who is there.
   *
   * @returns why it could not be sent; `settle` is not called then
   */
  send<Type extends RequestType>(
    to: NodeRecord,
    message: Request & { readonly type: Type },
    settle: (answer: Answer<Type>) => void,
    { ref, isWanted }: RequestOptions = {},
  ): Failure | undefined {
    const state = this.#state
    const version = state.version(to)
    if (!version.ok) return version
    if (state.isSelf(to.nodeIdHex)) return { code: 'PEER_UNKNOWN', detail: 'expected another node, got our own record' }
    if (!this.#pending.hasRoom) {
      state.counters.add('limit.requests')
      return { code: 'REQUEST_LIMIT', detail: `${state.limits.requests} talk requests are in flight` }
    }
    const payload = encodeMessage(message, version.value)
    if (payload.length > MAX_TALK_REQUEST_BYTES) {
      const detail = `expected at most ${MAX_TALK_REQUEST_BYTES} bytes, got ${payload.length}`
      return { code: 'REQUEST_TOO_LARGE', detail }
    }
    state.counters.add(`sent.${message.type}`)
    this.#transmit(ref ?? state.ownRef(), {
      to,
      type: message.type,
      payload,
      isWanted,
      isRepeated: false,
      version: version.value,
      settle: settle as (answer: Answer<RequestType>) => void,
    })
    return undefined
  }

  #transmit(ref: number, request: Omit<PendingRequest, 'timeout'>): void {
    const { deadlines, limits, protocol, turn } = this.#state
    const timeout = new Deadline('request-timeout', { ref })
    this.#pending.addAs(ref, { ...request, timeout })
    deadlines.set(timeout, turn.now + limits.requestTimeoutMs)
    // The receiver of the output owns its bytes, and we may need ours for the repeat.
    const payload = request.isRepeated ? request.payload : request.payload.slice()
    turn.emit({ type: 'talk', ref, to: request.to, protocol, payload })
  }

  answered(ref: number, payload: Uint8Array): void {
    const pending = this.#take(ref)
    if (pending === undefined) return
    const { to, type, version, isRepeated } = pending
    const decoded = decodeMessage(payload, version)
    if (decoded.ok && decoded.value.type === ANSWER_TYPES[type]) {
      this.#state.counters.add(`answered.${type}`)
      this.#members.answered(to)
      pending.settle({ ok: true, message: decoded.value as Answers[RequestType], version, isRepeated })
      return
    }
    const reason = decoded.ok ? 'type' : decoded.detail
    this.#state.counters.add(`malformed.answer.${reason}`)
    // A peer answers FIND_CONTENT and OFFER with nothing if it does not know the key. Only a node that does not take
    // part answers PING and FIND_NODES with nothing (discv5-wire.md, TALKREQ).
    if (type === 'ping' || type === 'find-nodes') this.#members.estranged(to)
    const got = reason === 'empty' ? 'an empty one' : `a malformed one (${reason})`
    const detail = `expected an answer of type ${ANSWER_TYPES[type]}, got ${got}`
    pending.settle({ ok: false, code: 'PORTAL_MESSAGE_MALFORMED', detail })
  }

  failed(ref: number, code: ErrorCode): void {
    const pending = this.#take(ref)
    if (pending === undefined) return
    if (code === 'REQUEST_TIMEOUT' && this.#isWorthRepeating(pending)) {
      this.#state.counters.add(`repeated.${pending.type}`)
      this.#transmit(this.#state.ownRef(), { ...pending, isRepeated: true })
      return
    }
    this.#state.counters.add(`unanswered.${pending.type}`)
    if (isSilence({ code })) this.#members.silent(pending.to)
    const detail = `${pending.type} to ${pending.to.nodeIdHex} ${UNSENT[code] ?? 'was not answered'}`
    pending.settle({ ok: false, code, detail })
  }

  #isWorthRepeating({ isRepeated, type, to, isWanted }: PendingRequest): boolean {
    if (isRepeated || type === 'ping' || isWanted?.() === false) return false
    return type === 'offer' || this.#state.table.get(to.nodeIdHex) !== undefined
  }

  #take(ref: number): PendingRequest | undefined {
    const pending = this.#pending.take(ref)
    if (pending !== undefined) this.#state.deadlines.clear(pending.timeout)
    return pending
  }
}
