/** What goes into the table of streams and what comes out of it. */
import type { StreamErrorCode } from '../../errors.ts'

/** Who is at the other end: a node record, or anything that knows its node id. */
export interface StreamPeer {
  /** 0x and 64 digits. */
  readonly nodeIdHex: string
}

/** Numbers a stream for as long as the table lives; never used twice. */
export type StreamId = number

/** What may happen to the table of streams. `ref` is the caller's number: it comes back with the outcome. */
export type StreamsInput<Peer extends StreamPeer> =
  /** uTP packets of one node, in the order of their arrival. */
  | { readonly type: 'packets'; readonly peer: Peer; readonly packets: readonly Uint8Array[] }
  /** We connect, with the connection id that the peer's message named. Answered by 'opened' or 'refused' with `ref`. */
  | { readonly type: 'initiate'; readonly ref: number; readonly peer: Peer; readonly connectionId: number }
  /**
   * The peer may connect with the connection id that our message named. Answered by 'opened' once its SYN arrives, by 'refused'
   * at once, or when the peer declines, or by 'expired' after `timeoutMs`.
   */
  | {
      readonly type: 'expect'
      readonly ref: number
      readonly peer: Peer
      readonly connectionId: number
      readonly timeoutMs?: number
    }
  /** We shall not connect with the connection id that the peer's message named: it need not wait. */
  | { readonly type: 'decline'; readonly peer: Peer; readonly connectionId: number }
  /** Takes an expectation back; nothing is answered. */
  | { readonly type: 'forget'; readonly ref: number }
  /** The stream has said 'closed'; `farewell` comes from there. */
  | { readonly type: 'closed'; readonly stream: StreamId; readonly farewell: Uint8Array | undefined }
  | { readonly type: 'timeout' }

/** What the table wants done; every 'initiate' and 'expect' gets one outcome. */
export type StreamsOutput<Peer extends StreamPeer> =
  /** Start a stream: `UtpConnection.initiate` when `initiated`, else `UtpConnection.accept`, both with `connectionId`. */
  | {
      readonly type: 'opened'
      readonly ref: number
      readonly stream: StreamId
      readonly peer: Peer
      readonly connectionId: number
      readonly initiated: boolean
    }
  | { readonly type: 'refused'; readonly ref: number; readonly code: StreamErrorCode; readonly detail: string }
  /** Nobody came. */
  | { readonly type: 'expired'; readonly ref: number }
  /** Packets for a stream: one output for each stream and input. */
  | { readonly type: 'deliver'; readonly stream: StreamId; readonly packets: readonly Uint8Array[] }
  /** Answers that no stream needs to give: RESET, and the last ack of a stream that is gone. */
  | { readonly type: 'send'; readonly peer: Peer; readonly packets: readonly Uint8Array[] }

/** How many streams, expectations and late answers there may be. */
export interface StreamsLimits {
  /** Streams at a time; beyond it SYNs are refused with a RESET and 'initiate' with STREAM_LIMIT. */
  readonly maxStreams: number
  readonly maxStreamsPerPeer: number
  /** Connections that peers were told to make and have not made yet. */
  readonly maxExpectations: number
  readonly expectTimeoutMs: number
  /** Streams that are gone and whose peer may still repeat its FIN. */
  readonly maxLingering: number
  readonly lingerMs: number
  /** RESETs and last acks in one second, to all peers together. */
  readonly maxAnswersPerSecond: number
  /** Of those, to one peer. */
  readonly maxAnswersOfPeerPerSecond: number
}

/** The first three are present sizes, the others counts since the beginning. */
export interface StreamsStats {
  readonly streams: number
  readonly expectations: number
  readonly lingering: number
  readonly opened: number
  readonly refused: number
  readonly expired: number
  /** Packets that are no uTP packets. */
  readonly malformed: number
  /** Packets of no stream. */
  readonly unknown: number
  readonly answered: number
  /** Answers that the rate limit kept back. */
  readonly withheld: number
}

/** Limits of the table unless told. */
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
