import { invariant } from 'spimpl-runtime/core'
import type { PacketType } from '../wire/packet.ts'

/** Room for a small stream; the ring doubles while the window opens. */
export const FIRST_SLOTS = 64

/** No packet. */
export const FREE = 0
/** Sent, and neither acknowledged nor lost. */
export const IN_FLIGHT = 1
/** Acknowledged selectively, beyond a gap. */
export const SACKED = 2
/** Declared lost; waits to be retransmitted. */
export const LOST = 3
/** Outside the selective-ack bitmask and overdue: fate unknown, no longer counted in flight. */
export const UNREPORTED = 4

export type PacketState = 0 | 1 | 2 | 3 | 4

/**
 * The packets that the peer has not acknowledged, from the oldest one (`base`) to before `next`, with the account of
 * their bytes. A ring indexed by the low bits of the sequence number, with one typed array for each field: an ack
 * touches a few cache lines and allocates nothing. Sequence numbers are wide (sequence.ts).
 *
 *                 base                                next
 *                  v                                   v
 *     slots   [ ][ L ][ F ][ S ][ S ][ F ][ U ][ F ][ F ][ ][ ]      slot = sequence & mask
 *
 *     F in flight    S selectively acknowledged    L lost    U unreported
 *     in flight      F               at most the congestion window
 *     outstanding    F + S + L + U   at most the peer's window
 */
export class PacketRing {
  #base: number
  #next: number
  #mask = FIRST_SLOTS - 1
  #states = new Uint8Array(FIRST_SLOTS)
  /** Transmissions of each packet, at most 255. */
  #sends = new Uint8Array(FIRST_SLOTS)
  #types = new Uint8Array(FIRST_SLOTS)
  /** The moment of the last transmission. */
  #sentAt = new Float64Array(FIRST_SLOTS)
  /** The payload: `lengths` bytes of `chunks` from `offsets`. */
  #lengths = new Int32Array(FIRST_SLOTS)
  #offsets = new Int32Array(FIRST_SLOTS)
  #chunks: (Uint8Array | undefined)[] = new Array(FIRST_SLOTS).fill(undefined)
  #inFlightBytes = 0
  #inFlightPackets = 0
  #outstandingBytes = 0
  #lostPackets = 0

  constructor(firstSequence: number) {
    this.#base = firstSequence
    this.#next = firstSequence
  }

  /** The oldest sequence number that is not acknowledged; equal to `next` when all are. */
  get base(): number {
    return this.#base
  }

  /** The next sequence number to send. */
  get next(): number {
    return this.#next
  }

  get packets(): number {
    return this.#next - this.#base
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  get inFlightPackets(): number {
    return this.#inFlightPackets
  }

  get outstandingBytes(): number {
    return this.#outstandingBytes
  }

  get lostPackets(): number {
    return this.#lostPackets
  }

  get isFull(): boolean {
    return this.#next - this.#base > this.#mask
  }

  /**
   * Adds a packet that leaves now; its payload is `length` bytes of `chunk` from `offset`. Returns its sequence number.
   */
  push(type: PacketType, chunk: Uint8Array | undefined, offset: number, length: number, now: number): number {
    invariant(!this.isFull, 'a ring with a free slot for the next packet')
    const sequence = this.#next++
    const slot = sequence & this.#mask
    this.#states[slot] = IN_FLIGHT
    this.#sends[slot] = 1
    this.#types[slot] = type
    this.#sentAt[slot] = now
    this.#lengths[slot] = length
    this.#offsets[slot] = offset
    this.#chunks[slot] = chunk
    this.#inFlightBytes += length
    this.#inFlightPackets++
    this.#outstandingBytes += length
    return sequence
  }

  stateOf(sequence: number): PacketState {
    return this.#states[sequence & this.#mask] as PacketState
  }

  typeOf(sequence: number): PacketType {
    return this.#types[sequence & this.#mask] as PacketType
  }

  chunkOf(sequence: number): Uint8Array | undefined {
    return this.#chunks[sequence & this.#mask]
  }

  offsetOf(sequence: number): number {
    return this.#offsets[sequence & this.#mask] as number
  }

  lengthOf(sequence: number): number {
    return this.#lengths[sequence & this.#mask] as number
  }

  sendsOf(sequence: number): number {
    return this.#sends[sequence & this.#mask] as number
  }

  sentAtOf(sequence: number): number {
    return this.#sentAt[sequence & this.#mask] as number
  }

  isLost(sequence: number): boolean {
    return sequence >= this.#base && this.stateOf(sequence) === LOST
  }

  markSacked(sequence: number): void {
    this.#move(sequence & this.#mask, SACKED)
  }

  markLost(sequence: number): void {
    this.#move(sequence & this.#mask, LOST)
  }

  markUnreported(sequence: number): void {
    this.#move(sequence & this.#mask, UNREPORTED)
  }

  /** The packet is sent once more. */
  markResent(sequence: number, now: number): void {
    const slot = sequence & this.#mask
    this.#move(slot, IN_FLIGHT)
    this.#sentAt[slot] = now
    const sends = this.#sends[slot] as number
    if (sends < 255) this.#sends[slot] = sends + 1
  }

  /** The packet at `base` is acknowledged: its slot is free, its payload goes back to the writer. */
  release(): void {
    const slot = this.#base & this.#mask
    this.#move(slot, FREE)
    this.#outstandingBytes -= this.#lengths[slot] as number
    this.#chunks[slot] = undefined
    this.#base++
  }

  /** Checks in constant time that the account can be true. The tests sum up the ring itself. */
  checkAccount(): void {
    invariant(
      this.#inFlightBytes >= 0 && this.#inFlightBytes <= this.#outstandingBytes,
      'bytes in flight to be a part of the outstanding bytes',
    )
    invariant(
      this.#inFlightPackets >= 0 && this.#inFlightPackets + this.#lostPackets <= this.packets,
      'packets in flight and lost ones to be a part of the ring',
    )
    invariant(this.packets > 0 || this.#outstandingBytes === 0, 'no outstanding bytes in an empty ring')
  }

  /** Doubles the ring. */
  grow(): void {
    const old = this.#mask
    const slots = 2 * (old + 1)
    const mask = slots - 1
    const [states, sends, types, sentAt] = [this.#states, this.#sends, this.#types, this.#sentAt]
    const [lengths, offsets, chunks] = [this.#lengths, this.#offsets, this.#chunks]
    this.#mask = mask
    this.#states = new Uint8Array(slots)
    this.#sends = new Uint8Array(slots)
    this.#types = new Uint8Array(slots)
    this.#sentAt = new Float64Array(slots)
    this.#lengths = new Int32Array(slots)
    this.#offsets = new Int32Array(slots)
    this.#chunks = new Array(slots).fill(undefined)
    for (let sequence = this.#base; sequence < this.#next; sequence++) {
      const from = sequence & old
      const to = sequence & mask
      this.#states[to] = states[from] as number
      this.#sends[to] = sends[from] as number
      this.#types[to] = types[from] as number
      this.#sentAt[to] = sentAt[from] as number
      this.#lengths[to] = lengths[from] as number
      this.#offsets[to] = offsets[from] as number
      this.#chunks[to] = chunks[from]
    }
  }

  /** Drops everything. The ring is not used afterwards. */
  clear(): void {
    this.#base = this.#next
    this.#chunks = []
    this.#inFlightBytes = 0
    this.#inFlightPackets = 0
    this.#outstandingBytes = 0
    this.#lostPackets = 0
  }

  /** The only place where a state changes: what is in flight and what is lost is counted here. */
  #move(slot: number, to: PacketState): void {
    const from = this.#states[slot]
    if (from === IN_FLIGHT) {
      this.#inFlightBytes -= this.#lengths[slot] as number
      this.#inFlightPackets--
    } else if (from === LOST) this.#lostPackets--
    this.#states[slot] = to
    if (to === IN_FLIGHT) {
      this.#inFlightBytes += this.#lengths[slot] as number
      this.#inFlightPackets++
    } else if (to === LOST) this.#lostPackets++
  }
}
