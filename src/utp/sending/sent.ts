import { SequenceQueue } from '../receiving/sequence-queue.ts'
import type { PacketType } from '../wire/packet.ts'
import { FIRST_SLOTS, PacketRing } from './packet-ring.ts'

const EMPTY = 0
const IN_FLIGHT = 1
/** Acknowledged selectively, ahead of a gap. */
const SACKED = 2
/** Taken for lost, waits to be sent again. */
const LOST = 3
/** Beyond what the peer's bitmask can tell, and too old to be on its way: arrived or lost, but no load on the network. */
const UNTOLD = 4

/** Later packets that must have arrived before one is taken for lost, on a network that keeps order (BEP 29: three duplicate acks). */
const REORDERING_PACKETS = 3
/** In quarters of the round trip (RFC 8985, 6.2). */
const MAX_REORDERING_QUARTERS = 8

/**
 * The packets that the peer has not acknowledged: a ring indexed by sequence number (packet-ring.ts). Every operation costs what it acknowledges, judges or sends, never what was sent before it: pointers only move forward, and each packet is judged
 * once for each time that it was sent. Wide sequence numbers (sequence.ts).
 */
export class Sent {
  /** The oldest that is not acknowledged; equal to `next` when all are. */
  base: number
  /** The next sequence number to send. */
  next: number
  /** Sent and neither acknowledged nor taken for lost. */
  inFlightBytes = 0
  inFlightPackets = 0
  /** Everything that the peer's window must hold: in flight, selectively acknowledged or lost. */
  outstandingBytes = 0
  lostPackets = 0

  /** What the last call of `acknowledge` and `acknowledgeSelectively` found; `beginAcks` clears it. */
  ackedBytes = 0
  ackedPackets = 0
  /** When the youngest packet was sent that went out once and is acknowledged now; negative for none. */
  rttSentAt = -1
  /** Packets that were taken for lost since the beginning. */
  losses = 0
  /** Of those, the ones that had only been late: their ack came too soon for a second copy. */
  mistakes = 0
  /** When `judge` can say more without another ack. */
  judgeAt = Number.POSITIVE_INFINITY

  readonly #ring = new PacketRing()

  /** Taken for lost and not sent again yet, in that order. */
  readonly #lost = new SequenceQueue(FIRST_SLOTS)
  /** Retransmissions in the order of their sending. */
  readonly #again = new SequenceQueue(FIRST_SLOTS)

  /** The farthest packet of which the peer has said that it arrived. */
  #highestSacked = -1
  /** Everything before it that was sent once has been judged. */
  #judged: number
  /** Where the peer's last bitmask ends, and up to where what is farther was looked at. */
  #told = 0
  /** Packets before it are told of as soon as they arrive: what the last ack could tell, or all while there is no gap. */
  #measurable = Number.POSITIVE_INFINITY
  #untold = 0
  #gap = false
  /** When the youngest packet was sent of which we know that it arrived. */
  #deliveredSentAt = Number.NEGATIVE_INFINITY
  /** The round trip of that packet. */
  #latestRttMs = 0
  /** 1 until the network was seen to reorder; then only time says that a packet is lost. */
  #reorderingQuarters = 1
  #resentAcked = false

  constructor(firstSequence: number) {
    this.base = firstSequence
    this.next = firstSequence
    this.#judged = firstSequence
  }

  get packets(): number {
    return this.next - this.base
  }

  /** Enters a packet that leaves now; its payload is `length` bytes of `chunk` from `at`. Returns its sequence number. */
  push(type: PacketType, chunk: Uint8Array | undefined, at: number, length: number, now: number): number {
    const sequence = this.next
    if (sequence - this.base >= this.#ring.slots) this.#grow()
    const ring = this.#ring
    const slot = sequence & ring.mask
    this.next++
    ring.state[slot] = IN_FLIGHT
    ring.sends[slot] = 1
    ring.types[slot] = type
    ring.sentAt[slot] = now
    ring.lengths[slot] = length
    ring.offsets[slot] = at
    ring.chunks[slot] = chunk
    this.inFlightBytes += length
    this.inFlightPackets++
    this.outstandingBytes += length
    return sequence
  }

  typeOf(sequence: number): PacketType {
    return this.#ring.types[sequence & this.#ring.mask] as PacketType
  }
  chunkOf(sequence: number): Uint8Array | undefined {
    return this.#ring.chunks[sequence & this.#ring.mask]
  }
  offsetOf(sequence: number): number {
    return this.#ring.offsets[sequence & this.#ring.mask] as number
  }
  lengthOf(sequence: number): number {
    return this.#ring.lengths[sequence & this.#ring.mask] as number
  }
  sendsOf(sequence: number): number {
    return this.#ring.sends[sequence & this.#ring.mask] as number
  }

  /** @param hasMask the ack tells of a gap */
  beginAcks(hasMask: boolean): void {
    this.#measurable = this.#gap ? this.#told : Number.POSITIVE_INFINITY
    this.#gap = hasMask
    this.ackedBytes = 0
    this.ackedPackets = 0
    this.rttSentAt = -1
    this.#resentAcked = false
  }

  /** Everything up to and including `sequence` arrived; the caller has checked that `base <= sequence < next`. */
  acknowledge(sequence: number, now: number, leastRttMs: number): void {
    for (; this.base <= sequence; this.base++) {
      const slot = this.base & this.#ring.mask
      this.#arrived(this.base, slot, now, leastRttMs)
      this.outstandingBytes -= this.#ring.lengths[slot] as number
      this.#ring.state[slot] = EMPTY
      this.#ring.chunks[slot] = undefined
    }
    if (this.#judged < this.base) this.#judged = this.base
    // The repaired gap may have held this ack back since long before: no measure of the network.
    if (this.#resentAcked) this.rttSentAt = -1
  }

  /**
   * The bitmask of a selective ack that acknowledges up to `sequence`: bit 0 stands for `sequence + 2`. A mask without any bit says
   * that something farther ahead arrived, or the peer would have sent none.
   */
  acknowledgeSelectively(
    sequence: number,
    bytes: Uint8Array,
    at: number,
    maskBytes: number,
    now: number,
    leastRttMs: number,
    roundTripMs: number,
  ): void {
    const ackedBefore = this.ackedPackets
    this.#told = sequence + 2 + 8 * maskBytes
    let highest = -1
    for (let index = 0; index < maskBytes; index++) {
      const byte = bytes[at + index] as number
      if (byte === 0) continue
      for (let bit = 0; bit < 8; bit++) {
        if ((byte & (1 << bit)) === 0) continue
        const sacked = sequence + 2 + 8 * index + bit
        if (sacked < this.base) continue
        if (sacked >= this.next) break
        highest = sacked
        const slot = sacked & this.#ring.mask
        if (this.#ring.state[slot] === SACKED) continue
        this.#arrived(sacked, slot, now, leastRttMs)
        this.#ring.state[slot] = SACKED
      }
    }
    const beyond = sequence + 2 + 8 * maskBytes
    if (highest < 0 && beyond < this.next) highest = beyond
    if (highest > this.#highestSacked) this.#highestSacked = highest
    // Something arrived that the mask cannot tell: most likely what left a round trip ago.
    if (this.ackedPackets > ackedBefore || now - roundTripMs <= this.#deliveredSentAt) return
    this.#deliveredSentAt = now - roundTripMs
    this.#latestRttMs = roundTripMs
  }

  /** The peer says by repetition that it misses `base`, and sends no bitmask. Returns how many were taken for lost. */
  missing(): number {
    const slot = this.base & this.#ring.mask
    if (this.base === this.next || this.#ring.state[slot] !== IN_FLIGHT || this.#ring.sends[slot] !== 1) return 0
    this.#lose(this.base)
    return 1
  }

  /**
   * Takes for lost what was overtaken: three packets later than it arrived, as long as the network was not seen to reorder, or one that
   * left later did, and it had a round trip and a quarter (RFC 8985, 6.2). Returns how many; `judgeAt` says when to ask again.
   */
  judge(now: number, roundTripMs: number): number {
    const before = this.lostPackets
    const quarters = this.#reorderingQuarters
    const certain = quarters === 1 ? this.#highestSacked - REORDERING_PACKETS : -1
    const patienceMs = this.#latestRttMs + Math.max(1, (roundTripMs * quarters) / 4)
    this.judgeAt = Number.POSITIVE_INFINITY
    while (this.#judged < this.#highestSacked) {
      const slot = this.#judged & this.#ring.mask
      if ((this.#ring.state[slot] === IN_FLIGHT || this.#ring.state[slot] === UNTOLD) && this.#ring.sends[slot] === 1) {
        const due = (this.#ring.sentAt[slot] as number) + patienceMs
        if (this.#judged > certain && due > now) {
          this.judgeAt = due
          break
        }
        this.#lose(this.#judged)
      }
      this.#judged++
    }
    for (; !this.#again.empty; this.#again.shift()) {
      const sequence = this.#again.firstSequence()
      const sentAt = this.#again.firstMoment()
      if (!this.#isRetransmission(sequence, sentAt)) continue
      if (sentAt >= this.#deliveredSentAt) break
      if (sentAt + patienceMs > now) {
        this.judgeAt = Math.min(this.judgeAt, sentAt + patienceMs)
        break
      }
      this.#lose(sequence)
    }
    if (this.#highestSacked > this.base) this.#leaveUntold(now, patienceMs)
    return this.lostPackets - before
  }

  /**
   * A bitmask of 4 bytes tells of 32 packets. While a gap is repaired, what is farther ahead would otherwise count as in flight until the
   * gap is closed, and stop the repair.
   */
  #leaveUntold(now: number, patienceMs: number): void {
    for (this.#untold = Math.max(this.#untold, this.#told); this.#untold < this.next; this.#untold++) {
      const slot = this.#untold & this.#ring.mask
      if (this.#ring.state[slot] !== IN_FLIGHT || this.#ring.sends[slot] !== 1) continue
      const due = (this.#ring.sentAt[slot] as number) + patienceMs
      if (due > now) {
        this.judgeAt = Math.min(this.judgeAt, due)
        return
      }
      this.#ring.state[slot] = UNTOLD
      this.inFlightBytes -= this.#ring.lengths[slot] as number
      this.inFlightPackets--
    }
  }

  /** The next packet to send again, which is in flight from now on; -1 for none. */
  takeLost(now: number): number {
    for (; !this.#lost.empty; ) {
      const sequence = this.#lost.firstSequence()
      this.#lost.shift()
      if (!this.#isLost(sequence)) continue
      this.lostPackets--
      this.#sendAgain(sequence, now)
      return sequence
    }
    return -1
  }

  /** The youngest packet that did not arrive for all we know, sent once more to learn what became of the others; -1 for none. */
  takeProbe(now: number): number {
    for (let sequence = this.next - 1; sequence >= this.base; sequence--) {
      const slot = sequence & this.#ring.mask
      if (this.#ring.state[slot] !== IN_FLIGHT && this.#ring.state[slot] !== UNTOLD) continue
      this.#leaveFlight(slot)
      this.#sendAgain(sequence, now)
      return sequence
    }
    return -1
  }

  /** After a timeout: nothing that is in flight is believed to be. Happens once in a timeout, so it may cost a window. */
  loseAll(): void {
    this.#lost.clear()
    this.#again.clear()
    this.lostPackets = 0
    this.inFlightBytes = 0
    this.inFlightPackets = 0
    for (let sequence = this.base; sequence < this.next; sequence++) {
      const slot = sequence & this.#ring.mask
      if (this.#ring.state[slot] === SACKED) continue
      this.#ring.state[slot] = LOST
      this.#lost.push(sequence, 0)
      this.lostPackets++
    }
    this.#judged = this.next
  }

  /** The network reorders more than we thought. */
  tolerate(): void {
    this.#reorderingQuarters = Math.min(MAX_REORDERING_QUARTERS, this.#reorderingQuarters + 1)
  }

  clear(): void {
    this.base = this.next
    this.#ring.clear()
    this.inFlightBytes = 0
    this.inFlightPackets = 0
    this.outstandingBytes = 0
    this.lostPackets = 0
    this.#lost.clear()
    this.#again.clear()
  }

  #arrived(sequence: number, slot: number, now: number, leastRttMs: number): void {
    const state = this.#ring.state[slot]
    if (state === SACKED) return
    const length = this.#ring.lengths[slot] as number
    const sentAt = this.#ring.sentAt[slot] as number
    if (state === LOST) this.lostPackets--
    else this.#leaveFlight(slot)
    this.ackedBytes += length
    this.ackedPackets++
    const sends = this.#ring.sends[slot] as number
    if (sends === 1) {
      // What an earlier mask could not tell may have arrived long ago.
      if (sequence >= this.#measurable) return
      if (sentAt > this.rttSentAt) this.rttSentAt = sentAt
      if (state === LOST) this.mistakes++
    } else if (now - sentAt < 0.9 * leastRttMs) {
      this.#resentAcked = true
      // No answer to the second copy can be here yet: it was the first one that arrived. Its moment is not known any more.
      this.mistakes++
      return
    } else this.#resentAcked = true
    if (sentAt < this.#deliveredSentAt) return
    this.#deliveredSentAt = sentAt
    this.#latestRttMs = now - sentAt
  }

  #leaveFlight(slot: number): void {
    if (this.#ring.state[slot] !== IN_FLIGHT) return
    this.inFlightBytes -= this.#ring.lengths[slot] as number
    this.inFlightPackets--
  }

  #lose(sequence: number): void {
    const slot = sequence & this.#ring.mask
    this.#leaveFlight(slot)
    this.#ring.state[slot] = LOST
    this.lostPackets++
    this.losses++
    // Full of packets that arrived after all: as many as it holds were entered since the last time.
    if (this.#lost.full) this.#lost.tidy(entered => entered !== sequence && this.#isLost(entered))
    this.#lost.push(sequence, 0)
  }

  #isLost(sequence: number): boolean {
    return sequence >= this.base && this.#ring.state[sequence & this.#ring.mask] === LOST
  }

  /** In flight, and this was its latest sending. */
  #isRetransmission(sequence: number, sentAt: number): boolean {
    const slot = sequence & this.#ring.mask
    return sequence >= this.base && this.#ring.state[slot] === IN_FLIGHT && this.#ring.sentAt[slot] === sentAt
  }

  #sendAgain(sequence: number, now: number): void {
    const slot = sequence & this.#ring.mask
    this.#ring.state[slot] = IN_FLIGHT
    if ((this.#ring.sends[slot] as number) < 255) this.#ring.sends[slot] = (this.#ring.sends[slot] as number) + 1
    this.#ring.sentAt[slot] = now
    this.inFlightBytes += this.#ring.lengths[slot] as number
    this.inFlightPackets++
    if (this.#again.full)
      this.#again.tidy((entered, sentAt) => entered !== sequence && this.#isRetransmission(entered, sentAt))
    this.#again.push(sequence, now)
  }

  /** Happens a few times in a stream, while its window opens. */
  #grow(): void {
    this.#ring.grow(this.base, this.next)
    this.#lost.grow()
    this.#again.grow()
  }
}
