import { invariant } from 'spimpl-runtime/core'
import { ST_FIN } from '../wire/packet.ts'
import type { SelectiveAckSource } from '../wire/packet-batch.ts'
import { narrow } from '../wire/sequence.ts'

const FIRST_SLOTS = 64
/** A packet this far ahead of the next expected one is refused, as by every client. */
export const MAX_AHEAD_PACKETS = 1024

export const OFFER_ACCEPTED = 0
/** An ack was lost, or the network duplicated the packet. */
export const OFFER_DUPLICATE = 1
/** No room, or impossible. */
export const OFFER_REFUSED = 2

/**
 * The bytes that the peer sent. Payloads in order wait for the consumer; payloads beyond a gap wait in a ring, indexed
 * by sequence number, until the gap closes. Sequence numbers are wide (sequence.ts).
 *
 *      in order        next     gap        out of order
 *     [chunk][chunk]    v
 *     ring:            [ ][ ][P][P][ ][P][ ][ ]      slot = sequence & mask
 *     selective ack:      bit 0 ^ next + 1
 */
export class ReceiveBuffer implements SelectiveAckSource {
  #next = 0
  #chunks: Uint8Array[] = []
  #chunkBytes = 0
  #totalBytes = 0
  #outOfOrderBytes = 0
  #outOfOrderPackets = 0
  /** The sequence number of the peer's FIN, once any copy of it arrived. */
  #finSequence = -1
  #slots: (Uint8Array | undefined)[] = new Array(FIRST_SLOTS).fill(undefined)
  #mask = FIRST_SLOTS - 1

  /** The next sequence number in order. */
  get next(): number {
    return this.#next
  }

  /** The ack number for the wire. */
  get acknowledged(): number {
    return narrow(this.#next - 1)
  }

  /** Bytes in order that the consumer has not been given. */
  get chunkBytes(): number {
    return this.#chunkBytes
  }

  /** Payload bytes in order since the start of the stream. */
  get totalBytes(): number {
    return this.#totalBytes
  }

  /** Bytes that wait behind a gap. */
  get outOfOrderBytes(): number {
    return this.#outOfOrderBytes
  }

  /** Packets that wait behind a gap. */
  get outOfOrderPackets(): number {
    return this.#outOfOrderPackets
  }

  /** The peer's FIN and everything before it arrived. */
  get isFinished(): boolean {
    return this.#finSequence >= 0 && this.#next > this.#finSequence
  }

  /** The stream starts with this sequence number. */
  begin(sequence: number): void {
    invariant(
      this.#totalBytes === 0 && this.#outOfOrderPackets === 0,
      'an empty receive buffer at the start of a stream',
    )
    this.#next = sequence
  }

  /** @param roomBytes what the consumer has room for */
  offer(
    sequence: number,
    type: number,
    payload: Uint8Array,
    roomBytes: number,
  ): typeof OFFER_ACCEPTED | typeof OFFER_DUPLICATE | typeof OFFER_REFUSED {
    const ahead = sequence - this.#next
    if (ahead < 0) return OFFER_DUPLICATE
    if (ahead >= MAX_AHEAD_PACKETS || this.#contradictsFin(sequence, type)) return OFFER_REFUSED
    if (ahead > 0) return this.#offerOutOfOrder(sequence, type, payload, roomBytes)
    // Bytes behind the gap are not counted against the room: they could keep out the packet that closes the gap.
    if (payload.length > roomBytes) return OFFER_REFUSED
    if (type === ST_FIN) this.#finSequence = sequence
    this.#accept(payload)
    if (this.#outOfOrderPackets > 0) this.#drain()
    return OFFER_ACCEPTED
  }

  /** The chunks in order, which belong to the caller now. */
  take(): readonly Uint8Array[] {
    const chunks = this.#chunks
    this.#chunks = []
    this.#chunkBytes = 0
    return chunks
  }

  /** Writes the bitmask of a selective ack. Bit 0 stands for `next + 1`, because `next` itself is missing. */
  writeMask(bytes: Uint8Array, at: number, maskBytes: number): void {
    let sequence = this.#next + 1
    for (let index = 0; index < maskBytes; index++) {
      let byte = 0
      for (let bit = 0; bit < 8; bit++, sequence++)
        if (sequence - this.#next <= this.#mask && this.#slots[sequence & this.#mask] !== undefined) byte |= 1 << bit
      bytes[at + index] = byte
    }
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#slots = []
    this.#chunks = []
    this.#chunkBytes = 0
    this.#outOfOrderBytes = 0
    this.#outOfOrderPackets = 0
  }

  /** A FIN is the last packet, and there is one. */
  #contradictsFin(sequence: number, type: number): boolean {
    if (this.#finSequence < 0) return false
    return sequence > this.#finSequence || (type === ST_FIN && sequence !== this.#finSequence)
  }

  #offerOutOfOrder(
    sequence: number,
    type: number,
    payload: Uint8Array,
    roomBytes: number,
  ): typeof OFFER_ACCEPTED | typeof OFFER_DUPLICATE | typeof OFFER_REFUSED {
    const ahead = sequence - this.#next
    if (ahead > this.#mask) this.#grow(ahead + 1)
    const slot = sequence & this.#mask
    if (this.#slots[slot] !== undefined) return OFFER_DUPLICATE
    if (payload.length > roomBytes - this.#outOfOrderBytes) return OFFER_REFUSED
    if (type === ST_FIN) {
      if (this.#hasPacketAfter(sequence)) return OFFER_REFUSED
      this.#finSequence = sequence
    }
    this.#slots[slot] = payload
    this.#outOfOrderBytes += payload.length
    this.#outOfOrderPackets++
    return OFFER_ACCEPTED
  }

  #accept(payload: Uint8Array): void {
    this.#next++
    if (payload.length === 0) return
    this.#chunks.push(payload)
    this.#chunkBytes += payload.length
    this.#totalBytes += payload.length
  }

  /** The gap closed: what waited behind it is in order. */
  #drain(): void {
    for (;;) {
      const slot = this.#next & this.#mask
      const payload = this.#slots[slot]
      if (payload === undefined) break
      this.#slots[slot] = undefined
      this.#outOfOrderBytes -= payload.length
      this.#outOfOrderPackets--
      this.#accept(payload)
    }
    invariant(
      this.#outOfOrderPackets > 0 || this.#outOfOrderBytes === 0,
      'no bytes behind a gap without a packet there',
    )
  }

  /** Happens once in a stream, for a FIN that arrives ahead of a gap. */
  #hasPacketAfter(sequence: number): boolean {
    for (let after = sequence + 1; after - this.#next <= this.#mask; after++)
      if (this.#slots[after & this.#mask] !== undefined) return true
    return false
  }

  #grow(slots: number): void {
    let size = this.#mask + 1
    while (size < slots) size *= 2
    const grown: (Uint8Array | undefined)[] = new Array(size).fill(undefined)
    for (let ahead = 0; ahead <= this.#mask; ahead++) {
      const sequence = this.#next + ahead
      grown[sequence & (size - 1)] = this.#slots[sequence & this.#mask]
    }
    this.#slots = grown
    this.#mask = size - 1
  }
}
