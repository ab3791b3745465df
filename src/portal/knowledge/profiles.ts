import { Profile } from './profile.ts'

/**
 * Profiles by node id. The least recently used one makes room for a new one, except that members of the routing table
 * keep theirs: otherwise a stranger with many keys could evict what gossip knows of the neighbourhood with pings.
 */
export class Profiles {
  readonly #limit: number
  readonly #isMember: (nodeIdHex: string) => boolean
  /** In the order of use. */
  readonly #profiles = new Map<string, Profile>()

  /** @param limit more than the routing table can have members */
  constructor(limit: number, isMember: (nodeIdHex: string) => boolean) {
    this.#limit = limit
    this.#isMember = isMember
  }

  get size(): number {
    return this.#profiles.size
  }

  /** The profile, if there is one. It does not become the most recently used. */
  peek(nodeIdHex: string): Profile | undefined {
    return this.#profiles.get(nodeIdHex)
  }

  /** The profile, made if there is none. It becomes the most recently used. */
  of(nodeIdHex: string): Profile {
    let profile = this.#profiles.get(nodeIdHex)
    if (profile !== undefined) this.#profiles.delete(nodeIdHex)
    else {
      profile = new Profile()
      if (this.#profiles.size >= this.#limit) this.#evict()
    }
    this.#profiles.set(nodeIdHex, profile)
    return profile
  }

  delete(nodeIdHex: string): void {
    this.#profiles.delete(nodeIdHex)
  }

  #evict(): void {
    let left = this.#profiles.size
    for (const [nodeIdHex, profile] of this.#profiles) {
      this.#profiles.delete(nodeIdHex)
      left -= 1
      if (left === 0 || !this.#isMember(nodeIdHex)) return
      // A member moves to the end, so that the next eviction does not begin with it.
      this.#profiles.set(nodeIdHex, profile)
    }
  }
}
