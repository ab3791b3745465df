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
  /** Until then it is offered nothing where others will do: it has said that it takes no more (code 4). */
  busyUntil: number
  /** The highest `seq` that discovery was asked to find. */
  resolvedSeq: bigint
  /** When it last was sent a ping. */
  pingedAt: number
}

/** Profiles by node id; the one that was used the longest ago makes room for a new one. */
export class Profiles {
  readonly #limit: number
  readonly #profiles = new Map<string, Profile>()

  constructor(limit: number) {
    this.#limit = limit
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
        busyUntil: Number.NEGATIVE_INFINITY,
        resolvedSeq: 0n,
        pingedAt: Number.NEGATIVE_INFINITY,
      }
      if (this.#profiles.size >= this.#limit) {
        const oldest = this.#profiles.keys().next().value
        if (oldest !== undefined) this.#profiles.delete(oldest)
      }
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
}
