import { HEADER_BYTES, MAX_SELECTIVE_ACK_BYTES } from './wire/packet.ts'
import { MAX_UTP_PACKET_BYTES } from './wire/size.ts'

/** The bounds of one stream. All have defaults; whoever opens a stream gives those that differ. */
export interface StreamLimits {
  /** The largest packet to send, its 20-byte header included. */
  readonly maxPacketBytes: number
  /** How many bytes the peer may send before the stream ends with STREAM_TOO_LARGE. */
  readonly maxReceiveBytes: number
  /** How many bytes may be written before the stream ends with STREAM_TOO_LARGE. */
  readonly maxSendBytes: number
  /** What arrived and was not taken by the consumer; the advertised window is what is left of it. */
  readonly receiveBufferBytes: number
  /** Below this many unsent bytes the stream says 'writable'. */
  readonly writeLowWaterBytes: number
  /** The ceiling of the congestion window: bytes in flight. */
  readonly maxWindowBytes: number
  /**
   * Packets in flight, counted from the oldest that is not acknowledged. Peers drop what is 1,024 or more ahead
   * (libutp and nim-eth, `REORDER_BUFFER_MAX_SIZE`).
   */
  readonly maxWindowPackets: number
  /** The bitmask of a selective ack. nim-eth drops a packet whose mask has not exactly 4 bytes. */
  readonly selectiveAckBytes: number
  /** From 'open' until the connection stands. */
  readonly connectTimeoutMs: number
  /** The first wait for the answer to a SYN; doubles with each repetition. */
  readonly synTimeoutMs: number
  /** Without any packet from the peer for so long, the stream ends with STREAM_IDLE. */
  readonly idleTimeoutMs: number
  /** After so long the stream ends with STREAM_TIMEOUT, whatever it is doing. */
  readonly totalTimeoutMs: number
  /** After this silence of our own a packet is sent so that the peer and middle boxes keep the stream. */
  readonly keepAliveMs: number
  /** Retransmission timeouts one after another without a sign of life before the stream ends with STREAM_TIMEOUT. */
  readonly maxTimeouts: number
  /** The least retransmission timeout (BEP 29: 500 ms). */
  readonly minTimeoutMs: number
  readonly maxTimeoutMs: number
  /** How long our acknowledged FIN waits for the peer's, when the peer has sent data too. */
  readonly finishTimeoutMs: number
  /**
   * False: the first FIN in either direction that is acknowledged ends a stream in which the other end never wrote, as libutp,
   * nim-eth and the flows of the Portal specification have it. True: each end finishes on its own.
   */
  readonly allowHalfOpen: boolean
}

/** Limits of a stream unless told. */
export const defaultStreamLimits: StreamLimits = {
  maxPacketBytes: MAX_UTP_PACKET_BYTES,
  maxReceiveBytes: 256 * 1024 * 1024,
  maxSendBytes: 256 * 1024 * 1024,
  receiveBufferBytes: 1024 * 1024,
  writeLowWaterBytes: 256 * 1024,
  maxWindowBytes: 1024 * 1024,
  maxWindowPackets: 1000,
  selectiveAckBytes: 4,
  connectTimeoutMs: 15_000,
  synTimeoutMs: 1000,
  idleTimeoutMs: 30_000,
  totalTimeoutMs: 300_000,
  keepAliveMs: 10_000,
  maxTimeouts: 6,
  minTimeoutMs: 500,
  maxTimeoutMs: 30_000,
  finishTimeoutMs: 5000,
  allowHalfOpen: false,
}

/** The defaults with what `given` says; a limit that makes no sense is a mistake of the program and throws. */
export function streamLimits(given: Partial<StreamLimits> = {}): StreamLimits {
  const limits = { ...defaultStreamLimits, ...given }
  const { maxPacketBytes, selectiveAckBytes, maxWindowPackets } = limits
  if (maxPacketBytes <= HEADER_BYTES || maxPacketBytes > 65_507)
    throw new RangeError(`expected maxPacketBytes from 21 to 65507, got ${maxPacketBytes}`)
  if (selectiveAckBytes % 4 !== 0 || selectiveAckBytes < 4 || selectiveAckBytes > MAX_SELECTIVE_ACK_BYTES)
    throw new RangeError(`expected selectiveAckBytes from 4 to 128 in steps of 4, got ${selectiveAckBytes}`)
  if (maxWindowPackets < 2 || maxWindowPackets > 1023)
    throw new RangeError(`expected maxWindowPackets from 2 to 1023, got ${maxWindowPackets}`)
  return limits
}
