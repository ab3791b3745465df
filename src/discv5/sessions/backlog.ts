import { invariant } from 'spimpl-runtime/core'
import type { PendingRequest } from '../asking/pending-request.ts'
import type { Context } from '../context.ts'
import type { Outbox } from './outbox.ts'
import type { Session } from './session.ts'

/** A message that waits for the keys of its session. */
export interface WaitingMessage {
  readonly plaintext: Uint8Array
  /** Undefined for responses and one-way talks. */
  readonly request: PendingRequest | undefined
}

/** Messages that wait for a handshake, in order. The callers bound them by `queuedPerPeer` and `requestsPerPeer`. */
export class Backlog {
  readonly #context: Context
  readonly #outbox: Outbox
  readonly #waiting = new Map<Session, WaitingMessage[]>()
  /** The requests among them. */
  readonly #requests = new Set<PendingRequest>()

  constructor(context: Context, outbox: Outbox) {
    this.#context = context
    this.#outbox = outbox
  }

  sizeOf(session: Session): number {
    return this.#waiting.get(session)?.length ?? 0
  }

  has(request: PendingRequest): boolean {
    return this.#requests.has(request)
  }

  add(session: Session, message: WaitingMessage): void {
    const waiting = this.#waiting.get(session)
    if (waiting === undefined) this.#waiting.set(session, [message])
    else waiting.push(message)
    if (message.request !== undefined) this.#requests.add(message.request)
  }

  /** Puts messages that a peer could not read before those that wait already. */
  putBack(session: Session, messages: readonly WaitingMessage[]): void {
    if (messages.length === 0) return
    this.#waiting.set(session, [...messages, ...(this.#waiting.get(session) ?? [])])
    for (const { request } of messages) if (request !== undefined) this.#requests.add(request)
  }

  /** Takes the first message that matches. */
  takeFirst(session: Session, matches: (message: WaitingMessage) => boolean): WaitingMessage | undefined {
    const waiting = this.#waiting.get(session)
    const at = waiting?.findIndex(matches) ?? -1
    if (waiting === undefined || at < 0) return undefined
    const [message] = waiting.splice(at, 1)
    if (waiting.length === 0) this.#waiting.delete(session)
    if (message?.request !== undefined) this.#requests.delete(message.request)
    return message
  }

  /** Takes all messages of a session. */
  takeAll(session: Session): readonly WaitingMessage[] {
    const waiting = this.#waiting.get(session) ?? []
    this.#waiting.delete(session)
    for (const { request } of waiting) if (request !== undefined) this.#requests.delete(request)
    return waiting
  }

  /** Takes out a request that was settled while it waited. */
  remove(request: PendingRequest): void {
    if (!this.#requests.has(request)) return
    const taken = this.takeFirst(request.session, message => message.request === request)
    invariant(taken !== undefined, 'a waiting request in the backlog of its session')
  }

  /**
   * Sends the messages of a session under its keys. A handshake takes two round trips, most of a second with a distant
   * node, so the timeout of a request starts anew.
   */
  drain(session: Session): void {
    const keys = session.keyring.sending
    if (keys === undefined) return
    const { deadlines, turn } = this.#context
    for (const { plaintext, request } of this.takeAll(session)) {
      if (request !== undefined) {
        deadlines.set(request.timeout, Math.max(request.timeout.at, turn.now + request.answerTimeoutMs))
      }
      this.#outbox.add(session, keys, plaintext, request)
    }
  }
}
