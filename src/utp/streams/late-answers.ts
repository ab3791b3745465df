import type { Randomness } from 'spimpl-runtime'
import { RateLimit } from '../../discv5/asking/rate-limit.ts'
import type { StreamErrorCode } from '../../errors.ts'
import { encodePacket, ST_RESET, sequenceOf, stampTime, timestampOf } from '../wire/packet.ts'
import { encodeResetReason } from '../wire/reset-reason.ts'
import type { StreamPeer } from './streams-messages.ts'

/** Peers whose rates are remembered. */
const REMEMBERED_PEERS = 1024

/**
 * Answers to packets of no stream, at a bounded rate: whoever sends junk must not make us send as much, nor keep us from telling others
 * that their last byte arrived.
 */
export class LateAnswers {
  answered = 0
  /** Answers that the rate kept back. */
  withheld = 0
  readonly #randomness: Randomness
  readonly #rate: RateLimit
  readonly #rateOfPeer: RateLimit

  constructor(options: {
    readonly randomness: Randomness
    readonly maxAnswersPerSecond: number
    readonly maxAnswersOfPeerPerSecond: number
  }) {
    const { maxAnswersPerSecond, maxAnswersOfPeerPerSecond } = options
    this.#randomness = options.randomness
    this.#rate = new RateLimit(maxAnswersPerSecond, 1, maxAnswersPerSecond)
    this.#rateOfPeer = new RateLimit(maxAnswersOfPeerPerSecond, REMEMBERED_PEERS, maxAnswersOfPeerPerSecond)
  }

  /** Adds to `answers` the farewell of the stream that is gone, or a RESET where there is none. */
  answer(
    peer: StreamPeer,
    answers: Uint8Array[],
    farewell: Uint8Array | undefined,
    packet: Uint8Array,
    now: number,
    reason?: StreamErrorCode,
  ): void {
    if (!this.#rateOfPeer.take(peer.nodeIdHex, now) || !this.#rate.take('', now)) {
      this.withheld++
      return
    }
    this.answered++
    if (farewell === undefined) answers.push(this.#resetFor(packet, now, reason))
    else {
      const bytes = farewell.slice()
      stampTime(bytes, timestampOf(now))
      answers.push(bytes)
    }
  }

  /** A RESET for a stream that was never begun, on the id that we would have sent with. */
  declining(connectionId: number, now: number): Uint8Array {
    return this.#reset((connectionId + 1) & 0xffff, 0, now)
  }

  /** A RESET repeats the connection id that was not understood and acknowledges the packet (libutp `send_rst`). */
  #resetFor(packet: Uint8Array, now: number, reason: StreamErrorCode | undefined): Uint8Array {
    return this.#reset(((packet[2] as number) << 8) | (packet[3] as number), sequenceOf(packet), now, reason)
  }

  #reset(connectionId: number, acknowledged: number, now: number, reason?: StreamErrorCode): Uint8Array {
    return encodePacket({
      type: ST_RESET,
      connectionId,
      timestamp: timestampOf(now),
      timestampDifference: 0,
      windowBytes: 0,
      sequence: this.#randomness.below(0x10000),
      acknowledged,
      payload: encodeResetReason(reason),
    })
  }
}
