import { FIRST_SLOTS, IN_FLIGHT, type PacketRing, SACKED } from './packet-ring.ts'
import { SequenceQueue } from './sequence-queue.ts'

/** The packets to retransmit, and those that were retransmitted and are in flight again. */
export class RetransmitQueue {
  readonly #ring: PacketRing
  /** Lost and not retransmitted yet, in the order in which they were declared lost. */
  readonly #lost = new SequenceQueue(FIRST_SLOTS)
  /** Retransmissions, in the order in which they left. */
  readonly #resent = new SequenceQueue(FIRST_SLOTS)
  #losses = 0

  constructor(ring: PacketRing) {
    this.#ring = ring
  }

  /** Packets that were declared lost since the start of the stream. */
  get losses(): number {
    return this.#losses
  }

  declareLost(sequence: number): void {
    this.#ring.markLost(sequence)
    this.#losses++
    // A full queue holds packets that arrived after all: it was filled once since the last clean-up.
    if (this.#lost.isFull) this.#lost.retain(entered => entered !== sequence && this.#ring.isLost(entered))
    this.#lost.push(sequence, 0)
  }

  /** After a timeout no packet is believed to be in flight. Costs a whole window, once for each timeout. */
  declareAllLost(): void {
    const ring = this.#ring
    this.#lost.clear()
    this.#resent.clear()
    for (let sequence = ring.base; sequence < ring.next; sequence++) {
      if (ring.stateOf(sequence) === SACKED) continue
      ring.markLost(sequence)
      this.#lost.push(sequence, 0)
    }
  }

  /** The next lost packet, which is in flight from now on; -1 for none. */
  takeLost(now: number): number {
    while (!this.#lost.isEmpty) {
      const sequence = this.#lost.firstSequence()
      this.#lost.shift()
      if (!this.#ring.isLost(sequence)) continue
      this.resend(sequence, now)
      return sequence
    }
    return -1
  }

  resend(sequence: number, now: number): void {
    this.#ring.markResent(sequence, now)
    if (this.#resent.isFull)
      this.#resent.retain((entered, sentAt) => entered !== sequence && this.#isInFlight(entered, sentAt))
    this.#resent.push(sequence, now)
  }

  /** The retransmission in flight that left first; -1 for none. */
  oldestResent(): number {
    for (; !this.#resent.isEmpty; this.#resent.shift()) {
      const sequence = this.#resent.firstSequence()
      if (this.#isInFlight(sequence, this.#resent.firstMoment())) return sequence
    }
    return -1
  }

  grow(): void {
    this.#lost.grow()
    this.#resent.grow()
  }

  clear(): void {
    this.#lost.clear()
    this.#resent.clear()
  }

  /** Whether the packet is in flight, and left last at `sentAt`. */
  #isInFlight(sequence: number, sentAt: number): boolean {
    const ring = this.#ring
    return sequence >= ring.base && ring.stateOf(sequence) === IN_FLIGHT && ring.sentAtOf(sequence) === sentAt
  }
}
