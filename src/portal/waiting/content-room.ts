import { invariant, PendingCalls, type Turn } from 'spimpl-runtime/core'
import { Tally } from '../../discv5/table/tally.ts'
import type { OverlayLimits } from '../limits.ts'
import type { OverlayOutput } from '../messages.ts'

/** An item in transit to us that holds memory, or waits for it. */
export interface RoomClaim {
  /** Of the transfer. */
  readonly ref: number
  readonly kind: 'fetch' | 'receive'
  /** The node id of the sender. */
  readonly peer: string
  readonly bytes: number
}

/**
 * The memory for items in transit to us. A peer announces the size of an item before it sends the bytes, and may stop
 * before the last one: without a common bound, a hundred transfers of 16 MiB could be held for as long as streams last.
 * An item that does not fit waits in line, with the window of its stream closed. What we fetch and what peers offer
 * have separate bounds, and no peer may use up the second one.
 */
export class ContentRoom {
  readonly #limits: OverlayLimits
  readonly #turn: Turn<OverlayOutput>
  readonly #held: PendingCalls<RoomClaim>
  readonly #waiting: PendingCalls<RoomClaim>
  readonly #bytes = { fetch: 0, receive: 0 }
  readonly #bytesOfPeer = new Tally()

  constructor(limits: OverlayLimits, turn: Turn<OverlayOutput>) {
    this.#limits = limits
    this.#turn = turn
    const transfers = limits.fetches + limits.receives
    this.#held = new PendingCalls(transfers)
    this.#waiting = new PendingCalls(transfers)
  }

  /** Items that wait for room. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Bytes that items of this kind hold. */
  bytes(kind: RoomClaim['kind']): number {
    return this.#bytes[kind]
  }

  /** Gives room with `give-room`, now or in a later turn. A transfer has one claim: a new one replaces it. */
  claim(claim: RoomClaim): void {
    this.release(claim.ref)
    this.#waiting.addAs(claim.ref, claim)
    this.#serve(claim.kind)
  }

  /** The item was handed on, or its transfer is over. */
  release(ref: number): void {
    const waiting = this.#waiting.take(ref)
    const held = this.#held.take(ref)
    if (held !== undefined) this.#count(held, -1)
    const kind = (held ?? waiting)?.kind
    if (kind !== undefined) this.#serve(kind)
  }

  #serve(kind: RoomClaim['kind']): void {
    const limit = kind === 'fetch' ? this.#limits.fetchBytes : this.#limits.receiveBytes
    for (const claim of this.#waiting) {
      if (claim.kind !== kind) continue
      // A single item always fits, however large. No smaller item may overtake it, or it could wait forever.
      if (this.#bytes[kind] > 0 && this.#bytes[kind] + claim.bytes > limit) return
      if (!this.#fitsPeer(claim)) continue
      this.#waiting.take(claim.ref)
      this.#held.addAs(claim.ref, claim)
      this.#count(claim, 1)
      this.#turn.emit({ type: 'give-room', ref: claim.ref })
    }
  }

  #fitsPeer({ kind, peer, bytes }: RoomClaim): boolean {
    const ofPeer = this.#bytesOfPeer.of(peer)
    return kind === 'fetch' || ofPeer === 0 || ofPeer + bytes <= this.#limits.receiveBytesOfPeer
  }

  #count({ kind, peer, bytes }: RoomClaim, sign: 1 | -1): void {
    this.#bytes[kind] += sign * bytes
    if (kind === 'receive') this.#bytesOfPeer.add(peer, sign * bytes)
    let claimed = 0
    for (const held of this.#held) if (held.kind === kind) claimed += held.bytes
    invariant(claimed === this.#bytes[kind], 'the bytes of room to equal the sum of the claims that hold it')
  }
}
