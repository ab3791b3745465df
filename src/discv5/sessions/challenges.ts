import type { NodeRecord } from '../../identity/node-record.ts'
import type { Packet } from '../wire/packet.ts'

/** A WHOAREYOU that we sent and that may be answered with a handshake. */
export interface Challenge {
  /** Of the packet that it answers. */
  readonly nonce: Uint8Array
  /** As sent; sent again where the peer's next packet comes before its handshake. */
  readonly packet: Uint8Array
  /** The unmasked packet: what the handshake signs and derives its keys from. */
  readonly data: Uint8Array
  /** What we knew of the peer, whose seq the challenge named: the handshake may leave its record out. */
  readonly record: NodeRecord | undefined
  readonly expiresAt: number
  /** Packets that came before the handshake. Its keys may open them: they overtook it on the way. If not, they are challenged in turn. */
  readonly held: Packet[]
}

/** Challenges by node id and endpoint. They all live equally long, so the oldest is the next to expire. */
export class ChallengeTable {
  readonly #capacity: number
  readonly #challenges = new Map<string, Challenge>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#challenges.size
  }

  find(key: string, now: number): Challenge | undefined {
    const challenge = this.#challenges.get(key)
    return challenge !== undefined && challenge.expiresAt > now ? challenge : undefined
  }

  /** Returns how many expired before and how many that were alive had to make room. */
  add(key: string, challenge: Challenge, now: number): { readonly expired: number; readonly evicted: number } {
    let expired = this.expire(now)
    let evicted = 0
    if (this.#challenges.delete(key)) expired++
    if (this.#challenges.size >= this.#capacity) {
      const oldest = this.#challenges.keys().next()
      if (!oldest.done) this.#challenges.delete(oldest.value)
      evicted++
    }
    this.#challenges.set(key, challenge)
    return { expired, evicted }
  }

  remove(key: string): void {
    this.#challenges.delete(key)
  }

  /** Forgets what is too old; returns how many. */
  expire(now: number): number {
    let expired = 0
    for (const [key, challenge] of this.#challenges) {
      if (challenge.expiresAt > now) break
      this.#challenges.delete(key)
      expired++
    }
    return expired
  }
}
