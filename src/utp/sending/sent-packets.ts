import type { PacketType } from '../wire/packet.ts'
import { LossDetection } from './loss-detection.ts'
import { IN_FLIGHT, LOST, PacketRing, type PacketState, SACKED, UNREPORTED } from './packet-ring.ts'
import { RetransmitQueue } from './retransmit-queue.ts'

/**
 * The packets that the peer has not acknowledged, and what its acks say about them. An operation costs as much as it
 * acknowledges, judges or sends, never as much as was sent before. Sequence numbers are wide (sequence.ts).
 */
export class SentPackets {
  readonly #ring: PacketRing
  readonly #queue: RetransmitQueue
  readonly #detection: LossDetection
  /** What the last ack brought; `beginAck` clears it. */
  #ackedBytes = 0
  #ackedPackets = 0
  #rttSentAt = -1
  #ackedResent = false
  #spuriousLosses = 0
  /** Packets before it are reported as soon as they arrive: those in the last bitmask, or all while there is no gap. */
  #rttEligibleUntil = Number.POSITIVE_INFINITY
  #hasGap = false

  constructor(firstSequence: number) {
    this.#ring = new PacketRing(firstSequence)
    this.#queue = new RetransmitQueue(this.#ring)
    this.#detection = new LossDetection(this.#ring, this.#queue)
  }

  /** The oldest sequence number that is not acknowledged; equal to `next` when all are. */
  get base(): number {
    return this.#ring.base
  }

  /** The next sequence number to send. */
  get next(): number {
    return this.#ring.next
  }

  get packets(): number {
    return this.#ring.packets
  }

  /** Sent, and neither acknowledged nor lost. */
  get inFlightBytes(): number {
    return this.#ring.inFlightBytes
  }

  get inFlightPackets(): number {
    return this.#ring.inFlightPackets
  }

  /** Bytes that the peer's window must hold: in flight, selectively acknowledged or lost. */
  get outstandingBytes(): number {
    return this.#ring.outstandingBytes
  }

  get lostPackets(): number {
    return this.#ring.lostPackets
  }

  /** Newly acknowledged by the last ack. */
  get ackedBytes(): number {
    return this.#ackedBytes
  }

  get ackedPackets(): number {
    return this.#ackedPackets
  }

  /**
   * When the latest packet left that was sent once and is acknowledged by the last ack: a round-trip sample. Negative
   * for none.
   */
  get rttSentAt(): number {
    return this.#rttSentAt
  }

  /** Packets that were declared lost since the start of the stream. */
  get losses(): number {
    return this.#queue.losses
  }

  /** Of those, the ones that had only been late: their ack came too soon for a retransmission. */
  get spuriousLosses(): number {
    return this.#spuriousLosses
  }

  /** When `detectLosses` can find more without another ack; Infinity for never. */
  get detectAt(): number {
    return this.#detection.detectAt
  }

  /**
   * Adds a packet that leaves now; its payload is `length` bytes of `chunk` from `offset`. Returns its sequence number.
   */
  push(type: PacketType, chunk: Uint8Array | undefined, offset: number, length: number, now: number): number {
    if (this.#ring.isFull) {
      this.#ring.grow()
      this.#queue.grow()
    }
    return this.#ring.push(type, chunk, offset, length, now)
  }

  stateOf(sequence: number): PacketState {
    return this.#ring.stateOf(sequence)
  }

  typeOf(sequence: number): PacketType {
    return this.#ring.typeOf(sequence)
  }

  chunkOf(sequence: number): Uint8Array | undefined {
    return this.#ring.chunkOf(sequence)
  }

  offsetOf(sequence: number): number {
    return this.#ring.offsetOf(sequence)
  }

  lengthOf(sequence: number): number {
    return this.#ring.lengthOf(sequence)
  }

  sendsOf(sequence: number): number {
    return this.#ring.sendsOf(sequence)
  }

  /** @param hasMask the ack reports a gap */
  beginAck(hasMask: boolean): void {
    this.#rttEligibleUntil = this.#hasGap ? this.#detection.reportedUntil : Number.POSITIVE_INFINITY
    this.#hasGap = hasMask
    this.#ackedBytes = 0
    this.#ackedPackets = 0
    this.#rttSentAt = -1
    this.#ackedResent = false
  }

  /** Everything up to and including `sequence` arrived; the caller has checked that `base <= sequence < next`. */
  acknowledge(sequence: number, now: number, leastRttMs: number): void {
    const ring = this.#ring
    while (ring.base <= sequence) {
      this.#onArrival(ring.base, now, leastRttMs)
      ring.release()
    }
    ring.checkAccount()
    this.#detection.onCumulativeAck()
    // The repaired gap may have delayed this ack: it does not measure the network.
    if (this.#ackedResent) this.#rttSentAt = -1
  }

  /** The bitmask of a selective ack that acknowledges up to `sequence`: bit 0 stands for `sequence + 2`. */
  acknowledgeSelectively(
    sequence: number,
    bytes: Uint8Array,
    at: number,
    maskBytes: number,
    now: number,
    leastRttMs: number,
    roundTripMs: number,
  ): void {
    const ring = this.#ring
    const ackedBefore = this.#ackedPackets
    let highest = -1
    for (let index = 0; index < maskBytes; index++) {
      const byte = bytes[at + index] as number
      if (byte === 0) continue
      for (let bit = 0; bit < 8; bit++) {
        if ((byte & (1 << bit)) === 0) continue
        const sacked = sequence + 2 + 8 * index + bit
        if (sacked < ring.base) continue
        if (sacked >= ring.next) break
        highest = sacked
        if (ring.stateOf(sacked) === SACKED) continue
        this.#onArrival(sacked, now, leastRttMs)
        ring.markSacked(sacked)
      }
    }
    this.#detection.onSelectiveAck(highest, sequence + 2 + 8 * maskBytes)
    if (this.#ackedPackets === ackedBefore) this.#detection.onUnreportedArrival(now, roundTripMs)
    ring.checkAccount()
  }

  /** Duplicate acks without a bitmask report that `base` is missing. Returns how many packets were declared lost. */
  declareBaseLost(): number {
    const { base, next } = this.#ring
    if (base === next || this.stateOf(base) !== IN_FLIGHT || this.sendsOf(base) !== 1) return 0
    this.#queue.declareLost(base)
    return 1
  }

  /** Declares overtaken packets lost. Returns how many. */
  detectLosses(now: number, roundTripMs: number): number {
    return this.#detection.detect(now, roundTripMs)
  }

  /** The next lost packet to retransmit, which is in flight from now on; -1 for none. */
  takeLost(now: number): number {
    return this.#queue.takeLost(now)
  }

  /** The latest packet that is not known to have arrived, to be sent once more as a probe; -1 for none. */
  takeProbe(now: number): number {
    for (let sequence = this.next - 1; sequence >= this.base; sequence--) {
      const state = this.stateOf(sequence)
      if (state !== IN_FLIGHT && state !== UNREPORTED) continue
      this.#queue.resend(sequence, now)
      return sequence
    }
    return -1
  }

  /** After a timeout no packet is believed to be in flight. */
  declareAllLost(): void {
    this.#queue.declareAllLost()
    this.#detection.onTimeout()
    this.#ring.checkAccount()
  }

  /** A lost packet had only been late. */
  tolerateReordering(): void {
    this.#detection.tolerateReordering()
  }

  /** Drops everything. */
  clear(): void {
    this.#ring.clear()
    this.#queue.clear()
  }

  /** The caller moves the packet to its new state afterwards. */
  #onArrival(sequence: number, now: number, leastRttMs: number): void {
    const ring = this.#ring
    const state = ring.stateOf(sequence)
    if (state === SACKED) return
    const sentAt = ring.sentAtOf(sequence)
    this.#ackedBytes += ring.lengthOf(sequence)
    this.#ackedPackets++
    if (ring.sendsOf(sequence) === 1) {
      // A packet that no earlier bitmask could report may have arrived long ago.
      if (sequence >= this.#rttEligibleUntil) return
      if (sentAt > this.#rttSentAt) this.#rttSentAt = sentAt
      if (state === LOST) this.#spuriousLosses++
    } else {
      this.#ackedResent = true
      if (now - sentAt < 0.9 * leastRttMs) {
        // Too soon for an answer to the retransmission: the first copy arrived, and its moment is unknown now.
        this.#spuriousLosses++
        return
      }
    }
    this.#detection.onDelivered(sentAt, now)
  }
}
