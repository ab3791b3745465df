import type { Endpoint } from '../../transport/datagram.ts'
import { addressScope } from '../wire/address.ts'

interface Vote {
  readonly endpoint: Endpoint
  readonly expiresAt: number
}

/**
 * The vote of the peers on our address: each PONG names the address from which its PING came (discv5-theory.md,
 * Maintaining The Local Node Record). Each peer has one vote, its newest, which expires. An address wins if enough
 * distinct peers and more than half of all voters of its family name it, so that no single peer can change our address.
 */
export class AddressVote {
  readonly #capacity: number
  readonly #majority: number
  readonly #lifetimeMs: number
  /** Oldest first. */
  readonly #votes = new Map<string, Vote>()

  constructor(options: { readonly capacity: number; readonly majority: number; readonly lifetimeMs: number }) {
    this.#capacity = options.capacity
    this.#majority = options.majority
    this.#lifetimeMs = options.lifetimeMs
  }

  get size(): number {
    return this.#votes.size
  }

  /** Counts a vote; the oldest one makes room. A vote for an unusable address does not count. */
  add(voter: string, endpoint: Endpoint, now: number): void {
    if (endpoint.port === 0 || addressScope(endpoint.host) === 'unusable') return
    this.#votes.delete(voter)
    this.#votes.set(voter, { endpoint, expiresAt: now + this.#lifetimeMs })
    for (const [oldest, vote] of this.#votes) {
      if (this.#votes.size <= this.#capacity && vote.expiresAt > now) break
      this.#votes.delete(oldest)
    }
  }

  /** The address of this family that the majority names, if there is one. */
  winner(family: 'IPv4' | 'IPv6'): Endpoint | undefined {
    const tally = new Map<string, { readonly endpoint: Endpoint; votes: number }>()
    let voters = 0
    for (const { endpoint } of this.#votes.values()) {
      if (endpoint.host.includes(':') !== (family === 'IPv6')) continue
      voters++
      const key = `${endpoint.host} ${endpoint.port}`
      const counted = tally.get(key)
      if (counted === undefined) tally.set(key, { endpoint, votes: 1 })
      else counted.votes++
    }
    for (const { endpoint, votes } of tally.values()) {
      if (votes >= this.#majority && votes > voters / 2) return endpoint
    }
    return undefined
  }
}

/** Whether an address that won the vote should replace the published one: not if its scope is narrower. */
export function isBetterAddress(named: Endpoint, published: Endpoint | undefined): boolean {
  if (published === undefined) return true
  if (published.host === named.host && published.port === named.port) return false
  const reach = { unusable: 0, loopback: 1, private: 2, global: 3 }
  return reach[addressScope(named.host)] >= reach[addressScope(published.host)]
}
