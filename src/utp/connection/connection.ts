import type { Randomness } from 'spimpl-runtime'
import { type Core, Counters, Turn } from 'spimpl-runtime/core'
import type { StreamErrorCode } from '../../errors.ts'
import { STREAM_COUNTERS, type StreamCounters } from '../counters.ts'
import { StreamTimeouts } from '../deadlines.ts'
import { type StreamLimits, streamLimits } from '../limits.ts'
import { Receiver } from '../receiving/receiver.ts'
import { Sender } from '../sending/sender.ts'
import { PacketView, ST_RESET, ST_STATE, ST_SYN } from '../wire/packet.ts'
import { narrow } from '../wire/sequence.ts'
import { type ConnectionIds, connectionIds } from './connection-ids.ts'
import { type ConnectionState, connectionLifecycle } from './connection-machine.ts'
import { endByReset, endByTimer, endingOf, FINISHED, type StreamEnd } from './ending.ts'
import { Handshake } from './handshake.ts'
import type { StreamInput, StreamOutput, StreamSnapshot, StreamStats } from './messages.ts'
import { Outbox } from './outbox.ts'

/** What a `UtpConnection` is created with. */
export interface ConnectionOptions {
  /** The connection id of the Portal message, 16 bits: the initiator receives with it, the acceptor sends with it. */
  readonly connectionId: number
  readonly randomness: Randomness
  readonly limits?: Partial<StreamLimits>
}

/**
 * One uTP stream (BEP 29) as a core without I/O.
 *
 * @example
 * const stream = UtpConnection.initiate({ connectionId, randomness })
 * stream.handle({ type: 'open' }, now, output => outputs.push(output))   // a SYN leaves
 */
export class UtpConnection implements Core<StreamInput, StreamOutput> {
  readonly #turn = new Turn<StreamOutput>()
  readonly #limits: StreamLimits
  readonly #initiator: boolean
  readonly #ids: ConnectionIds
  readonly #handshake: Handshake
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #outbox: Outbox
  readonly #lifecycle = connectionLifecycle()
  readonly #timeouts = new StreamTimeouts()
  readonly #counters: StreamCounters = new Counters(STREAM_COUNTERS)
  readonly #view = new PacketView()
  #openedAt = Number.NaN
  #closedAt = 0
  #packetsReceived = 0
  #announcedConnected = false
  #announcedPeerFinished = false
  #announcedDelivered = false
  #end: StreamEnd | undefined

  /**
   * The end that sends the SYN.
   *
   * @throws RangeError for a connection id that is no 16-bit number; SpimplError `CONFIG_INVALID` for a limit
   */
  static initiate(options: ConnectionOptions): UtpConnection {
    return new UtpConnection(options, true)
  }

  /** The end that chose the connection id and waits for the SYN. Throws as `initiate` does. */
  static accept(options: ConnectionOptions): UtpConnection {
    return new UtpConnection(options, false)
  }

  private constructor(options: ConnectionOptions, initiator: boolean) {
    const ids = connectionIds(options.connectionId, initiator)
    const limits = streamLimits(options.limits)
    const counters = this.#counters
    const firstSequence = options.randomness.below(0x10000)
    const handshake = new Handshake(initiator, firstSequence)
    const sender = new Sender({ limits, counters, firstSequence, receiveId: ids.receiveId })
    const receiver = new Receiver(limits, counters)
    this.#limits = limits
    this.#initiator = initiator
    this.#ids = ids
    this.#handshake = handshake
    this.#sender = sender
    this.#receiver = receiver
    this.#outbox = new Outbox({ sendId: ids.sendId, handshake, sender, receiver, limits })
  }

  get state(): ConnectionState {
    return this.#lifecycle.state
  }

  handle(input: StreamInput, now: number, emit: (output: StreamOutput) => void): void {
    this.#turn.begin(now)
    if (this.#isClosed) this.#answerLate(input)
    else this.#advance(input, now)
    this.#turn.end(emit)
  }

  deadline(): number {
    return this.#timeouts.next()
  }

  stats(now = this.#closedAt): StreamStats {
    const sender = this.#sender
    const endedAt = this.#isClosed ? this.#closedAt : now
    return {
      bytesSent: sender.deliveredBytes,
      bytesReceived: this.#receiver.totalBytes,
      packetsSent: this.#outbox.packetsSent,
      packetsReceived: this.#packetsReceived,
      ...this.#counters.snapshot(),
      rttMs: sender.rttMs,
      congestionWindowBytes: Math.round(sender.congestionWindowBytes),
      durationMs: this.#isOpened ? Math.max(0, endedAt - this.#openedAt) : 0,
    }
  }

  /** For `inspect`, traces and logs. */
  snapshot(now?: number): StreamSnapshot {
    return {
      state: this.state,
      initiator: this.#initiator,
      ...this.#ids,
      unsentBytes: this.#sender.unsentBytes,
      inFlightBytes: this.#sender.inFlightBytes,
      peerWindowBytes: this.#sender.peerWindowBytes,
      unreadBytes: this.#receiver.unreadBytes,
      outOfOrderPackets: this.#receiver.buffer.outOfOrderPackets,
      stats: this.stats(now),
    }
  }

  get #isOpened(): boolean {
    return this.state !== 'idle'
  }

  get #isEstablished(): boolean {
    return this.state === 'connected' || this.state === 'finishing'
  }

  get #isClosed(): boolean {
    return this.state === 'closed' || this.state === 'reset'
  }

  #advance(input: StreamInput, now: number): void {
    this.#outbox.begin(now)
    if (!this.#isOpened) this.#open(now)
    switch (input.type) {
      case 'packets':
        this.#onPackets(input.packets, now)
        break
      case 'write':
        this.#onWrite(input.bytes)
        break
      case 'finish':
        this.#finish()
        break
      case 'read':
        this.#receiver.read(input.bytes)
        break
      case 'reset':
        this.#fail(input.reason, 'the stream was reset by its owner')
        break
    }
    if (this.#end === undefined && now >= this.#timeouts.next()) this.#onTimers(now)
    this.#conclude(now)
  }

  #open(now: number): void {
    const timeouts = this.#timeouts
    this.#openedAt = now
    this.#outbox.open(now)
    this.#receiver.open(now)
    this.#lifecycle.send(this.#initiator ? 'connect' : 'listen')
    timeouts.set(timeouts.total, now + this.#limits.totalTimeoutMs)
    timeouts.set(timeouts.connect, now + this.#limits.connectTimeoutMs)
    if (this.#initiator) this.#sender.sendSyn(now, this.#outbox.batch)
  }

  #onPackets(packets: readonly Uint8Array[], now: number): void {
    for (const bytes of packets) {
      if (this.#view.read(bytes) === undefined) this.#onPacket(bytes, now)
      else this.#counters.add('refused')
      if (this.#end !== undefined) break
    }
  }

  #onPacket(bytes: Uint8Array, now: number): void {
    const view = this.#view
    this.#packetsReceived++
    switch (view.type) {
      case ST_SYN:
        this.#onSyn(view, now)
        return
      case ST_RESET:
        this.#onReset(view, bytes)
        return
      default:
        if (view.connectionId !== this.#ids.receiveId) this.#counters.add('refused')
        else if (this.state === 'syn-sent') this.#onAnswer(view, bytes, now)
        else if (this.#isEstablished) this.#onSegment(view, bytes, now)
        else this.#counters.add('refused')
    }
  }

  #onSyn(view: PacketView, now: number): void {
    const isOurs = !this.#initiator && view.connectionId === this.#ids.sendId
    const syn = isOurs ? this.#handshake.onSyn(view.sequence) : 'other'
    if (syn === 'other') {
      this.#counters.add('refused')
      return
    }
    if (syn === 'first') {
      this.#receiver.beginAfterSyn(view.sequence)
      this.#establish()
    } else this.#counters.add('duplicates')
    this.#receiver.heard(view, now)
  }

  /**
   * In syn-sent. The STATE that answers our SYN says the number of the peer's first data (`ack_nr = seq_nr - 1`). If it
   * was lost, the SYN is sent again. A peer that answers a SYN once only (nim-eth) tells the number in the end by the
   * data that it retransmits.
   */
  #onAnswer(view: PacketView, bytes: Uint8Array, now: number): void {
    if (view.acknowledged !== narrow(this.#handshake.firstSequence)) {
      this.#counters.add('refused')
      return
    }
    if (view.type !== ST_STATE) {
      const isFirstData = this.#receiver.holdEarly(view, bytes)
      if (!isFirstData || !this.#handshake.hasGivenUp(now)) return
    }
    const early = this.#receiver.beginWithAnswer(view.sequence)
    this.#establish()
    this.#onSegment(view, bytes, now)
    for (const packet of early) {
      view.read(packet)
      this.#onSegment(view, packet, now)
    }
  }

  #establish(): void {
    this.#lifecycle.send('establish')
    this.#timeouts.clear(this.#timeouts.connect)
  }

  #onSegment(view: PacketView, bytes: Uint8Array, now: number): void {
    const receiver = this.#receiver
    this.#handshake.onSegment()
    if (!this.#sender.onPacket(view, bytes, receiver.heard(view, now), now)) {
      this.#counters.add('refused')
      return
    }
    if (view.type === ST_STATE) return
    receiver.onPayload(view, bytes)
    if (receiver.isTooLarge)
      this.#fail('STREAM_TOO_LARGE', `expected at most ${this.#limits.maxReceiveBytes} bytes, got more`)
  }

  #onReset(view: PacketView, bytes: Uint8Array): void {
    if (view.connectionId !== this.#ids.receiveId && view.connectionId !== this.#ids.sendId)
      this.#counters.add('refused')
    else this.#end = endByReset(this.#sender, this.#receiver, bytes.subarray(view.payloadAt))
  }

  #onWrite(bytes: Uint8Array): void {
    const { maxSendBytes } = this.#limits
    const writtenBytes = this.#sender.writtenBytes + bytes.length
    if (this.#sender.finishWanted)
      this.#fail('STREAM_CLOSED', `expected no write after finish, got ${bytes.length} bytes`)
    else if (writtenBytes > maxSendBytes)
      this.#fail('STREAM_TOO_LARGE', `expected at most ${maxSendBytes} written bytes, got ${writtenBytes}`)
    else this.#sender.write(bytes)
  }

  #finish(): void {
    if (this.#sender.finishWanted) return
    this.#sender.finish()
    if (this.state === 'connected') this.#lifecycle.send('finish')
  }

  #onTimers(now: number): void {
    const timeouts = this.#timeouts
    const limits = this.#limits
    this.#setTimers()
    for (let due = timeouts.takeDue(now); due !== undefined; due = timeouts.takeDue(now)) {
      switch (due) {
        case 'total':
        case 'connect':
        case 'idle':
        case 'finish':
          this.#end = endByTimer(due, limits)
          return
        case 'retransmit':
        case 'probe':
        case 'window-probe':
          if (!this.#sender.onTimer(due, now, this.#outbox.batch) && this.#isEstablished)
            this.#fail('STREAM_TIMEOUT', `expected an ack after ${limits.maxTimeouts} timeouts, got none`)
          this.#sender.setTimers(timeouts)
          break
        case 'keep-alive':
          this.#receiver.requestAck()
          break
        case 'loss':
        case 'burst':
        case 'syn':
          break // `#conclude` sends what is due
      }
    }
  }

  /** Sets the timers that move with every input. */
  #setTimers(): void {
    const timeouts = this.#timeouts
    this.#sender.setTimers(timeouts)
    timeouts.set(timeouts.syn, this.#handshake.repeatAt)
    if (!this.#isEstablished) return
    timeouts.set(timeouts.idle, this.#receiver.lastHeardAt + this.#limits.idleTimeoutMs)
    timeouts.set(timeouts.keepAlive, this.#outbox.lastSentAt + this.#limits.keepAliveMs)
  }

  /** Ends every `handle`: decides whether the stream is over, sends packets, and emits what changed. */
  #conclude(now: number): void {
    const turn = this.#turn
    const receiver = this.#receiver
    const sender = this.#sender
    const isConnected = this.#isEstablished && !this.#announcedConnected
    if (isConnected) {
      this.#announcedConnected = true
      if (sender.finishWanted) this.#lifecycle.send('finish')
    }
    const dataBytes = receiver.readyBytes
    const data = dataBytes > 0 ? receiver.take() : undefined
    const isPeerFinished = receiver.isPeerFinished && !this.#announcedPeerFinished
    if (isPeerFinished) this.#onPeerFinished()
    if (this.#end === undefined) this.#considerEnd(now)
    this.#sendPackets(now)
    if (isConnected) turn.emit({ type: 'connected' })
    if (data !== undefined) turn.emit({ type: 'data', chunks: data, bytes: dataBytes })
    if (isPeerFinished) turn.emit({ type: 'peer-finished' })
    if (sender.takeWritable() && this.#end === undefined && !sender.finishWanted)
      turn.emit({ type: 'writable', bytes: this.#limits.maxSendBytes - sender.writtenBytes })
    if (sender.isFinAcknowledged && !this.#announcedDelivered) {
      this.#announcedDelivered = true
      turn.emit({ type: 'delivered' })
    }
    if (this.#end === undefined) this.#setTimers()
    else this.#close(this.#end, now)
  }

  #onPeerFinished(): void {
    this.#announcedPeerFinished = true
    if (this.state === 'connected') this.#lifecycle.send('finish')
    // The peer sends nothing more, so it asks for nothing more: an end that has written finishes too.
    if (!this.#limits.allowHalfOpen && this.#sender.writtenBytes > 0) this.#finish()
  }

  #considerEnd(now: number): void {
    const timeouts = this.#timeouts
    const ending = endingOf(this.#sender, this.#receiver, this.#limits.allowHalfOpen)
    if (ending === 'finished') this.#end = FINISHED
    // Our FIN is acknowledged: start the timer for the peer's FIN (first time only).
    else if (ending === 'awaiting-peer' && !timeouts.finish.isSet)
      timeouts.set(timeouts.finish, now + this.#limits.finishTimeoutMs)
  }

  #sendPackets(now: number): void {
    const packets = this.#takePackets(now)
    if (packets.length > 0) this.#turn.emit({ type: 'send', packets })
  }

  #takePackets(now: number): readonly Uint8Array[] {
    const reason = this.#end?.reason ?? 'finished'
    if (reason === 'finished') return this.#outbox.take(now, this.#isEstablished)
    if (reason !== 'STREAM_RESET' && this.state !== 'awaiting-syn') return this.#outbox.takeReset(now, reason)
    // The peer sent a RESET itself, or never heard of the stream.
    this.#outbox.discard()
    return []
  }

  #fail(reason: StreamErrorCode, detail: string): void {
    this.#end = { reason, detail }
  }

  #close({ reason, detail, peerReason }: StreamEnd, now: number): void {
    this.#lifecycle.send(reason === 'finished' ? 'close' : 'fail')
    this.#closedAt = now
    this.#timeouts.clearAll()
    const lastAck = reason === 'finished' ? this.#outbox.makeLastAck(now) : undefined
    const stats = this.stats()
    this.#sender.clear()
    this.#receiver.clear()
    this.#turn.emit({ type: 'closed', reason, peerReason, detail, stats, lastAck })
  }

  /** Answers late packets of a closed stream. In a node, the table of streams does (streams.ts). */
  #answerLate(input: StreamInput): void {
    if (input.type !== 'packets') return
    if (!input.packets.some(bytes => this.#view.read(bytes) === undefined && this.#view.wantsAnswer)) return
    this.#turn.emit({ type: 'send', packets: this.#outbox.answerLate(this.#turn.now) })
  }
}
