import type { Randomness } from 'spimpl-runtime'
import type { Core } from 'spimpl-runtime/core'
import type { StreamErrorCode } from '../../errors.ts'
import { type StreamLimits, streamLimits } from '../limits.ts'
import { Receiver } from '../receiving/receiver.ts'
import { Sender } from '../sending/sender.ts'
import { PacketView, ST_RESET, ST_STATE, ST_SYN } from '../wire/packet.ts'
import { narrow } from '../wire/sequence.ts'
import { PacketBatch } from './batch.ts'
import { ConnectionLifecycle, type ConnectionState } from './connection-machine.ts'
import { endByReset, endingOf, FINISHED, type StreamEnd } from './ending.ts'
import { Handshake } from './handshake.ts'
import type { StreamInput, StreamOutput, StreamSnapshot, StreamStats } from './messages.ts'
import { Patience } from './patience.ts'

/** What a `UtpConnection` is made of. A connection id that is no 16-bit number throws a RangeError. */
export interface ConnectionOptions {
  /** The connection id of the Portal message, 16 bits: the initiator receives with it, the acceptor sends with it. */
  readonly connectionId: number
  readonly randomness: Randomness
  readonly limits?: Partial<StreamLimits>
}

type Emit = (output: StreamOutput) => void

/**
 * One uTP stream (BEP 29) as a core without I/O.
 *
 * @example
 * const stream = UtpConnection.initiate({ connectionId, randomness })
 * stream.handle({ type: 'open' }, now, output => outputs.push(output))   // a SYN leaves
 */
export class UtpConnection implements Core<StreamInput, StreamOutput> {
  readonly #limits: StreamLimits
  readonly #initiator: boolean
  readonly #receiveId: number
  readonly #sendId: number
  readonly #handshake: Handshake
  readonly #lifecycle = new ConnectionLifecycle()
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #batch: PacketBatch
  readonly #patience: Patience
  readonly #view = new PacketView()
  #deadline = 0
  #saidConnected = false
  #saidPeerFinished = false
  #saidDelivered = false
  #end: StreamEnd | undefined
  #farewell: Uint8Array | undefined
  #closedAt = 0
  #packetsSent = 0

  /** The end that sends the SYN. */
  static initiate(options: ConnectionOptions): UtpConnection {
    return new UtpConnection(options, true)
  }

  /** The end that named the connection id and waits for the SYN. */
  static accept(options: ConnectionOptions): UtpConnection {
    return new UtpConnection(options, false)
  }

  private constructor(options: ConnectionOptions, initiator: boolean) {
    const { connectionId } = options
    if (!Number.isInteger(connectionId) || connectionId < 0 || connectionId > 0xffff)
      throw new RangeError(`expected a connection id of 16 bits, got ${connectionId}`)
    const following = (connectionId + 1) & 0xffff
    this.#limits = streamLimits(options.limits)
    this.#initiator = initiator
    this.#receiveId = initiator ? connectionId : following
    this.#sendId = initiator ? following : connectionId
    const firstSequence = options.randomness.below(0x10000)
    this.#handshake = new Handshake(initiator, firstSequence)
    this.#sender = new Sender({
      limits: this.#limits,
      firstSequence,
      receiveId: this.#receiveId,
    })
    this.#batch = new PacketBatch(this.#sendId)
    this.#receiver = new Receiver(this.#limits)
    this.#patience = new Patience(this.#limits)
  }

  get state(): ConnectionState {
    return this.#lifecycle.state
  }

  handle(input: StreamInput, now: number, emit: Emit): void {
    if (this.#closed) {
      this.#answerLate(input, now, emit)
      return
    }
    this.#receiver.begin(this.#batch, now)
    if (this.#patience.openedAt < 0) this.#open(now)
    switch (input.type) {
      case 'packets':
        for (const bytes of input.packets) {
          this.#onPacket(bytes, now)
          if (this.#end !== undefined) break
        }
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
        this.#fail(input.reason, 'the stream was given up here')
        break
      case 'open':
      case 'timeout':
        break
    }
    if (this.#end === undefined && now >= this.#deadline) this.#onTimers(now)
    this.#conclude(now, emit)
  }

  deadline(): number {
    return this.#deadline
  }

  stats(now = this.#closedAt): StreamStats {
    const sender = this.#sender
    const { openedAt } = this.#patience
    return {
      bytesSent: sender.deliveredBytes,
      bytesReceived: this.#receiver.received.totalBytes,
      packetsSent: this.#packetsSent,
      packetsReceived: this.#receiver.packets,
      retransmits: sender.retransmits,
      timeouts: sender.timeouts,
      duplicates: this.#receiver.duplicates,
      refused: this.#receiver.refused,
      rttMs: sender.rtt.smoothedMs,
      congestionWindowBytes: Math.round(sender.congestion.windowBytes),
      durationMs: openedAt < 0 ? 0 : Math.max(0, (this.#closed ? this.#closedAt : now) - openedAt),
    }
  }

  /** For `inspect`, traces and logs. */
  snapshot(now?: number): StreamSnapshot {
    return {
      state: this.state,
      initiator: this.#initiator,
      receiveId: this.#receiveId,
      sendId: this.#sendId,
      unsentBytes: this.#sender.unsentBytes,
      inFlightBytes: this.#sender.sent.inFlightBytes,
      peerWindowBytes: this.#sender.peerWindowBytes,
      unreadBytes: this.#receiver.unreadBytes,
      aheadPackets: this.#receiver.received.aheadPackets,
      stats: this.stats(now),
    }
  }

  get #closed(): boolean {
    return this.state === 'closed' || this.state === 'reset'
  }

  get #established(): boolean {
    return this.state === 'connected' || this.state === 'finishing'
  }

  #open(now: number): void {
    this.#patience.open(now)
    this.#receiver.lastHeardAt = now
    this.#lifecycle.advance(this.#initiator ? 'CONNECT' : 'LISTEN')
    if (this.#initiator) this.#sender.sendSyn(now, this.#batch)
  }

  #onPacket(bytes: Uint8Array, now: number): void {
    const view = this.#view
    if (view.read(bytes) !== undefined) {
      this.#receiver.refused++
      return
    }
    this.#receiver.packets++
    switch (view.type) {
      case ST_SYN:
        this.#onSyn(view, now)
        return
      case ST_RESET:
        this.#onReset(view, bytes)
        return
      default:
        if (view.connectionId !== this.#receiveId) this.#receiver.refused++
        else if (this.state === 'syn-sent') this.#onAnswer(view, bytes, now)
        else if (this.#established) this.#onSegment(view, bytes, now)
        else this.#receiver.refused++
    }
  }

  #onSyn(view: PacketView, now: number): void {
    if (this.#initiator || view.connectionId !== this.#sendId) {
      this.#receiver.refused++
      return
    }
    const syn = this.#handshake.onSyn(view.sequence)
    if (syn === 'other') {
      this.#receiver.refused++
      return
    }
    if (syn === 'first') {
      this.#receiver.beginAfterSyn(view.sequence)
      this.#lifecycle.advance('ESTABLISHED')
    } else this.#receiver.duplicates++
    this.#receiver.heard(view, now)
  }

  /**
   * In syn-sent: the STATE that answers our SYN names the number of the peer's first data (`ack_nr = seq_nr - 1`). Where it got lost
   * the SYN is repeated; a peer that answers a SYN once only (nim-eth) tells the number in the end by what it repeats itself.
   */
  #onAnswer(view: PacketView, bytes: Uint8Array, now: number): void {
    if (view.acknowledged !== narrow(this.#handshake.firstSequence)) {
      this.#receiver.refused++
      return
    }
    const believed = this.#handshake.isAnsweredOnce(now)
    if (view.type !== ST_STATE && !this.#receiver.holdEarly(view, bytes, believed)) return
    const early = this.#receiver.beginWithAnswer(view.sequence)
    this.#lifecycle.advance('ESTABLISHED')
    this.#onSegment(view, bytes, now)
    for (const packet of early) {
      view.read(packet)
      this.#onSegment(view, packet, now)
    }
  }

  #onSegment(view: PacketView, bytes: Uint8Array, now: number): void {
    const receiver = this.#receiver
    this.#handshake.onSegment()
    if (!this.#sender.onPacket(view, bytes, receiver.heard(view, now), now)) {
      receiver.refused++
      return
    }
    if (view.type === ST_STATE) return
    receiver.onPayload(view, bytes)
    if (receiver.tooLarge)
      this.#fail('STREAM_TOO_LARGE', `expected at most ${this.#limits.maxReceiveBytes} bytes, got more`)
  }

  #onReset(view: PacketView, bytes: Uint8Array): void {
    if (view.connectionId !== this.#receiveId && view.connectionId !== this.#sendId) {
      this.#receiver.refused++
      return
    }
    this.#end = endByReset(this.#sender, this.#receiver, bytes.subarray(view.payloadAt))
  }

  #onWrite(bytes: Uint8Array): void {
    const sender = this.#sender
    if (sender.finishWanted) {
      this.#fail('STREAM_CLOSED', `expected no write after finish, got ${bytes.length} bytes`)
      return
    }
    if (sender.writtenBytes + bytes.length > this.#limits.maxSendBytes) {
      this.#fail(
        'STREAM_TOO_LARGE',
        `expected at most ${this.#limits.maxSendBytes} written bytes, got ${sender.writtenBytes + bytes.length}`,
      )
      return
    }
    sender.write(bytes)
  }

  #finish(): void {
    if (this.#sender.finishWanted) return
    this.#sender.finish()
    if (this.state === 'connected') this.#lifecycle.advance('FIN')
  }

  #onTimers(now: number): void {
    const established = this.#established
    this.#end = this.#patience.overdue(now, established, this.#receiver.lastHeardAt)
    if (this.#end !== undefined) return
    const heard = now < this.#sender.deadline() || this.#sender.onTimer(now, this.#batch)
    if (!established) return
    if (!heard) this.#fail('STREAM_TIMEOUT', `expected an ack after ${this.#limits.maxTimeouts} timeouts, got none`)
    if (this.#patience.keepAliveDue(now)) this.#receiver.ackWanted = true
  }

  /** Ends every `handle`: decides whether the stream is over, sends, and says what happened. */
  #conclude(now: number, emit: Emit): void {
    const receiver = this.#receiver
    const sender = this.#sender
    const connected = this.#established && !this.#saidConnected
    if (connected) {
      this.#saidConnected = true
      if (sender.finishWanted) this.#lifecycle.advance('FIN')
    }
    const { chunkBytes } = receiver.received
    const chunks = chunkBytes > 0 ? receiver.take() : []
    const peerFinished = receiver.received.finished && !this.#saidPeerFinished
    if (peerFinished) {
      this.#saidPeerFinished = true
      if (this.state === 'connected') this.#lifecycle.advance('FIN')
      // Whoever wrote something and is told that nothing more comes has said all that it will.
      if (!this.#limits.allowHalfOpen && sender.writtenBytes > 0) this.#finish()
    }
    if (this.#end === undefined) this.#considerEnd(now)
    this.#send(now, emit)
    if (connected) emit({ type: 'connected' })
    if (chunkBytes > 0) emit({ type: 'data', chunks, bytes: chunkBytes })
    if (peerFinished) emit({ type: 'peer-finished' })
    if (sender.becameWritable) {
      sender.becameWritable = false
      if (this.#end === undefined && !sender.finishWanted)
        emit({ type: 'writable', bytes: this.#limits.maxSendBytes - sender.writtenBytes })
    }
    if (sender.finAcknowledged && !this.#saidDelivered) {
      this.#saidDelivered = true
      emit({ type: 'delivered' })
    }
    const patience = this.#patience.deadline(this.#established, receiver.lastHeardAt)
    if (this.#end !== undefined) this.#close(this.#end, now, emit)
    else this.#deadline = Math.min(sender.deadline(), this.#handshake.deadline, patience)
  }

  #considerEnd(now: number): void {
    const ending = endingOf(this.#sender, this.#receiver, this.#limits.allowHalfOpen)
    if (ending === 'finished') this.#end = FINISHED
    else if (ending === 'other-side') this.#patience.awaitFinish(now)
  }

  #send(now: number, emit: Emit): void {
    const batch = this.#batch
    const sender = this.#sender
    const handshake = this.#handshake
    this.#receiver.begin(batch, now)
    if (this.#end !== undefined && this.#end.reason !== 'finished') this.#sendReset(now)
    else {
      if (handshake.answerWanted) this.#addAck(handshake.firstSequence)
      const before = batch.packets.length
      if (!this.#established && handshake.takeRepetition(now, this.#receiver.hasEarly)) sender.repeatSyn(now, batch)
      sender.flush(now, batch, this.#established)
      // Data carries the ack, but not the bitmask.
      if (this.#established && this.#receiver.ackWanted)
        if (batch.packets.length === before || this.#receiver.received.aheadPackets > 0)
          this.#addAck(handshake.ackSequence(sender.sent.next))
    }
    this.#receiver.ackWanted = false
    handshake.answerWanted = false
    if (batch.packets.length === 0) return
    this.#patience.lastSentAt = now
    this.#packetsSent += batch.packets.length
    emit({ type: 'send', packets: batch.take() })
  }

  #addAck(sequence: number): void {
    this.#batch.addState(sequence, this.#receiver.received, this.#limits.selectiveAckBytes)
  }

  #fail(reason: StreamErrorCode, detail: string): void {
    this.#end = { reason, detail }
  }

  /** Tells the peer, unless it knows or never knew of the stream. */
  #sendReset(now: number): void {
    const batch = this.#batch
    batch.packets = []
    if (this.#end?.reason === 'STREAM_RESET' || this.state === 'awaiting-syn') return
    const reason = this.#end?.reason === 'finished' ? undefined : this.#end?.reason
    batch.addReset(now, this.#sender.sent.next, this.#receiver.received.acknowledged, reason)
  }

  #close({ reason, detail, peerReason }: StreamEnd, now: number, emit: Emit): void {
    this.#lifecycle.advance(reason === 'finished' ? 'DONE' : 'FAIL')
    this.#closedAt = now
    this.#deadline = Infinity
    if (reason === 'finished') {
      this.#receiver.begin(this.#batch, now)
      this.#addAck(this.#sender.sent.next)
      this.#farewell = this.#batch.take()[0]
    }
    const stats = this.stats()
    this.#sender.clear()
    this.#receiver.clear()
    emit({ type: 'closed', reason, peerReason, detail, stats, farewell: this.#farewell })
  }

  /** Late packets of a stream that is over; normally the table of streams answers them (streams.ts). */
  #answerLate(input: StreamInput, now: number, emit: Emit): void {
    if (input.type !== 'packets') return
    if (!input.packets.some(bytes => this.#view.read(bytes) === undefined && this.#view.wantsAnswer)) return
    const batch = this.#batch
    const { sent } = this.#sender
    if (this.#farewell === undefined) batch.addReset(now, sent.next, this.#receiver.received.acknowledged)
    else {
      this.#receiver.begin(batch, now)
      this.#addAck(sent.next)
    }
    emit({ type: 'send', packets: batch.take() })
  }
}
