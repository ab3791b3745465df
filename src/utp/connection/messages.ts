/** What goes into a uTP stream and what comes out of it. */
import type { StreamErrorCode } from '../../errors.ts'
import type { ConnectionState } from './connection-machine.ts'

/** What may happen to a stream. */
export type StreamInput =
  /** Starts the clocks: the initiator sends its SYN, the acceptor begins to wait. Any other first input does the same. */
  | { readonly type: 'open' }
  /** Packets of this stream in the order of their arrival; their buffers belong to the stream from now on. */
  | { readonly type: 'packets'; readonly packets: readonly Uint8Array[] }
  /** Bytes to send, kept by reference until they are acknowledged: the writer does not touch them again. */
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /** No more writes: a FIN follows what was written. */
  | { readonly type: 'finish' }
  /** The consumer has taken so many bytes of what 'data' brought: the window opens by them. */
  | { readonly type: 'read'; readonly bytes: number }
  /** Ends the stream now; the peer gets a RESET, `closed` says `reason`. */
  | { readonly type: 'reset'; readonly reason: StreamErrorCode }
  | { readonly type: 'timeout' }

/** What a stream wants done, and what became of it. */
export type StreamOutput =
  /** At most one for each input. The buffers belong to the receiver. */
  | { readonly type: 'send'; readonly packets: readonly Uint8Array[] }
  | { readonly type: 'connected' }
  /** Bytes in order; views of the packets that brought them. Give them back with 'read'. */
  | { readonly type: 'data'; readonly chunks: readonly Uint8Array[]; readonly bytes: number }
  /** The unsent bytes fell below the low-water mark; `bytes` more may be written to reach the size limit of the stream. */
  | { readonly type: 'writable'; readonly bytes: number }
  /** The peer has sent its last byte, and 'data' has brought it. */
  | { readonly type: 'peer-finished' }
  /** Everything written and our FIN were acknowledged: the peer has all of it. */
  | { readonly type: 'delivered' }
  /** The last output of a stream. */
  | {
      readonly type: 'closed'
      readonly reason: 'finished' | StreamErrorCode
      /** Of STREAM_RESET: the limit or wish that ended the stream at the peer, where it said so (reset-reason.ts). */
      readonly peerReason: StreamErrorCode | undefined
      readonly detail: string
      readonly stats: StreamStats
      /** What to answer to late packets of this stream (a repeated FIN whose ack was lost); undefined: a RESET. */
      readonly farewell: Uint8Array | undefined
    }

/** Counts of one stream since its beginning. */
export interface StreamStats {
  /** Payload bytes that were acknowledged by the peer. */
  readonly bytesSent: number
  /** Payload bytes in order from the peer. */
  readonly bytesReceived: number
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly retransmits: number
  /** Of the retransmits, those after a timeout. */
  readonly timeouts: number
  /** Packets that brought nothing new. */
  readonly duplicates: number
  /** Packets that no stream could mean: malformed, far outside the window. */
  readonly refused: number
  /** Smoothed round-trip time; 0 before the first measure. */
  readonly rttMs: number
  readonly congestionWindowBytes: number
  readonly durationMs: number
}

/** The present state of a stream, for people. */
export interface StreamSnapshot {
  readonly state: ConnectionState
  readonly initiator: boolean
  readonly receiveId: number
  readonly sendId: number
  readonly unsentBytes: number
  readonly inFlightBytes: number
  readonly peerWindowBytes: number
  readonly unreadBytes: number
  /** Packets that wait behind a gap. */
  readonly aheadPackets: number
  readonly stats: StreamStats
}
