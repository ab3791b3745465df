import { readUint48 } from '../../codec/integers.ts'
import type { PendingRequest } from '../asking/pending-request.ts'
import { NONCE_BYTES } from '../wire/packet.ts'
import type { Session } from './session.ts'

/** A message that was sealed and sent, kept in case the peer answers WHOAREYOU because it has lost the session. */
export interface SentMessage {
  readonly session: Session
  readonly plaintext: Uint8Array
  /** Undefined for responses and one-way talks. */
  readonly request: PendingRequest | undefined
  /** The nonce, as two numbers of 6 bytes. */
  readonly high: number
  readonly low: number
  readonly sentAt: number
  /** Increases by one with every message. */
  readonly order: number
}

/**
 * Sent messages by nonce. A request stays until it is settled; any other message stays until its slot of the ring is
 * needed, or it is too old to be worth sending again.
 *
 *     ring   slot = number of the message % capacity
 *            [ 8 | 9 | 10 | 3 | 4 | 5 | 6 | 7 ]     the next message, 11, replaces 3
 */
export class SentLog {
  readonly #lifetimeMs: number
  readonly #ring: (SentMessage | undefined)[]
  readonly #byNonce = new Map<number, SentMessage>()
  /** The last packet that carried each request in flight. */
  readonly #ofRequest = new Map<PendingRequest, SentMessage>()
  /** Messages that were ever put into the ring. */
  #ringed = 0
  #nextOrder = 0

  constructor(capacity: number, lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs
    this.#ring = new Array<SentMessage | undefined>(capacity).fill(undefined)
  }

  get size(): number {
    return this.#byNonce.size
  }

  /** The `order` of the next message. */
  get nextOrder(): number {
    return this.#nextOrder
  }

  add(
    session: Session,
    plaintext: Uint8Array,
    request: PendingRequest | undefined,
    nonce: Uint8Array,
    now: number,
  ): void {
    const high = nonceHigh(nonce)
    const sent = { session, plaintext, request, high, low: nonceLow(nonce), sentAt: now, order: this.#nextOrder++ }
    if (request === undefined) {
      const slot = this.#ringed++ % this.#ring.length
      this.#forget(this.#ring[slot])
      this.#ring[slot] = sent
    } else {
      this.#forget(this.#ofRequest.get(request))
      this.#ofRequest.set(request, sent)
    }
    // One in 2^16 nonces with the same counter has the same first half. Forgetting the older message is harmless.
    this.#byNonce.set(high, sent)
  }

  find(nonce: Uint8Array, now: number): SentMessage | undefined {
    const sent = this.#byNonce.get(nonceHigh(nonce))
    if (sent === undefined || sent.low !== nonceLow(nonce)) return undefined
    return sent.request === undefined && sent.sentAt + this.#lifetimeMs < now ? undefined : sent
  }

  /** The `order` of the last packet that carried a request; -1 if none has, or if it is forgotten. */
  orderOf(request: PendingRequest): number {
    return this.#ofRequest.get(request)?.order ?? -1
  }

  /** Forgets the packet that carried a request. */
  forget(request: PendingRequest): void {
    const sent = this.#ofRequest.get(request)
    if (sent === undefined) return
    this.#ofRequest.delete(request)
    this.#forget(sent)
  }

  /**
   * Takes the messages without an answer that a session has sent from `order` on.
   *
   * @returns those that are young enough, in their order
   */
  takeSince(session: Session, order: number, now: number): SentMessage[] {
    const taken: SentMessage[] = []
    for (const [slot, sent] of this.#ring.entries()) {
      if (sent?.session !== session || sent.order < order) continue
      this.#forget(sent)
      this.#ring[slot] = undefined
      if (sent.sentAt + this.#lifetimeMs >= now) taken.push(sent)
    }
    return taken.sort((a, b) => a.order - b.order)
  }

  #forget(sent: SentMessage | undefined): void {
    if (sent !== undefined && this.#byNonce.get(sent.high) === sent) this.#byNonce.delete(sent.high)
  }
}

/** The first 6 bytes of a nonce, as a map key. */
export function nonceHigh(nonce: Uint8Array): number {
  return readUint48(nonce, 0)
}

function nonceLow(nonce: Uint8Array): number {
  return readUint48(nonce, NONCE_BYTES - 6)
}
