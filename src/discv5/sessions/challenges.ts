import type { NodeRecord } from '../../identity/node-record.ts'
import type { Packet } from '../wire/packet.ts'

/** A WHOAREYOU that we sent and that a handshake may answer. */
export interface Challenge {
  /** Of the packet that was challenged. */
  readonly nonce: Uint8Array
  /** As it was sent. It is sent again if another packet of the peer arrives before the handshake. */
  readonly packet: Uint8Array
  /** The unmasked packet, which the handshake signs and derives its keys from. */
  readonly data: Uint8Array
  /** The record of the peer whose seq the challenge names, so that the handshake may leave it out. */
  readonly record: NodeRecord | undefined
  readonly expiresAt: number
  /** Packets that arrived before the handshake. Its keys open those that overtook it; the others are challenged. */
  readonly held: Packet[]
}

/** Challenges by node id and endpoint. All have the same lifetime, so the oldest expires next. */
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

  /** @returns how many had expired, and how many others were evicted to make room */
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

  /** Forgets expired challenges. @returns how many */
  expire(now: number): number {
    let expired = 0
    for (const [key, challenge] of this.#challenges) {
      if (challenge.expiresAt > now) break
      this.#challenges.delete(key)
      expired++
    }
    return expired
  }

  /** Keeps a packet that arrived before the handshake, unless `limit` packets are kept already. */
  hold(challenge: Challenge, packet: Packet, limit: number): void {
    if (challenge.held.length < limit) challenge.held.push(packet)
  }
}
