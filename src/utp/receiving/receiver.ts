import { invariant } from 'spimpl-runtime/core'
import type { StreamCounters } from '../counters.ts'
import type { StreamLimits } from '../limits.ts'
import { type PacketView, ST_FIN, timestampOf } from '../wire/packet.ts'
import type { PacketBatch } from '../wire/packet-batch.ts'
import { widen } from '../wire/sequence.ts'
import { EarlyPackets } from './early-packets.ts'
import { OFFER_DUPLICATE, OFFER_REFUSED, ReceiveBuffer } from './receive-buffer.ts'

/**
 * The receiving half of a stream: what arrived, what the consumer has read of it, and what our acks say about both.
 *
 *     receiveBufferBytes
 *     |- unread: given to the consumer -|- in order: leaves with this input -|--------- window ---------|
 */
export class Receiver {
  readonly #limits: StreamLimits
  readonly #counters: StreamCounters
  readonly #buffer = new ReceiveBuffer()
  readonly #early = new EarlyPackets()
  #unreadBytes = 0
  /** The window in the packets that left last. */
  #advertisedBytes: number
  /** Our clock minus the timestamp of the peer's last packet; 32 bits. */
  #difference = 0
  #lastHeardAt = 0
  #ackWanted = false

  constructor(limits: StreamLimits, counters: StreamCounters) {
    this.#limits = limits
    this.#counters = counters
    this.#advertisedBytes = limits.receiveBufferBytes
  }

  /** The state that an ack reports. */
  get buffer(): Pick<ReceiveBuffer, 'acknowledged' | 'outOfOrderPackets' | 'writeMask'> {
    return this.#buffer
  }

  get totalBytes(): number {
    return this.#buffer.totalBytes
  }

  /** Bytes given to the consumer that it has not read. */
  get unreadBytes(): number {
    return this.#unreadBytes
  }

  get windowBytes(): number {
    return Math.max(0, this.#limits.receiveBufferBytes - this.#unreadBytes)
  }

  /** When the peer's last packet arrived; before that, when the stream was opened. */
  get lastHeardAt(): number {
    return this.#lastHeardAt
  }

  get hasEarlyPackets(): boolean {
    return !this.#early.isEmpty
  }

  /** The peer has sent more than `maxReceiveBytes`. */
  get isTooLarge(): boolean {
    return this.#buffer.totalBytes + this.#buffer.outOfOrderBytes > this.#limits.maxReceiveBytes
  }

  /** Data of the peer has arrived, in order or not. */
  get hasPeerWritten(): boolean {
    return this.#buffer.totalBytes > 0 || this.#buffer.outOfOrderPackets > 0
  }

  /** The peer's FIN and everything before it arrived. */
  get isPeerFinished(): boolean {
    return this.#buffer.isFinished
  }

  open(now: number): void {
    this.#lastHeardAt = now
  }

  /** The peer's first data follows its SYN. */
  beginAfterSyn(sequence: number): void {
    this.#buffer.begin(sequence + 1)
  }

  /** Data arrived before the answer to our SYN. Returns whether the stream must start with it. */
  holdEarly(view: PacketView, bytes: Uint8Array): boolean {
    return this.#early.hold(view, bytes)
  }

  /**
   * The answer to our SYN says the number of the peer's first data (`ack_nr = seq_nr - 1`). If that answer was lost,
   * this may be a later ack, whose number comes after data that was already sent. Returns the data that waited for the
   * answer.
   */
  beginWithAnswer(sequence: number): readonly Uint8Array[] {
    this.#buffer.begin(this.#early.firstSequence(sequence))
    return this.#early.take()
  }

  /** A packet of this stream arrived. Returns our measure of its delay: microseconds, 32 bits, not 0. */
  heard(view: PacketView, now: number): number {
    this.#lastHeardAt = now
    // 0 means "not measured", and nim-eth's window does not grow on it: a delay of 0 becomes 1.
    this.#difference = (timestampOf(now) - view.timestamp) >>> 0 || 1
    return this.#difference
  }

  /** A DATA or FIN arrived. It is acknowledged even if it is a duplicate or refused. */
  onPayload(view: PacketView, bytes: Uint8Array): void {
    const buffer = this.#buffer
    this.#ackWanted = true
    const sequence = widen(view.sequence, buffer.next)
    const payload = bytes.subarray(view.type === ST_FIN ? bytes.length : view.payloadAt)
    const outcome = buffer.offer(sequence, view.type, payload, this.windowBytes - buffer.chunkBytes)
    if (outcome === OFFER_DUPLICATE) this.#counters.add('duplicates')
    else if (outcome === OFFER_REFUSED) this.#counters.add('refused')
  }

  /** New bytes in order, for the consumer. */
  get readyBytes(): number {
    return this.#buffer.chunkBytes
  }

  /** Takes those bytes out. They count as unread from now on. */
  take(): readonly Uint8Array[] {
    const buffer = this.#buffer
    this.#unreadBytes += buffer.chunkBytes
    // Bytes beyond a gap are counted apart, or they could keep out the packet that closes the gap.
    invariant(
      this.#unreadBytes + buffer.outOfOrderBytes <= 2 * this.#limits.receiveBufferBytes,
      'at most twice the receive buffer of unread bytes',
    )
    return buffer.take()
  }

  /** The consumer read bytes. The next ack tells the peer; if the peer may be waiting for it, an ack leaves now. */
  read(bytes: number): void {
    this.#unreadBytes = Math.max(0, this.#unreadBytes - bytes)
    const twoPackets = 2 * this.#limits.maxPacketBytes
    const openedBytes = this.windowBytes - this.#advertisedBytes
    const hasReopened = this.#advertisedBytes < twoPackets && openedBytes > twoPackets
    if (hasReopened || 2 * openedBytes >= this.#limits.receiveBufferBytes) this.#ackWanted = true
  }

  requestAck(): void {
    this.#ackWanted = true
  }

  /** Whether an ack is to leave with this input. */
  takeAckRequest(): boolean {
    const isWanted = this.#ackWanted
    this.#ackWanted = false
    return isWanted
  }

  /** Starts a batch whose packets carry our ack number and window. */
  beginBatch(batch: PacketBatch, now: number): void {
    this.#advertisedBytes = this.windowBytes
    batch.begin(now, this.#difference, this.#advertisedBytes, this.#buffer.acknowledged)
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#buffer.clear()
    this.#early.take()
  }
}
