import { radiusBytes, radiusOf } from './radius.ts'

/** What pings have told of a node. */
export interface Profile {
  /** 32 bytes, big-endian; undefined until a ping or pong told it, and again when an offer showed that it is stale. */
  radius: Uint8Array | undefined
  /** The payload types of its last type 0 payload. */
  capabilities: readonly number[]
  /** It has answered a type 0 ping of ours: only then it may get another type (ping-extensions/README.md). */
  isIntroduced: boolean
  clientInfo: string | undefined
  /** Requests in a row that it did not answer. */
  silences: number
  /** When the last of them was counted. */
  silentAt: number
  /** Until then it is offered nothing where others will do: it has said that it takes no more (code 4). */
  busyUntil: number
  /** The highest `seq` of a record that it was asked for, and when. */
  fetchedSeq: bigint
  fetchedAt: number
  /** When it last was sent a ping. */
  pingedAt: number
}

/**
 * Profiles by node id; the one that was used the longest ago makes room for a new one. Members of the table keep theirs:
 * else a stranger with many keys could ping away what gossip knows of the neighbourhood.
 */
export class Profiles {
  readonly #limit: number
  readonly #isMember: (nodeIdHex: string) => boolean
  readonly #profiles = new Map<string, Profile>()

  /** @param limit above the number of members there can be */
  constructor(limit: number, isMember: (nodeIdHex: string) => boolean) {
    this.#limit = limit
    this.#isMember = isMember
  }

  get size(): number {
    return this.#profiles.size
  }

  /** Looks without making it the most recently used. */
  peek(nodeIdHex: string): Profile | undefined {
    return this.#profiles.get(nodeIdHex)
  }

  of(nodeIdHex: string): Profile {
    let profile = this.#profiles.get(nodeIdHex)
    if (profile !== undefined) this.#profiles.delete(nodeIdHex)
    else {
      profile = {
        radius: undefined,
        capabilities: [],
        isIntroduced: false,
        clientInfo: undefined,
        silences: 0,
        silentAt: Number.NEGATIVE_INFINITY,
        busyUntil: Number.NEGATIVE_INFINITY,
        fetchedSeq: 0n,
        fetchedAt: Number.NEGATIVE_INFINITY,
        pingedAt: Number.NEGATIVE_INFINITY,
      }
      if (this.#profiles.size >= this.#limit) this.#makeRoom()
    }
    this.#profiles.set(nodeIdHex, profile)
    return profile
  }

  setRadius(nodeIdHex: string, radius: bigint): void {
    this.of(nodeIdHex).radius = radiusBytes(radius)
  }

  radius(nodeIdHex: string): bigint | undefined {
    const bytes = this.#profiles.get(nodeIdHex)?.radius
    return bytes === undefined ? undefined : radiusOf(bytes)
  }

  delete(nodeIdHex: string): void {
    this.#profiles.delete(nodeIdHex)
  }

  #makeRoom(): void {
    let left = this.#profiles.size
    for (const [nodeIdHex, profile] of this.#profiles) {
      this.#profiles.delete(nodeIdHex)
      left -= 1
      if (left === 0 || !this.#isMember(nodeIdHex)) return
      // To the end, so that it is not looked at again for a while.
      this.#profiles.set(nodeIdHex, profile)
    }
  }
}
