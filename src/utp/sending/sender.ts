import type { PacketBatch } from '../connection/batch.ts'
import type { StreamLimits } from '../limits.ts'
import { HEADER_BYTES, type PacketView, ST_DATA, ST_FIN, ST_STATE, ST_SYN } from '../wire/packet.ts'
import { widen } from '../wire/sequence.ts'
import { Congestion } from './congestion.ts'
import { DelayHistory } from './delay.ts'
import { Outgoing } from './outgoing.ts'
import { RoundTrip } from './rtt.ts'
import { Sent } from './sent.ts'

/** Until the peer's first packet names a window (libutp and nim-eth assume as much). */
const ASSUMED_WINDOW_BYTES = 1024 * 1024
const DUPLICATE_ACKS = 3
/** More of a fall in the peer's base delay is a new route and not a clock (libutp: 10 ms). */
const MAX_CLOCK_SHIFT_MICROS = 10_000
/** Packets that leave with one input; the rest follows at once, and the other end works on the first ones meanwhile. */
const MAX_BURST_PACKETS = 64

/** Our half of a stream: what was written, what is under way, and how much of it may be. */
export class Sender {
  readonly sent: Sent
  readonly congestion: Congestion
  readonly rtt: RoundTrip
  readonly #limits: StreamLimits
  readonly #payloadBytes: number
  readonly #outgoing = new Outgoing()
  readonly #delay = new DelayHistory()
  readonly #peerDelay = new DelayHistory()
  readonly #receiveId: number
  #peerWindowBytes = ASSUMED_WINDOW_BYTES
  #duplicateAcks = 0
  /** Losses before this sequence number belong to one event, and shrink the window once. */
  #recoverUntil = -1
  #recoveringFromTimeout = false
  /** What `sent` had counted before the present event, and when last looked at. */
  #lossesBefore = 0
  #mistakesBefore = 0
  #mistakes = 0
  /** When the peer last acknowledged something new, or the first packet left after silence. */
  #progressAt = 0
  #lastSentAt = 0
  /** Probes since the peer last acknowledged something new. */
  #probes = 0
  /** The last timeout or probe: what was sent before it and is acknowledged after it measures the silence, not the network. */
  #silentUntil = 0
  /** Data waits, nothing is under way, and the peer's window is closed. */
  #windowClosed = false
  #more = false
  #finishWanted = false
  #finSequence = -1

  writtenBytes = 0
  deliveredBytes = 0
  retransmits = 0
  timeouts = 0
  consecutiveTimeouts = 0
  /** The unsent bytes were above the low-water mark and are not any more. */
  becameWritable = false
  #aboveLowWater = false

  constructor(options: { readonly limits: StreamLimits; readonly firstSequence: number; readonly receiveId: number }) {
    const { limits } = options
    this.#limits = limits
    this.#payloadBytes = limits.maxPacketBytes - HEADER_BYTES
    this.#receiveId = options.receiveId
    this.sent = new Sent(options.firstSequence)
    this.congestion = new Congestion(this.#payloadBytes, limits.maxWindowBytes)
    this.rtt = new RoundTrip({
      initialTimeoutMs: limits.synTimeoutMs,
      minTimeoutMs: limits.minTimeoutMs,
      maxTimeoutMs: limits.maxTimeoutMs,
    })
  }

  get unsentBytes(): number {
    return this.#outgoing.bytes
  }

  get finishWanted(): boolean {
    return this.#finishWanted
  }

  get finAcknowledged(): boolean {
    return this.#finSequence >= 0 && this.sent.base > this.#finSequence
  }

  /** Only the FIN is not acknowledged. */
  get onlyFinOutstanding(): boolean {
    return this.#finSequence >= 0 && this.sent.base === this.#finSequence
  }

  /** Our FIN went out more than once without an answer. */
  get finRepeated(): boolean {
    return this.onlyFinOutstanding && this.sent.sendsOf(this.#finSequence) > 1
  }

  get peerWindowBytes(): number {
    return this.#peerWindowBytes
  }

  write(bytes: Uint8Array): void {
    this.#outgoing.push(bytes)
    this.writtenBytes += bytes.length
    if (this.#outgoing.bytes > this.#limits.writeLowWaterBytes) this.#aboveLowWater = true
  }

  finish(): void {
    this.#finishWanted = true
  }

  sendSyn(now: number, batch: PacketBatch): void {
    const sequence = this.sent.push(ST_SYN, undefined, 0, 0, now)
    this.#progressAt = now
    this.#lastSentAt = now
    batch.addSyn(ST_SYN, sequence, this.#receiveId)
  }

  /** The SYN once more, without waiting: the peer's data shows that its answer was lost. */
  repeatSyn(now: number, batch: PacketBatch): void {
    this.#repeat(this.sent.takeProbe(now), now, batch)
  }

  /**
   * What a packet says of ours. `delayOfPeer` is our measure of its way here, which the clocks are compared with.
   * Returns false when it acknowledges what was never sent: no packet of this stream does.
   */
  onPacket(view: PacketView, bytes: Uint8Array, delayOfPeer: number, now: number): boolean {
    const { sent } = this
    const acknowledged = widen(view.acknowledged, sent.base - 1)
    if (acknowledged >= sent.next) return false
    this.#compareClocks(delayOfPeer, now)
    if (view.timestampDifference !== 0) this.#delay.add(view.timestampDifference, now)
    // An ack that was overtaken says nothing any more; data that came with it does, elsewhere.
    if (acknowledged < sent.base - 1) return true
    const flightBytes = sent.inFlightBytes
    const { rtt } = this
    const leastRttMs = rtt.smoothedMs === 0 ? 0 : rtt.leastMs
    sent.beginAcks(view.maskBytes > 0)
    if (acknowledged >= sent.base) {
      sent.acknowledge(acknowledged, now, leastRttMs)
      this.#duplicateAcks = 0
    } else if (view.type === ST_STATE && sent.packets > 0 && view.windowBytes === this.#peerWindowBytes)
      this.#duplicateAcks++
    if (view.maskBytes > 0)
      sent.acknowledgeSelectively(acknowledged, bytes, view.maskAt, view.maskBytes, now, leastRttMs, rtt.smoothedMs)
    else if (this.#duplicateAcks === DUPLICATE_ACKS && sent.missing() > 0) this.#onLoss(1)
    this.#onWindow(view.windowBytes)
    if (sent.ackedPackets > 0) this.#onProgress(flightBytes, now)
    return true
  }

  /**
   * Puts into `batch` what may leave now: what was lost first, then what was written, then the FIN. Before the connection stands only
   * the SYN may.
   */
  flush(now: number, batch: PacketBatch, established: boolean): void {
    const { sent, congestion } = this
    const lost = sent.packets > 0 ? sent.judge(now, this.rtt.smoothedMs) : 0
    if (lost > 0) this.#onLoss(lost)
    const limit = batch.packets.length + MAX_BURST_PACKETS
    while (sent.lostPackets > 0 && sent.inFlightBytes < congestion.windowBytes && batch.packets.length < limit)
      this.#repeat(sent.takeLost(now), now, batch)
    if (established && sent.lostPackets === 0) this.#sendNew(now, batch, limit)
    this.#more = batch.packets.length >= limit
    if (this.#aboveLowWater && this.#outgoing.bytes <= this.#limits.writeLowWaterBytes) {
      this.#aboveLowWater = false
      this.becameWritable = true
    }
  }

  /** The moment at which `onTimer` has something to do. */
  deadline(): number {
    if (this.#more) return this.#lastSentAt
    if (this.sent.packets === 0) return this.#windowClosed ? this.#lastProgressOrSend() + this.rtt.timeoutMs : Infinity
    const timeoutAt = this.#progressAt + this.rtt.timeoutMs
    return Math.min(timeoutAt, this.#probeAt(), this.sent.judgeAt)
  }

  /** Returns false when the peer has been silent for too many timeouts. */
  onTimer(now: number, batch: PacketBatch): boolean {
    const { sent } = this
    if (sent.packets === 0) {
      if (this.#windowClosed && now >= this.#lastProgressOrSend() + this.rtt.timeoutMs) this.#sendSegment(now, batch)
      return true
    }
    if (now >= this.#progressAt + this.rtt.timeoutMs) return this.#onTimeout(now)
    if (now >= this.#probeAt()) {
      this.#probes++
      this.#silentUntil = now
      this.#repeat(sent.lostPackets > 0 ? sent.takeLost(now) : sent.takeProbe(now), now, batch)
    }
    return true
  }

  clear(): void {
    this.sent.clear()
    this.#outgoing.clear()
  }

  #onTimeout(now: number): boolean {
    this.timeouts++
    this.consecutiveTimeouts++
    this.rtt.backOff()
    this.#progressAt = now
    this.#silentUntil = now
    this.#duplicateAcks = 0
    // A peer that takes nothing is no congestion, and what was sent to learn of its window is no loss.
    if (this.#peerWindowBytes >= this.#payloadBytes && this.sent.typeOf(this.sent.base) !== ST_SYN)
      this.congestion.timedOut()
    this.sent.loseAll()
    this.#recoverUntil = this.sent.next
    this.#recoveringFromTimeout = true
    return this.consecutiveTimeouts <= this.#limits.maxTimeouts
  }

  #onProgress(flightBytes: number, now: number): void {
    const { sent, rtt } = this
    this.deliveredBytes += sent.ackedBytes
    this.#progressAt = now
    this.#probes = 0
    this.consecutiveTimeouts = 0
    rtt.progressed()
    let delay = this.#delay.empty ? undefined : this.#delay.queuing()
    if (sent.rttSentAt >= 0 && sent.rttSentAt >= this.#silentUntil) {
      const rttMs = now - sent.rttSentAt
      rtt.sample(rttMs)
      // No way there takes longer than the way there and back: the base is too low (libutp).
      if (delay !== undefined && delay > rttMs * 1000) {
        this.#delay.shift(delay - rttMs * 1000)
        delay = rttMs * 1000
      }
    }
    if (sent.mistakes > this.#mistakes) this.#onMistake()
    if (sent.base > this.#recoverUntil) this.#recoveringFromTimeout = false
    if (sent.ackedBytes > 0) this.congestion.acknowledged(sent.ackedBytes, flightBytes, delay)
  }

  #onLoss(newly: number): void {
    const { sent } = this
    if (sent.base <= this.#recoverUntil) return
    this.#recoverUntil = sent.next - 1
    this.#lossesBefore = sent.losses - newly
    this.#mistakesBefore = sent.mistakes
    this.congestion.lost()
  }

  /** The network reorders. If nothing at all was lost, the window was made smaller for nothing. */
  #onMistake(): void {
    const { sent } = this
    this.#mistakes = sent.mistakes
    if (this.#recoveringFromTimeout) return
    sent.tolerate()
    if (sent.mistakes - this.#mistakesBefore >= sent.losses - this.#lossesBefore) this.congestion.undo()
  }

  #onWindow(windowBytes: number): void {
    const opened = windowBytes > this.#peerWindowBytes && this.#peerWindowBytes < this.#payloadBytes
    this.#peerWindowBytes = windowBytes
    if (windowBytes < this.#payloadBytes) this.consecutiveTimeouts = 0
    // The packet that asked whether the window is open found it closed and was dropped.
    if (opened && this.#windowClosed) {
      if (this.sent.inFlightPackets > 0) this.sent.loseAll()
      this.rtt.progressed()
    }
    if (opened) this.#windowClosed = false
  }

  #sendNew(now: number, batch: PacketBatch, limit: number): void {
    const { sent, congestion } = this
    const { maxWindowPackets } = this.#limits
    const outgoing = this.#outgoing
    while (
      outgoing.bytes > 0 &&
      sent.inFlightBytes < congestion.windowBytes &&
      sent.packets < maxWindowPackets &&
      batch.packets.length < limit
    ) {
      const length = Math.min(this.#payloadBytes, outgoing.bytes)
      // A small segment waits for company while others are under way (RFC 896).
      if (length < this.#payloadBytes && sent.packets > 0 && !this.#finishWanted) return
      if (sent.outstandingBytes + length > this.#peerWindowBytes) {
        if (sent.packets === 0) this.#windowClosed = true
        return
      }
      this.#sendSegment(now, batch)
    }
    if (this.#finishWanted && outgoing.bytes === 0 && this.#finSequence < 0 && sent.packets < maxWindowPackets) {
      if (sent.packets === 0) this.#progressAt = now
      this.#lastSentAt = now
      this.#finSequence = sent.push(ST_FIN, undefined, 0, 0, now)
      batch.add(ST_FIN, this.#finSequence, undefined, 0, 0)
    }
  }

  #sendSegment(now: number, batch: PacketBatch): void {
    const { sent } = this
    const outgoing = this.#outgoing
    const length = Math.min(this.#payloadBytes, outgoing.bytes)
    outgoing.cut(length)
    if (sent.packets === 0) this.#progressAt = now
    this.#lastSentAt = now
    const sequence = sent.push(ST_DATA, outgoing.chunk, outgoing.at, length, now)
    batch.add(ST_DATA, sequence, outgoing.chunk, outgoing.at, length)
  }

  #repeat(sequence: number, now: number, batch: PacketBatch): void {
    if (sequence < 0) return
    const { sent } = this
    this.retransmits++
    this.#lastSentAt = now
    const type = sent.typeOf(sequence)
    if (type === ST_SYN) batch.addSyn(type, sequence, this.#receiveId)
    else batch.add(type, sequence, sent.chunkOf(sequence), sent.offsetOf(sequence), sent.lengthOf(sequence))
  }

  #compareClocks(delayOfPeer: number, now: number): void {
    if (delayOfPeer === 0) return
    const before = this.#peerDelay.base
    const known = !this.#peerDelay.empty
    this.#peerDelay.add(delayOfPeer, now)
    const fall = before - this.#peerDelay.base
    if (known && fall > 0 && fall <= MAX_CLOCK_SHIFT_MICROS) this.#delay.shift(fall)
  }

  #probeAt(): number {
    const { rtt } = this
    if (rtt.smoothedMs === 0 || this.#peerWindowBytes < this.#payloadBytes) return Infinity
    // A probe may be lost like what it asks for: until the timeout each one waits twice as long as the one before.
    return this.#lastProgressOrSend() + rtt.probeMs * 2 ** this.#probes
  }

  #lastProgressOrSend(): number {
    return Math.max(this.#progressAt, this.#lastSentAt)
  }
}
