import { Tally } from '../../discv5/table/tally.ts'
import type { OverlayLimits } from '../limits.ts'
import type { Turn } from '../overlay-messages.ts'

/** An item on its way to us that holds memory, or waits until it may. */
export interface RoomClaim {
  readonly ref: number
  readonly kind: 'fetch' | 'receive'
  readonly peer: string
  readonly bytes: number
}

/**
 * The memory of items on their way to us. A peer names the size of an item before it sends it, and may stop before the last byte:
 * without a bound of all together a hundred transfers of 16 MiB would be held for as long as streams last. What does not fit waits,
 * in order, and its stream's window with it. What we fetch and what others push have room of their own, and no peer has all of the latter.
 */
export class ContentRoom {
  readonly #limits: OverlayLimits
  readonly #held = new Map<number, RoomClaim>()
  readonly #waiting = new Map<number, RoomClaim>()
  readonly #bytes = { fetch: 0, receive: 0 }
  readonly #bytesOfPeer = new Tally()

  constructor(limits: OverlayLimits) {
    this.#limits = limits
  }

  /** Items that wait for room. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Bytes that items of this kind hold. */
  bytes(kind: RoomClaim['kind']): number {
    return this.#bytes[kind]
  }

  /** Gives room with `give-room`, now or in a later turn. A transfer has one claim: a new one takes the place of the one before. */
  ask(turn: Turn, claim: RoomClaim): void {
    this.release(turn, claim.ref)
    this.#waiting.set(claim.ref, claim)
    this.#serve(turn, claim.kind)
  }

  /** The item is handed on, or its transfer is over. */
  release(turn: Turn, ref: number): void {
    const waiting = this.#waiting.get(ref)
    this.#waiting.delete(ref)
    const held = this.#held.get(ref)
    if (held !== undefined) {
      this.#held.delete(ref)
      this.#count(held, -1)
    }
    const kind = (held ?? waiting)?.kind
    if (kind !== undefined) this.#serve(turn, kind)
  }

  #serve(turn: Turn, kind: RoomClaim['kind']): void {
    const limit = kind === 'fetch' ? this.#limits.fetchBytes : this.#limits.receiveBytes
    for (const claim of this.#waiting.values()) {
      if (claim.kind !== kind) continue
      // One item always fits, however large. Nobody is overtaken for lack of room, or the large would wait for ever.
      if (this.#bytes[kind] > 0 && this.#bytes[kind] + claim.bytes > limit) return
      if (!this.#fitsPeer(claim)) continue
      this.#waiting.delete(claim.ref)
      this.#held.set(claim.ref, claim)
      this.#count(claim, 1)
      turn.emit({ type: 'give-room', ref: claim.ref })
    }
  }

  #fitsPeer({ kind, peer, bytes }: RoomClaim): boolean {
    const ofPeer = this.#bytesOfPeer.of(peer)
    return kind === 'fetch' || ofPeer === 0 || ofPeer + bytes <= this.#limits.receiveBytesOfPeer
  }

  #count({ kind, peer, bytes }: RoomClaim, sign: 1 | -1): void {
    this.#bytes[kind] += sign * bytes
    if (kind === 'receive') this.#bytesOfPeer.add(peer, sign * bytes)
  }
}
