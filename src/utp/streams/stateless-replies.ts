import type { Randomness } from 'spimpl-runtime'
import { RateLimit } from '../../discv5/asking/rate-limit.ts'
import type { StreamErrorCode } from '../../errors.ts'
import type { StreamsCounters } from '../counters.ts'
import type { StreamsLimits } from '../limits.ts'
import { connectionIdOf, encodePacket, ST_RESET, sequenceOf, stampTime, timestampOf } from '../wire/packet.ts'
import { encodeResetReason } from '../wire/reset-reason.ts'
import type { StreamPeer } from './messages.ts'

/** Peers whose rates are remembered. */
const REMEMBERED_PEERS = 1024

/**
 * Replies to packets of no open stream, at a bounded rate: a peer that sends junk does not make us send as much, and
 * does not keep us from telling other peers that their last byte arrived.
 */
export class StatelessReplies {
  readonly #randomness: Randomness
  readonly #counters: StreamsCounters
  readonly #rate: RateLimit
  readonly #rateOfPeer: RateLimit

  constructor(randomness: Randomness, counters: StreamsCounters, limits: StreamsLimits) {
    const { maxAnswersPerSecond, maxAnswersOfPeerPerSecond } = limits
    this.#randomness = randomness
    this.#counters = counters
    this.#rate = new RateLimit(maxAnswersPerSecond, 1, maxAnswersPerSecond)
    this.#rateOfPeer = new RateLimit(maxAnswersOfPeerPerSecond, REMEMBERED_PEERS, maxAnswersOfPeerPerSecond)
  }

  /** The last ack of a closed stream, or a RESET if there is none; undefined above the rate. */
  replyTo(
    packet: Uint8Array,
    peer: StreamPeer,
    now: number,
    reply: { readonly lastAck?: Uint8Array | undefined; readonly reason?: StreamErrorCode } = {},
  ): Uint8Array | undefined {
    if (!this.#rateOfPeer.take(peer.nodeIdHex, now) || !this.#rate.take('', now)) {
      this.#counters.add('withheld')
      return undefined
    }
    this.#counters.add('answered')
    // A RESET repeats the connection id that was not understood and acknowledges the packet (libutp `send_rst`).
    if (reply.lastAck === undefined) return this.#reset(connectionIdOf(packet), sequenceOf(packet), now, reply.reason)
    const bytes = reply.lastAck.slice()
    stampTime(bytes, timestampOf(now))
    return bytes
  }

  /** A RESET for a stream that was never started, on the id that we would have sent with. */
  decline(connectionId: number, now: number): Uint8Array {
    return this.#reset((connectionId + 1) & 0xffff, 0, now)
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
