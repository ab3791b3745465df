import type { PendingRequest } from '../asking/requests.ts'
import { NONCE_BYTES } from '../wire/packet.ts'
import type { Session } from './session.ts'

/** A message that was sealed and sent, kept for the case that the peer answers WHOAREYOU: it has lost the session. */
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
 * Sent messages by nonce. Requests stay until they are settled; the others until their place in the ring is needed, or they are
 * too old to be worth sending again.
 */
export class SentLog {
  readonly #lifetimeMs: number
  readonly #ring: (SentMessage | undefined)[]
  readonly #byNonce = new Map<number, SentMessage>()
  #ringed = 0
  #order = 0

  constructor(capacity: number, lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs
    this.#ring = new Array<SentMessage | undefined>(capacity).fill(undefined)
  }

  get size(): number {
    return this.#byNonce.size
  }

  /** The number that the next message gets. */
  get nextOrder(): number {
    return this.#order
  }

  add(
    session: Session,
    plaintext: Uint8Array,
    request: PendingRequest | undefined,
    nonce: Uint8Array,
    now: number,
  ): void {
    const high = nonceHigh(nonce)
    const sent = { session, plaintext, request, high, low: nonceLow(nonce), sentAt: now, order: this.#order++ }
    if (request === undefined) {
      const slot = this.#ringed++ % this.#ring.length
      this.#forget(this.#ring[slot])
      this.#ring[slot] = sent
    } else {
      this.#forget(request.sent)
      request.sent = sent
    }
    // Two nonces with the same first half are one in 2^16 of the same counter: the older is forgotten, nothing breaks.
    this.#byNonce.set(high, sent)
  }

  find(nonce: Uint8Array, now: number): SentMessage | undefined {
    const sent = this.#byNonce.get(nonceHigh(nonce))
    if (sent === undefined || sent.low !== nonceLow(nonce)) return undefined
    return sent.request === undefined && sent.sentAt + this.#lifetimeMs < now ? undefined : sent
  }

  /** A request was settled. */
  settled(request: PendingRequest): void {
    this.#forget(request.sent)
    request.sent = undefined
  }

  /** Messages without an answer that went to a session from `order` on and are young enough, in their order; forgotten here. */
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

/** The first 6 bytes of a nonce, as a number: exact, and cheaper as a key than a text. */
export function nonceHigh(nonce: Uint8Array): number {
  return sixBytes(nonce, 0)
}

/** The last 6 bytes. */
function nonceLow(nonce: Uint8Array): number {
  return sixBytes(nonce, NONCE_BYTES - 6)
}

function sixBytes(bytes: Uint8Array, at: number): number {
  const upper = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
  const lower = (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!
  return upper * 0x1_00_00_00 + lower
}
