import type { StreamErrorCode } from '../../errors.ts'
import type { StreamLimits } from '../limits.ts'
import type { Receiver } from '../receiving/receiver.ts'
import type { Sender } from '../sending/sender.ts'
import { PacketBatch } from '../wire/packet-batch.ts'
import type { Handshake } from './handshake.ts'

const NO_PACKETS: readonly Uint8Array[] = []

/** Puts together the packets that leave with one input: answers to a SYN, segments, one ack, or a RESET. */
export class Outbox {
  /** For packets that a timer sends. */
  readonly batch: PacketBatch
  readonly #handshake: Handshake
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #selectiveAckBytes: number
  #lastSentAt = 0
  #packetsSent = 0
  #lastAck: Uint8Array | undefined

  constructor(options: {
    readonly sendId: number
    readonly handshake: Handshake
    readonly sender: Sender
    readonly receiver: Receiver
    readonly limits: StreamLimits
  }) {
    this.batch = new PacketBatch(options.sendId)
    this.#handshake = options.handshake
    this.#sender = options.sender
    this.#receiver = options.receiver
    this.#selectiveAckBytes = options.limits.selectiveAckBytes
  }

  /** When the last packet left; before that, when the stream was opened. */
  get lastSentAt(): number {
    return this.#lastSentAt
  }

  /** Packets that left before the stream was closed. */
  get packetsSent(): number {
    return this.#packetsSent
  }

  open(now: number): void {
    this.#lastSentAt = now
  }

  /** Starts the packets of one input. */
  begin(now: number): void {
    this.#receiver.beginBatch(this.batch, now)
  }

  /** Takes the packets of this input, with our present ack number and window. */
  take(now: number, isEstablished: boolean): readonly Uint8Array[] {
    const { batch } = this
    const handshake = this.#handshake
    const sender = this.#sender
    const wantsAck = this.#receiver.takeAckRequest()
    this.begin(now)
    if (handshake.takeAnswerRequest()) this.#addAck(handshake.firstSequence)
    const before = batch.size
    if (!isEstablished && handshake.takeRepetition(now, this.#receiver.hasEarlyPackets)) sender.repeatSyn(now, batch)
    sender.flush(now, batch, isEstablished)
    // A segment carries the ack number, but not the bitmask.
    const isAckNeeded = batch.size === before || this.#receiver.buffer.outOfOrderPackets > 0
    if (isEstablished && wantsAck && isAckNeeded) this.#addAck(handshake.ackSequence(sender.nextSequence))
    return this.#takeBatch(now)
  }

  /** Takes a RESET instead of them. `reason` tells the peer why. */
  takeReset(now: number, reason: StreamErrorCode): readonly Uint8Array[] {
    this.batch.discard()
    this.#addReset(now, reason)
    return this.#takeBatch(now)
  }

  /** Drops the packets of this input. */
  discard(): void {
    this.batch.discard()
  }

  /** The stream finished: makes the ack that answers late packets from now on. */
  makeLastAck(now: number): Uint8Array | undefined {
    this.begin(now)
    this.#addAck(this.#sender.nextSequence)
    this.#lastAck = this.batch.take()[0]
    return this.#lastAck
  }

  /** The answer to late packets of a closed stream: the last ack with a fresh timestamp, or a RESET. */
  answerLate(now: number): readonly Uint8Array[] {
    if (this.#lastAck === undefined) this.#addReset(now)
    else {
      this.begin(now)
      this.#addAck(this.#sender.nextSequence)
    }
    return this.batch.take()
  }

  #takeBatch(now: number): readonly Uint8Array[] {
    if (this.batch.size === 0) return NO_PACKETS
    this.#lastSentAt = now
    this.#packetsSent += this.batch.size
    return this.batch.take()
  }

  #addAck(sequence: number): void {
    this.batch.addState(sequence, this.#receiver.buffer, this.#selectiveAckBytes)
  }

  #addReset(now: number, reason?: StreamErrorCode): void {
    this.batch.addReset(now, this.#sender.nextSequence, this.#receiver.buffer.acknowledged, reason)
  }
}
