import { ST_FIN } from '../wire/packet.ts'
import { narrow } from '../wire/sequence.ts'

const FIRST_SLOTS = 64
/** Packets ahead of the next expected one that are kept; what is farther ahead is refused, as by every client. */
export const MAX_AHEAD_PACKETS = 1024

export const RECEIVED_NEW = 0
export const RECEIVED_AGAIN = 1
export const RECEIVED_REFUSED = 2

/**
 * What the peer has sent: bytes in order go to `chunks`, what arrived ahead of a gap waits in a ring indexed by sequence number.
 * Wide sequence numbers (sequence.ts).
 */
export class Received {
  /** The next sequence number in order. */
  next = 0
  /** In order and not handed on yet: the owner takes the array and puts an empty one in its place. */
  chunks: Uint8Array[] = []
  chunkBytes = 0
  /** Payload bytes in order since the beginning. */
  totalBytes = 0
  /** Bytes that wait behind a gap. */
  aheadBytes = 0
  /** Packets that wait behind a gap. */
  aheadPackets = 0
  /** The sequence number of the peer's FIN, once any copy of it arrived. */
  finSequence = -1
  #slots: (Uint8Array | undefined)[] = new Array(FIRST_SLOTS).fill(undefined)
  #mask = FIRST_SLOTS - 1

  /** The peer's FIN and everything before it arrived. */
  get finished(): boolean {
    return this.finSequence >= 0 && this.next > this.finSequence
  }

  /**
   * @param roomBytes what the consumer has room for
   * @returns RECEIVED_NEW, RECEIVED_AGAIN (an ack got lost or the network repeats), RECEIVED_REFUSED (no room, or impossible)
   */
  offer(sequence: number, type: number, payload: Uint8Array, roomBytes: number): 0 | 1 | 2 {
    const ahead = sequence - this.next
    if (ahead < 0) return RECEIVED_AGAIN
    if (ahead >= MAX_AHEAD_PACKETS) return RECEIVED_REFUSED
    if (this.finSequence >= 0 && (sequence > this.finSequence || (type === ST_FIN && sequence !== this.finSequence)))
      return RECEIVED_REFUSED
    if (ahead === 0) {
      // What waits behind the gap is not counted here: it could otherwise keep out the packet that frees it.
      if (payload.length > roomBytes) return RECEIVED_REFUSED
      if (type === ST_FIN) this.finSequence = sequence
      this.#accept(payload)
      if (this.aheadPackets > 0) this.#drain()
      return RECEIVED_NEW
    }
    if (ahead > this.#mask) this.#grow(ahead + 1)
    const slot = sequence & this.#mask
    if (this.#slots[slot] !== undefined) return RECEIVED_AGAIN
    if (payload.length > roomBytes - this.aheadBytes) return RECEIVED_REFUSED
    if (type === ST_FIN) {
      if (this.#anyAfter(sequence)) return RECEIVED_REFUSED
      this.finSequence = sequence
    }
    this.#slots[slot] = payload
    this.aheadBytes += payload.length
    this.aheadPackets++
    return RECEIVED_NEW
  }

  /** Writes the bitmask of a selective ack: bit 0 stands for `next + 1`, because `next` itself is what is missing. */
  writeMask(bytes: Uint8Array, at: number, maskBytes: number): void {
    let sequence = this.next + 1
    for (let index = 0; index < maskBytes; index++) {
      let byte = 0
      for (let bit = 0; bit < 8; bit++, sequence++)
        if (sequence - this.next <= this.#mask && this.#slots[sequence & this.#mask] !== undefined) byte |= 1 << bit
      bytes[at + index] = byte
    }
  }

  /** The ack number for the wire. */
  get acknowledged(): number {
    return narrow(this.next - 1)
  }

  clear(): void {
    this.#slots = []
    this.chunks = []
    this.chunkBytes = 0
    this.aheadBytes = 0
    this.aheadPackets = 0
  }

  #accept(payload: Uint8Array): void {
    this.next++
    if (payload.length === 0) return
    this.chunks.push(payload)
    this.chunkBytes += payload.length
    this.totalBytes += payload.length
  }

  #drain(): void {
    for (;;) {
      const slot = this.next & this.#mask
      const payload = this.#slots[slot]
      if (payload === undefined) return
      this.#slots[slot] = undefined
      this.aheadBytes -= payload.length
      this.aheadPackets--
      this.#accept(payload)
    }
  }

  /** A FIN is the last packet: one that claims to stand before others lies. Happens once in a stream. */
  #anyAfter(sequence: number): boolean {
    for (let after = sequence + 1; after - this.next <= this.#mask; after++)
      if (this.#slots[after & this.#mask] !== undefined) return true
    return false
  }

  #grow(slots: number): void {
    let size = this.#mask + 1
    while (size < slots) size *= 2
    const grown: (Uint8Array | undefined)[] = new Array(size).fill(undefined)
    for (let ahead = 0; ahead <= this.#mask; ahead++) {
      const sequence = this.next + ahead
      grown[sequence & (size - 1)] = this.#slots[sequence & this.#mask]
    }
    this.#slots = grown
    this.#mask = size - 1
  }
}
