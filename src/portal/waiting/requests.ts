import type { ErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Job, OverlayState } from '../knowledge/state.ts'
import type { Failure, Turn } from '../overlay-messages.ts'
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
import type { Appointment } from './agenda.ts'

/** Each request and its answer. */
interface Answers {
  readonly ping: Ping
  readonly 'find-nodes': Nodes
  readonly 'find-content': Content
  readonly offer: Accept
}

type Request = Ping | FindNodes | FindContent | Offer
type RequestType = keyof Answers & Request['type']

const ANSWER_TYPES = { ping: 'pong', 'find-nodes': 'nodes', 'find-content': 'content', offer: 'accept' } as const

/** What came of a request. Exactly one is told for every request that was sent. */
export type Answer<Type extends RequestType> =
  | {
      readonly ok: true
      readonly message: Answers[Type]
      readonly version: number
      /** The request was sent twice: the peer may have answered the first, and this tells of what follows from that. */
      readonly isRepeated: boolean
    }
  | ({ readonly ok: false } & Failure)

interface Pending {
  readonly to: NodeRecord
  readonly type: RequestType
  readonly payload: Uint8Array
  readonly wanted: (() => boolean) | undefined
  readonly isRepeated: boolean
  readonly version: number
  readonly settle: (turn: Turn, answer: Answer<RequestType>) => void
  readonly overdue: Appointment<Job>
}

/** What answers and silence mean for the table. */
export interface Liveness {
  heard(turn: Turn, node: NodeRecord): void
  silent(turn: Turn, node: NodeRecord): void
  /** It answers, but does not speak this protocol with us. */
  estranged(turn: Turn, node: NodeRecord): void
}

/** What never left: nobody was asked. */
const UNSENT: { readonly [Code in ErrorCode]?: string } = {
  PEER_NO_ENDPOINT: 'could not be sent: the record names no address, and no session with the node is open',
  REQUEST_LIMIT: 'could not be sent: too many requests are in flight',
}

/** Talk requests on their way: what was asked, at which version, and who waits for the answer. */
export class Requests {
  readonly #state: OverlayState
  readonly #pending = new Map<number, Pending>()
  /** Set once by the overlay: `Members` sends its pings through here, so neither can be made first with the other. */
  liveness: Liveness | undefined

  constructor(state: OverlayState) {
    this.#state = state
  }

  get size(): number {
    return this.#pending.size
  }

  /**
   * Sends a request. `settle` is called once, in a later turn; where nothing can be sent the reason is returned at once
   * and `settle` is not called.
   *
   * Without an answer the request is sent a second time, because discovery sends a TALKREQ once: to members of the
   * table, and offers to anybody. Pings are not, as they are what finds out who is there.
   *
   * @param wanted whether it is still worth to be sent again
   */
  send<Type extends RequestType>(
    turn: Turn,
    to: NodeRecord,
    message: Request & { readonly type: Type },
    settle: (turn: Turn, answer: Answer<Type>) => void,
    wanted?: () => boolean,
  ): Failure | undefined {
    const state = this.#state
    const version = state.version(to)
    if (!version.ok) return version
    if (state.isSelf(to.nodeIdHex)) return { code: 'PEER_UNKNOWN', detail: 'expected another node, got the own record' }
    if (this.#pending.size >= state.limits.requests) {
      return { code: 'REQUEST_LIMIT', detail: `${state.limits.requests} talk requests are in flight` }
    }
    const payload = encodeMessage(message, version.value)
    if (payload.length > MAX_TALK_REQUEST_BYTES) {
      return {
        code: 'REQUEST_TOO_LARGE',
        detail: `expected ${MAX_TALK_REQUEST_BYTES} bytes at most, got ${payload.length}`,
      }
    }
    state.counters.add(`sent.${message.type}`)
    this.#transmit(turn, {
      to,
      type: message.type,
      payload,
      wanted,
      isRepeated: false,
      version: version.value,
      settle: settle as (turn: Turn, answer: Answer<RequestType>) => void,
    })
    return undefined
  }

  #transmit(turn: Turn, request: Omit<Pending, 'overdue'>): void {
    const { agenda, limits, protocol } = this.#state
    const ref = this.#state.nextRef()
    const overdue = agenda.set(turn.now + limits.requestTimeoutMs, later => this.failed(later, ref, 'REQUEST_TIMEOUT'))
    this.#pending.set(ref, { ...request, overdue })
    // What is sent belongs to who sends it, and the bytes may be wanted once more.
    const payload = request.isRepeated ? request.payload : request.payload.slice()
    turn.emit({ type: 'talk', ref, to: request.to, protocol, payload })
  }

  answered(turn: Turn, ref: number, payload: Uint8Array): void {
    const pending = this.#take(ref)
    if (pending === undefined) return
    const { to, type, version, isRepeated } = pending
    const decoded = decodeMessage(payload, version)
    if (decoded.ok && decoded.value.type === ANSWER_TYPES[type]) {
      this.#state.counters.add(`answered.${type}`)
      this.liveness?.heard(turn, to)
      pending.settle(turn, { ok: true, message: decoded.value as Answers[RequestType], version, isRepeated })
      return
    }
    const reason = decoded.ok ? 'type' : decoded.detail
    this.#state.counters.add(`malformed.answer.${reason}`)
    // FIND_CONTENT and OFFER are answered with nothing for a key that the peer does not know, PING and FIND_NODES only
    // by somebody who does not take part (discv5-wire.md, TALKREQ).
    if (type === 'ping' || type === 'find-nodes') this.liveness?.estranged(turn, to)
    const came = reason === 'empty' ? 'nothing' : `what is malformed: ${reason}`
    const detail = `expected ${ANSWER_TYPES[type]} as the answer, got ${came}`
    pending.settle(turn, { ok: false, code: 'PORTAL_MESSAGE_MALFORMED', detail })
  }

  failed(turn: Turn, ref: number, code: ErrorCode): void {
    const pending = this.#take(ref)
    if (pending === undefined) return
    if (code === 'REQUEST_TIMEOUT' && this.#isWorthRepeating(pending)) {
      this.#state.counters.add(`repeated.${pending.type}`)
      this.#transmit(turn, { ...pending, isRepeated: true })
      return
    }
    this.#state.counters.add(`unanswered.${pending.type}`)
    // Other failures are our own: a limit, a request too large.
    if (code === 'REQUEST_TIMEOUT' || code === 'SESSION_FAILED') this.liveness?.silent(turn, pending.to)
    const detail = `${pending.type} to ${pending.to.nodeIdHex} ${UNSENT[code] ?? 'was not answered'}`
    pending.settle(turn, { ok: false, code, detail })
  }

  #isWorthRepeating({ isRepeated, type, to, wanted }: Pending): boolean {
    if (isRepeated || type === 'ping' || wanted?.() === false) return false
    return type === 'offer' || this.#state.table.get(to.nodeIdHex) !== undefined
  }

  #take(ref: number): Pending | undefined {
    const pending = this.#pending.get(ref)
    if (pending === undefined) return undefined
    this.#pending.delete(ref)
    this.#state.agenda.cancel(pending.overdue)
    return pending
  }
}
