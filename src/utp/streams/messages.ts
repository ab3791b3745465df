/** The inputs and outputs of the table of streams. */
import type { StreamErrorCode } from '../../errors.ts'

/** The other end of a stream: a node record, or anything that has its node id. */
export interface StreamPeer {
  /** 0x and 64 digits. */
  readonly nodeIdHex: string
}

/** The number of a stream, never used twice while the table lives. */
export type StreamId = number

/** The inputs of the table of streams. `ref` is the caller's number: it comes back with the outcome. */
export type StreamsInput<Peer extends StreamPeer> =
  /** uTP packets of one node, in the order of their arrival. */
  | { readonly type: 'packets'; readonly peer: Peer; readonly packets: readonly Uint8Array[] }
  /** We connect, with the connection id that the peer's message named. The outcome is 'opened' or 'refused'. */
  | { readonly type: 'initiate'; readonly ref: number; readonly peer: Peer; readonly connectionId: number }
  /**
   * The peer may connect with the connection id that our message named. The outcome is 'opened' when its SYN arrives,
   * 'refused' at once or when the peer declines, or 'expired' after `timeoutMs`.
   */
  | {
      readonly type: 'expect'
      readonly ref: number
      readonly peer: Peer
      readonly connectionId: number
      readonly timeoutMs?: number
    }
  /** We do not connect with the connection id that the peer's message named: a RESET tells the peer. */
  | { readonly type: 'decline'; readonly peer: Peer; readonly connectionId: number }
  /** Takes an expectation back, without an outcome. */
  | { readonly type: 'forget'; readonly ref: number }
  /** The stream has emitted 'closed', which also brings `lastAck`. */
  | { readonly type: 'closed'; readonly stream: StreamId; readonly lastAck: Uint8Array | undefined }
  /** The owner of the stream failed, perhaps before 'closed'. A stream that is open then is 'lost'. */
  | { readonly type: 'owner-gone'; readonly stream: StreamId }
  | { readonly type: 'timeout' }

/** The outputs of the table of streams. Every 'initiate' and 'expect' gets one outcome. */
export type StreamsOutput<Peer extends StreamPeer> =
  /** Start a stream: `UtpConnection.initiate` if `initiated`, else `UtpConnection.accept`, both with `connectionId`. */
  | {
      readonly type: 'opened'
      readonly ref: number
      readonly stream: StreamId
      readonly peer: Peer
      readonly connectionId: number
      readonly initiated: boolean
    }
  | { readonly type: 'refused'; readonly ref: number; readonly code: StreamErrorCode; readonly detail: string }
  /** The peer did not connect in time. */
  | { readonly type: 'expired'; readonly ref: number }
  /** The stream ended without 'closed', because its owner failed. */
  | { readonly type: 'lost'; readonly stream: StreamId; readonly code: StreamErrorCode; readonly detail: string }
  /** Packets for a stream: one output for each stream and input. */
  | { readonly type: 'deliver'; readonly stream: StreamId; readonly packets: readonly Uint8Array[] }
  /** Replies that need no stream: RESETs, and the last acks of closed streams. */
  | { readonly type: 'send'; readonly peer: Peer; readonly packets: readonly Uint8Array[] }

/** The first three are present sizes, the others counts since the start (counters.ts). */
export interface StreamsStats {
  readonly streams: number
  readonly expectations: number
  readonly lingering: number
  readonly opened: number
  readonly refused: number
  readonly expired: number
  readonly malformed: number
  readonly unknown: number
  readonly answered: number
  readonly withheld: number
}
