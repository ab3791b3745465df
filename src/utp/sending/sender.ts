import type { StreamCounters } from '../counters.ts'
import type { StreamTimeouts } from '../deadlines.ts'
import type { StreamLimits } from '../limits.ts'
import { HEADER_BYTES, type PacketView, ST_DATA, ST_FIN, ST_STATE, ST_SYN } from '../wire/packet.ts'
import type { PacketBatch } from '../wire/packet-batch.ts'
import { widen } from '../wire/sequence.ts'
import { Congestion } from './congestion.ts'
import { LossRecovery } from './loss-recovery.ts'
import { PathDelay } from './path-delay.ts'
import { RoundTrip } from './round-trip.ts'
import { SendBuffer } from './send-buffer.ts'
import { SentPackets } from './sent-packets.ts'

/** Until the peer's first packet advertises a window (libutp and nim-eth assume as much). */
const ASSUMED_WINDOW_BYTES = 1024 * 1024
const DUPLICATE_ACKS = 3
/** Packets that leave with one input. The rest follows at once; meanwhile the other end works on the first ones. */
const MAX_BURST_PACKETS = 64

/** The sending half of a stream: unsent bytes, packets in flight, and how many may be in flight. */
export class Sender {
  readonly #limits: StreamLimits
  readonly #counters: StreamCounters
  readonly #payloadBytes: number
  readonly #receiveId: number
  readonly #buffer = new SendBuffer()
  readonly #sent: SentPackets
  readonly #congestion: Congestion
  readonly #recovery: LossRecovery
  readonly #roundTrip: RoundTrip
  readonly #delay = new PathDelay()
  #peerWindowBytes = ASSUMED_WINDOW_BYTES
  /** Data waits, nothing is in flight, and the peer's window is closed. */
  #isWindowClosed = false
  #duplicateAcks = 0
  /** When the peer last acknowledged something new, or the first packet left after silence. */
  #progressAt = 0
  #lastSentAt = 0
  /** Probes since the peer last acknowledged something new. */
  #probes = 0
  /**
   * The last timeout or probe. A packet sent before it and acknowledged after it measures our silence, not the network.
   */
  #silentUntil = 0
  /** The last burst was cut: more may leave at once. */
  #isBurstCut = false
  #finishWanted = false
  #finSequence = -1
  #writtenBytes = 0
  #deliveredBytes = 0
  #consecutiveTimeouts = 0
  #isAboveLowWater = false
  #becameWritable = false

  constructor(options: {
    readonly limits: StreamLimits
    readonly counters: StreamCounters
    readonly firstSequence: number
    readonly receiveId: number
  }) {
    const { limits } = options
    this.#limits = limits
    this.#counters = options.counters
    this.#payloadBytes = limits.maxPacketBytes - HEADER_BYTES
    this.#receiveId = options.receiveId
    this.#sent = new SentPackets(options.firstSequence)
    this.#congestion = new Congestion(this.#payloadBytes, limits.maxWindowBytes)
    this.#recovery = new LossRecovery(this.#sent, this.#congestion)
    this.#roundTrip = new RoundTrip({
      initialTimeoutMs: limits.synTimeoutMs,
      minTimeoutMs: limits.minTimeoutMs,
      maxTimeoutMs: limits.maxTimeoutMs,
    })
  }

  get unsentBytes(): number {
    return this.#buffer.bytes
  }

  get writtenBytes(): number {
    return this.#writtenBytes
  }

  /** Payload bytes that the peer has acknowledged. */
  get deliveredBytes(): number {
    return this.#deliveredBytes
  }

  get inFlightBytes(): number {
    return this.#sent.inFlightBytes
  }

  get congestionWindowBytes(): number {
    return this.#congestion.windowBytes
  }

  get peerWindowBytes(): number {
    return this.#peerWindowBytes
  }

  /** Smoothed; 0 before the first sample. */
  get rttMs(): number {
    return this.#roundTrip.smoothedMs
  }

  get consecutiveTimeouts(): number {
    return this.#consecutiveTimeouts
  }

  /** The sequence number of the next new packet. */
  get nextSequence(): number {
    return this.#sent.next
  }

  get finishWanted(): boolean {
    return this.#finishWanted
  }

  get isFinAcknowledged(): boolean {
    return this.#finSequence >= 0 && this.#sent.base > this.#finSequence
  }

  /** Everything but our FIN is acknowledged. */
  get isOnlyFinOutstanding(): boolean {
    return this.#finSequence >= 0 && this.#sent.base === this.#finSequence
  }

  /** Our FIN was sent more than once without an answer. */
  get isFinRepeated(): boolean {
    return this.isOnlyFinOutstanding && this.#sent.sendsOf(this.#finSequence) > 1
  }

  write(bytes: Uint8Array): void {
    this.#buffer.push(bytes)
    this.#writtenBytes += bytes.length
    if (this.#buffer.bytes > this.#limits.writeLowWaterBytes) this.#isAboveLowWater = true
  }

  finish(): void {
    this.#finishWanted = true
  }

  /** Whether the unsent bytes have fallen below the low-water mark since the last call. */
  takeWritable(): boolean {
    const becameWritable = this.#becameWritable
    this.#becameWritable = false
    return becameWritable
  }

  sendSyn(now: number, batch: PacketBatch): void {
    const sequence = this.#sent.push(ST_SYN, undefined, 0, 0, now)
    this.#progressAt = now
    this.#lastSentAt = now
    batch.addSyn(sequence, this.#receiveId)
  }

  /** Sends the SYN again before its timeout. */
  repeatSyn(now: number, batch: PacketBatch): void {
    this.#retransmit(this.#sent.takeProbe(now), now, batch)
  }

  /**
   * Reads the acknowledgement in a packet.
   *
   * @param measuredDelay our measure of the packet's own delay, in microseconds: both clocks are compared with it
   * @returns false for an ack of a packet that was never sent: no packet of this stream has one
   */
  onPacket(view: PacketView, bytes: Uint8Array, measuredDelay: number, now: number): boolean {
    const sent = this.#sent
    const acknowledged = widen(view.acknowledged, sent.base - 1)
    if (acknowledged >= sent.next) return false
    this.#delay.onPacket(view.timestampDifference, measuredDelay, now)
    // A stale ack brings nothing new. Data in the same packet may, and is read elsewhere.
    if (acknowledged < sent.base - 1) return true
    const flightBytes = sent.inFlightBytes
    const { smoothedMs } = this.#roundTrip
    const leastRttMs = smoothedMs === 0 ? 0 : this.#roundTrip.leastMs
    sent.beginAck(view.maskBytes > 0)
    if (acknowledged >= sent.base) {
      sent.acknowledge(acknowledged, now, leastRttMs)
      this.#duplicateAcks = 0
    } else if (view.type === ST_STATE && sent.packets > 0 && view.windowBytes === this.#peerWindowBytes)
      this.#duplicateAcks++
    if (view.maskBytes > 0)
      sent.acknowledgeSelectively(acknowledged, bytes, view.maskAt, view.maskBytes, now, leastRttMs, smoothedMs)
    else if (this.#duplicateAcks === DUPLICATE_ACKS && sent.declareBaseLost() > 0) this.#recovery.onLoss(1)
    this.#onWindow(view.windowBytes)
    if (sent.ackedPackets > 0) this.#onProgress(flightBytes, now)
    return true
  }

  /**
   * Adds to `batch` what may leave now: lost packets first, then unsent bytes, then the FIN. Before the handshake, only
   * the SYN.
   */
  flush(now: number, batch: PacketBatch, isEstablished: boolean): void {
    const sent = this.#sent
    const losses = sent.packets > 0 ? sent.detectLosses(now, this.#roundTrip.smoothedMs) : 0
    if (losses > 0) this.#recovery.onLoss(losses)
    const limit = batch.size + MAX_BURST_PACKETS
    while (sent.lostPackets > 0 && sent.inFlightBytes < this.#congestion.windowBytes && batch.size < limit)
      this.#retransmit(sent.takeLost(now), now, batch)
    if (isEstablished && sent.lostPackets === 0) this.#sendNew(now, batch, limit)
    this.#isBurstCut = batch.size >= limit
    if (this.#isAboveLowWater && this.#buffer.bytes <= this.#limits.writeLowWaterBytes) {
      this.#isAboveLowWater = false
      this.#becameWritable = true
    }
  }

  /** Sets the timers of this half by its present state. */
  setTimers(timeouts: StreamTimeouts): void {
    const isOutstanding = this.#sent.packets > 0
    const timeoutMs = this.#roundTrip.timeoutMs
    const isProbing = this.#isWindowClosed && !isOutstanding
    timeouts.set(timeouts.burst, this.#isBurstCut ? this.#lastSentAt : Infinity)
    timeouts.set(timeouts.retransmit, isOutstanding ? this.#progressAt + timeoutMs : Infinity)
    timeouts.set(timeouts.probe, isOutstanding ? this.#probeAt() : Infinity)
    timeouts.set(timeouts.loss, isOutstanding ? this.#sent.detectAt : Infinity)
    timeouts.set(timeouts.windowProbe, isProbing ? this.#lastProgressOrSend() + timeoutMs : Infinity)
  }

  /** A timer of this half is due. Returns false if the peer was silent for too many retransmission timeouts. */
  onTimer(timer: 'retransmit' | 'probe' | 'window-probe', now: number, batch: PacketBatch): boolean {
    switch (timer) {
      case 'retransmit':
        return this.#onTimeout(now)
      case 'probe':
        this.#sendProbe(now, batch)
        return true
      case 'window-probe':
        this.#sendSegment(now, batch)
        return true
    }
  }

  /** Drops everything that waits or is in flight. */
  clear(): void {
    this.#sent.clear()
    this.#buffer.clear()
  }

  #onTimeout(now: number): boolean {
    this.#counters.add('timeouts')
    this.#consecutiveTimeouts++
    this.#roundTrip.backOff()
    this.#progressAt = now
    this.#silentUntil = now
    this.#duplicateAcks = 0
    // A closed window is no congestion, and a packet that asked whether it has opened is no loss.
    const isWindowOpen = this.#peerWindowBytes >= this.#payloadBytes
    this.#recovery.onTimeout(isWindowOpen && this.#sent.typeOf(this.#sent.base) !== ST_SYN)
    return this.#consecutiveTimeouts <= this.#limits.maxTimeouts
  }

  #sendProbe(now: number, batch: PacketBatch): void {
    const sent = this.#sent
    this.#probes++
    this.#silentUntil = now
    this.#retransmit(sent.lostPackets > 0 ? sent.takeLost(now) : sent.takeProbe(now), now, batch)
  }

  #onProgress(flightBytes: number, now: number): void {
    const sent = this.#sent
    const { ackedBytes, rttSentAt } = sent
    this.#deliveredBytes += ackedBytes
    this.#progressAt = now
    this.#probes = 0
    this.#consecutiveTimeouts = 0
    this.#roundTrip.progressed()
    const isSample = rttSentAt >= 0 && rttSentAt >= this.#silentUntil
    if (isSample) this.#roundTrip.sample(now - rttSentAt)
    const delay = isSample ? this.#delay.queuingMicrosWithin(now - rttSentAt) : this.#delay.queuingMicros()
    this.#recovery.onProgress()
    if (ackedBytes > 0) this.#congestion.acknowledged(ackedBytes, flightBytes, delay)
  }

  #onWindow(windowBytes: number): void {
    const hasOpened = windowBytes > this.#peerWindowBytes && this.#peerWindowBytes < this.#payloadBytes
    this.#peerWindowBytes = windowBytes
    if (windowBytes < this.#payloadBytes) this.#consecutiveTimeouts = 0
    if (!hasOpened) return
    // The window probe found a closed window and was dropped.
    if (this.#isWindowClosed) {
      if (this.#sent.inFlightPackets > 0) this.#sent.declareAllLost()
      this.#roundTrip.progressed()
    }
    this.#isWindowClosed = false
  }

  #sendNew(now: number, batch: PacketBatch, limit: number): void {
    const sent = this.#sent
    const buffer = this.#buffer
    const { maxWindowPackets } = this.#limits
    while (
      buffer.bytes > 0 &&
      sent.inFlightBytes < this.#congestion.windowBytes &&
      sent.packets < maxWindowPackets &&
      batch.size < limit
    ) {
      const length = Math.min(this.#payloadBytes, buffer.bytes)
      // A small segment waits for more bytes while others are in flight (RFC 896).
      if (length < this.#payloadBytes && sent.packets > 0 && !this.#finishWanted) return
      if (sent.outstandingBytes + length > this.#peerWindowBytes) {
        if (sent.packets === 0) this.#isWindowClosed = true
        return
      }
      this.#sendSegment(now, batch)
    }
    if (this.#finishWanted && buffer.bytes === 0 && this.#finSequence < 0 && sent.packets < maxWindowPackets) {
      if (sent.packets === 0) this.#progressAt = now
      this.#lastSentAt = now
      this.#finSequence = sent.push(ST_FIN, undefined, 0, 0, now)
      batch.add(ST_FIN, this.#finSequence, undefined, 0, 0)
    }
  }

  #sendSegment(now: number, batch: PacketBatch): void {
    const sent = this.#sent
    const buffer = this.#buffer
    const length = Math.min(this.#payloadBytes, buffer.bytes)
    buffer.cut(length)
    if (sent.packets === 0) this.#progressAt = now
    this.#lastSentAt = now
    const sequence = sent.push(ST_DATA, buffer.chunk, buffer.at, length, now)
    batch.add(ST_DATA, sequence, buffer.chunk, buffer.at, length)
  }

  /** @param sequence negative for none */
  #retransmit(sequence: number, now: number, batch: PacketBatch): void {
    if (sequence < 0) return
    const sent = this.#sent
    this.#counters.add('retransmits')
    this.#lastSentAt = now
    const type = sent.typeOf(sequence)
    if (type === ST_SYN) batch.addSyn(sequence, this.#receiveId)
    else batch.add(type, sequence, sent.chunkOf(sequence), sent.offsetOf(sequence), sent.lengthOf(sequence))
  }

  #probeAt(): number {
    const roundTrip = this.#roundTrip
    if (roundTrip.smoothedMs === 0 || this.#peerWindowBytes < this.#payloadBytes) return Infinity
    // A probe may be lost too: until the timeout, each one waits twice as long as the one before.
    return this.#lastProgressOrSend() + roundTrip.probeMs * 2 ** this.#probes
  }

  #lastProgressOrSend(): number {
    return Math.max(this.#progressAt, this.#lastSentAt)
  }
}
