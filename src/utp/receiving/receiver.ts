import type { PacketBatch } from '../connection/batch.ts'
import type { StreamLimits } from '../limits.ts'
import { type PacketView, ST_FIN, sequenceOf, timestampIn, timestampOf } from '../wire/packet.ts'
import { widen } from '../wire/sequence.ts'
import { RECEIVED_AGAIN, RECEIVED_NEW, Received } from './received.ts'

/** Data that overtook the answer to our SYN waits for it: it cannot be placed before that. */
const MAX_EARLY_PACKETS = 64

/** Their half of a stream: what arrived, what of it the consumer has taken, and what our acks say of both. */
export class Receiver {
  readonly received = new Received()
  readonly #limits: StreamLimits
  #early: Uint8Array[] = []
  /** Handed to the consumer and not taken by it. */
  unreadBytes = 0
  /** The window in the packets that left last. */
  #advertisedBytes: number
  /** Our measure of the peer's last packet: its timestamp subtracted from our clock; 32 bits. */
  #difference = 0
  lastHeardAt = 0
  ackWanted = false
  packets = 0
  duplicates = 0
  refused = 0

  constructor(limits: StreamLimits) {
    this.#limits = limits
    this.#advertisedBytes = limits.receiveBufferBytes
  }

  get windowBytes(): number {
    return Math.max(0, this.#limits.receiveBufferBytes - this.unreadBytes)
  }

  get hasEarly(): boolean {
    return this.#early.length > 0
  }

  /** The peer has sent more than it may. */
  get tooLarge(): boolean {
    return this.received.totalBytes + this.received.aheadBytes > this.#limits.maxReceiveBytes
  }

  get peerWrote(): boolean {
    return this.received.totalBytes > 0 || this.received.aheadPackets > 0
  }

  /** The peer's first data has the number after its SYN. */
  beginAfterSyn(sequence: number): void {
    this.received.next = sequence + 1
  }

  /**
   * Data before the answer to our SYN. Returns whether it is the peer's first: it was sent anew, and nothing that stands before it was
   * seen; what is repeated first is the oldest that is not acknowledged, and nothing is. A copy that the network made has the same
   * timestamp.
   *
   * @param believed whether no better answer is to be expected
   */
  holdEarly(view: PacketView, bytes: Uint8Array, believed: boolean): boolean {
    let isOldest = true
    let isRepeated = false
    for (const packet of this.#early) {
      const after = widen(sequenceOf(packet), view.sequence + 0x10000) - (view.sequence + 0x10000)
      if (after < 0) isOldest = false
      else if (after === 0) {
        if (timestampIn(packet) === view.timestamp) return false
        isRepeated = true
      }
    }
    if (!isRepeated && this.#early.length < MAX_EARLY_PACKETS) this.#early.push(bytes)
    return believed && isRepeated && isOldest
  }

  /**
   * The answer to our SYN names the number of the peer's first data (`ack_nr = seq_nr - 1`). Returns what had to wait for it. An ack
   * that is not that answer, which got lost, names the number after data that was sent before: then that data knows better.
   */
  beginWithAnswer(sequence: number): readonly Uint8Array[] {
    const early = this.#early
    this.#early = []
    // One round of 16 bits up, so that numbers before it stay positive.
    const answered = sequence + 0x10000
    let first = answered
    for (const packet of early) first = Math.min(first, widen(sequenceOf(packet), answered))
    this.received.next = first
    return early
  }

  /** A packet of this stream: the peer lives, and its clock is compared with ours. Returns the difference, 32 bits, not 0. */
  heard(view: PacketView, now: number): number {
    this.lastHeardAt = now
    // 0 stands for "not measured" (nim-eth's window does not grow on it), so a way that takes no time takes a microsecond.
    this.#difference = (timestampOf(now) - view.timestamp) >>> 0 || 1
    return this.#difference
  }

  /** DATA or FIN. Whatever becomes of it, the peer is to hear what we have. */
  onPayload(view: PacketView, bytes: Uint8Array): void {
    const { received } = this
    this.ackWanted = true
    const sequence = widen(view.sequence, received.next)
    const payload = bytes.subarray(view.type === ST_FIN ? bytes.length : view.payloadAt)
    const outcome = received.offer(sequence, view.type, payload, this.windowBytes - received.chunkBytes)
    if (outcome === RECEIVED_AGAIN) this.duplicates++
    else if (outcome !== RECEIVED_NEW) this.refused++
  }

  /** What is in order and new, for the consumer: its bytes count as unread from now on. */
  take(): readonly Uint8Array[] {
    const { received } = this
    const { chunks } = received
    this.unreadBytes += received.chunkBytes
    received.chunks = []
    received.chunkBytes = 0
    return chunks
  }

  /** The consumer took bytes. The peer hears of it with the next ack, or with one of its own where it may be waiting for that. */
  read(bytes: number): void {
    this.unreadBytes = Math.max(0, this.unreadBytes - bytes)
    const twoPackets = 2 * this.#limits.maxPacketBytes
    const openedBytes = this.windowBytes - this.#advertisedBytes
    const wasClosed = this.#advertisedBytes < twoPackets && openedBytes > twoPackets
    if (wasClosed || 2 * openedBytes >= this.#limits.receiveBufferBytes) this.ackWanted = true
  }

  /** Begins a batch whose packets say what we have and have room for. */
  begin(batch: PacketBatch, now: number): void {
    this.#advertisedBytes = this.windowBytes
    batch.begin(now, this.#difference, this.#advertisedBytes, this.received.acknowledged)
  }

  clear(): void {
    this.received.clear()
    this.#early = []
  }
}
