import { IN_FLIGHT, type PacketRing, UNREPORTED } from './packet-ring.ts'
import type { RetransmitQueue } from './retransmit-queue.ts'

/**
 * Later packets that must arrive before one is declared lost, on a network that keeps order (BEP 29: three duplicate
 * acks).
 */
const REORDERING_PACKETS = 3
/** In quarters of the round trip (RFC 8985, 6.2). */
const MAX_REORDERING_QUARTERS = 8

/**
 * Declares packets lost that later ones overtook. Each packet is judged once for each transmission, and its pointers
 * only move forward: the cost does not depend on how much was sent before.
 */
export class LossDetection {
  readonly #ring: PacketRing
  readonly #queue: RetransmitQueue
  /** The highest sequence number that the peer has acknowledged selectively. */
  #highestSacked = -1
  /** Every packet before it that was sent once has been judged. */
  #judged: number
  /** The end of the peer's last bitmask. */
  #reportedUntil = 0
  /** Beyond the bitmask: up to where `#discountUnreported` has looked. */
  #unreportedFrom = 0
  /** When the latest packet that arrived had left. */
  #deliveredSentAt = Number.NEGATIVE_INFINITY
  /** The round trip of that packet. */
  #latestRttMs = 0
  /** 1 until the network was seen to reorder; above 1 only time decides that a packet is lost. */
  #reorderingQuarters = 1
  #detectAt = Number.POSITIVE_INFINITY

  constructor(ring: PacketRing, queue: RetransmitQueue) {
    this.#ring = ring
    this.#queue = queue
    this.#judged = ring.base
  }

  /** When `detect` can find more without another ack; Infinity for never. */
  get detectAt(): number {
    return this.#detectAt
  }

  get reportedUntil(): number {
    return this.#reportedUntil
  }

  /** A packet arrived whose last transmission left at `sentAt`. */
  onDelivered(sentAt: number, now: number): void {
    if (sentAt < this.#deliveredSentAt) return
    this.#deliveredSentAt = sentAt
    this.#latestRttMs = now - sentAt
  }

  onCumulativeAck(): void {
    if (this.#judged < this.#ring.base) this.#judged = this.#ring.base
  }

  /**
   * @param highest the highest sequence number of the bitmask, -1 for none; `reportedUntil` is where the bitmask ends
   */
  onSelectiveAck(highest: number, reportedUntil: number): void {
    this.#reportedUntil = reportedUntil
    // A peer sends a bitmask because something arrived. If no bit is set, that is beyond the mask.
    const sacked = highest < 0 && reportedUntil < this.#ring.next ? reportedUntil : highest
    if (sacked > this.#highestSacked) this.#highestSacked = sacked
  }

  /** A packet beyond the bitmask arrived, most likely one that left a round trip ago. */
  onUnreportedArrival(now: number, roundTripMs: number): void {
    if (now - roundTripMs <= this.#deliveredSentAt) return
    this.#deliveredSentAt = now - roundTripMs
    this.#latestRttMs = roundTripMs
  }

  /** All packets were declared lost. */
  onTimeout(): void {
    this.#judged = this.#ring.next
  }

  /** A lost packet had only been late: the network reorders more than was assumed. */
  tolerateReordering(): void {
    this.#reorderingQuarters = Math.min(MAX_REORDERING_QUARTERS, this.#reorderingQuarters + 1)
  }

  /**
   * Declares a packet lost if three later ones arrived, as long as the network was not seen to reorder, or if one that
   * left later arrived and the packet had a round trip and a quarter (RFC 8985, 6.2). Returns how many were lost.
   */
  detect(now: number, roundTripMs: number): number {
    const lostBefore = this.#ring.lostPackets
    const toleranceMs = this.#latestRttMs + Math.max(1, (roundTripMs * this.#reorderingQuarters) / 4)
    this.#detectAt = Number.POSITIVE_INFINITY
    this.#detectOvertaken(now, toleranceMs)
    this.#detectLostAgain(now, toleranceMs)
    if (this.#highestSacked > this.#ring.base) this.#discountUnreported(now, toleranceMs)
    return this.#ring.lostPackets - lostBefore
  }

  #detectOvertaken(now: number, toleranceMs: number): void {
    const ring = this.#ring
    const certainUntil = this.#reorderingQuarters === 1 ? this.#highestSacked - REORDERING_PACKETS : -1
    for (; this.#judged < this.#highestSacked; this.#judged++) {
      const sequence = this.#judged
      const state = ring.stateOf(sequence)
      if ((state !== IN_FLIGHT && state !== UNREPORTED) || ring.sendsOf(sequence) !== 1) continue
      const dueAt = ring.sentAtOf(sequence) + toleranceMs
      if (sequence > certainUntil && dueAt > now) {
        this.#detectAt = dueAt
        return
      }
      this.#queue.declareLost(sequence)
    }
  }

  #detectLostAgain(now: number, toleranceMs: number): void {
    for (let sequence = this.#queue.oldestResent(); sequence >= 0; sequence = this.#queue.oldestResent()) {
      const sentAt = this.#ring.sentAtOf(sequence)
      if (sentAt >= this.#deliveredSentAt) return
      if (sentAt + toleranceMs > now) {
        this.#detectAt = Math.min(this.#detectAt, sentAt + toleranceMs)
        return
      }
      this.#queue.declareLost(sequence)
    }
  }

  /**
   * A bitmask of 4 bytes reports 32 packets. Without this, packets beyond it would count as in flight until the gap is
   * repaired, and would block the repair.
   */
  #discountUnreported(now: number, toleranceMs: number): void {
    const ring = this.#ring
    this.#unreportedFrom = Math.max(this.#unreportedFrom, this.#reportedUntil)
    for (; this.#unreportedFrom < ring.next; this.#unreportedFrom++) {
      const sequence = this.#unreportedFrom
      if (ring.stateOf(sequence) !== IN_FLIGHT || ring.sendsOf(sequence) !== 1) continue
      const dueAt = ring.sentAtOf(sequence) + toleranceMs
      if (dueAt > now) {
        this.#detectAt = Math.min(this.#detectAt, dueAt)
        return
      }
      ring.markUnreported(sequence)
    }
  }
}
