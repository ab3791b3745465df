import { checkedLimits, type LimitRanges } from 'spimpl-runtime/core'
import { HEADER_BYTES, MAX_SELECTIVE_ACK_BYTES } from './wire/packet.ts'
import { MAX_UTP_PACKET_BYTES } from './wire/size.ts'

/** The bounds of one stream. Each has a default; the caller that opens a stream passes the ones that differ. */
export interface StreamLimits {
  /** The largest packet to send, its 20-byte header included. */
  readonly maxPacketBytes: number
  /** Bytes that the peer may send; beyond it the stream fails with STREAM_TOO_LARGE. */
  readonly maxReceiveBytes: number
  /** Bytes that may be written; beyond it the stream fails with STREAM_TOO_LARGE. */
  readonly maxSendBytes: number
  /** Received bytes that the consumer has not read yet; the advertised window is what is left of it. */
  readonly receiveBufferBytes: number
  /** When the unsent bytes fall below this mark, the stream emits 'writable'. */
  readonly writeLowWaterBytes: number
  /** The ceiling of the congestion window: bytes in flight. */
  readonly maxWindowBytes: number
  /**
   * Packets between the oldest unacknowledged one and the next one to send. Peers drop a packet that is 1,024 or more
   * ahead (libutp and nim-eth, `REORDER_BUFFER_MAX_SIZE`).
   */
  readonly maxWindowPackets: number
  /** The length of the selective ack bitmask. nim-eth drops a packet whose mask is not 4 bytes long. */
  readonly selectiveAckBytes: number
  /** From 'open' until the stream is established. */
  readonly connectTimeoutMs: number
  /** The first wait for the answer to a SYN; it doubles with each repetition. */
  readonly synTimeoutMs: number
  /** After this silence of the peer the stream fails with STREAM_IDLE. */
  readonly idleTimeoutMs: number
  /** After this time the stream fails with STREAM_TIMEOUT, whatever it is doing. */
  readonly totalTimeoutMs: number
  /** After this silence of our own an ack leaves, so that the peer and middle boxes keep the stream. */
  readonly keepAliveMs: number
  /** Retransmission timeouts in a row, without a sign of life, before the stream fails with STREAM_TIMEOUT. */
  readonly maxTimeouts: number
  /** The shortest retransmission timeout (BEP 29: 500 ms). */
  readonly minTimeoutMs: number
  readonly maxTimeoutMs: number
  /** How long our acknowledged FIN waits for the peer's FIN, if the peer has sent data too. */
  readonly finishTimeoutMs: number
  /**
   * False: the first acknowledged FIN, of either end, ends a stream in which the other end never wrote, as in libutp,
   * nim-eth and the flows of the Portal specification. True: each end finishes on its own.
   */
  readonly allowHalfOpen: boolean
}

/** The limits of a stream unless the caller changes them. */
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

/** The largest UDP payload. */
const MAX_UDP_BYTES = 65_507

const STREAM_RANGES: LimitRanges<StreamLimits> = {
  maxPacketBytes: { min: HEADER_BYTES + 1, max: MAX_UDP_BYTES, step: 1 },
  selectiveAckBytes: { min: 4, max: MAX_SELECTIVE_ACK_BYTES, step: 4 },
  maxWindowPackets: { min: 2, max: 1023, step: 1 },
}

/** @throws SpimplError `CONFIG_INVALID` */
export function streamLimits(changes?: Partial<StreamLimits>): StreamLimits {
  return checkedLimits('a uTP stream', defaultStreamLimits, changes, STREAM_RANGES)
}

/** Bounds on the table of streams: open streams, expectations, and replies to packets of no stream. */
export interface StreamsLimits {
  /** Open streams; beyond it a SYN is refused with a RESET, and 'initiate' with STREAM_LIMIT. */
  readonly maxStreams: number
  readonly maxStreamsPerPeer: number
  /** Connections that peers were told to make and have not made yet. */
  readonly maxExpectations: number
  readonly expectTimeoutMs: number
  /** Closed streams whose peer may still repeat its FIN. */
  readonly maxLingering: number
  readonly lingerMs: number
  /** RESETs and last acks in one second, to all peers together. */
  readonly maxAnswersPerSecond: number
  /** Of those, to one peer. */
  readonly maxAnswersOfPeerPerSecond: number
}

/** The limits of the table unless the caller changes them. */
export const defaultStreamsLimits: StreamsLimits = {
  maxStreams: 1024,
  maxStreamsPerPeer: 128,
  maxExpectations: 1024,
  expectTimeoutMs: 20_000,
  maxLingering: 1024,
  lingerMs: 15_000,
  maxAnswersPerSecond: 1000,
  maxAnswersOfPeerPerSecond: 100,
}

/** @throws SpimplError `CONFIG_INVALID` */
export function streamsLimits(changes?: Partial<StreamsLimits>): StreamsLimits {
  return checkedLimits('the table of uTP streams', defaultStreamsLimits, changes)
}
