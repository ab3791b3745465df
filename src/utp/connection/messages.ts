/** The inputs and outputs of one uTP stream. */
import type { StreamErrorCode } from '../../errors.ts'
import type { ConnectionState } from './connection-machine.ts'

/** The inputs of a stream. */
export type StreamInput =
  /**
   * Starts the timers: the initiator sends its SYN, the acceptor waits for one. Any other first input does the same.
   */
  | { readonly type: 'open' }
  /** Packets of this stream in the order of their arrival; their buffers belong to the stream from now on. */
  | { readonly type: 'packets'; readonly packets: readonly Uint8Array[] }
  /** Bytes to send. They are kept by reference until they are acknowledged: the writer does not touch them again. */
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /** No write follows: a FIN leaves after the written bytes. */
  | { readonly type: 'finish' }
  /** The consumer has read this many bytes of what 'data' brought: the window opens by them. */
  | { readonly type: 'read'; readonly bytes: number }
  /** Ends the stream now: the peer gets a RESET, and `closed` carries `reason`. */
  | { readonly type: 'reset'; readonly reason: StreamErrorCode }
  | { readonly type: 'timeout' }

/** The outputs of a stream. */
export type StreamOutput =
  /** At most one for each input. The buffers belong to the receiver. */
  | { readonly type: 'send'; readonly packets: readonly Uint8Array[] }
  | { readonly type: 'connected' }
  /** Bytes in order: views of the packets that brought them. The consumer gives them back with 'read'. */
  | { readonly type: 'data'; readonly chunks: readonly Uint8Array[]; readonly bytes: number }
  /** The unsent bytes fell below the low-water mark; `bytes` more may be written until the size limit of the stream. */
  | { readonly type: 'writable'; readonly bytes: number }
  /** The peer has sent its last byte, and 'data' has brought it. */
  | { readonly type: 'peer-finished' }
  /** Everything written and our FIN are acknowledged: the peer has all of it. */
  | { readonly type: 'delivered' }
  /** The last output of a stream. */
  | {
      readonly type: 'closed'
      readonly reason: 'finished' | StreamErrorCode
      /** Of STREAM_RESET: why the peer ended the stream, if it said so (reset-reason.ts). */
      readonly peerReason: StreamErrorCode | undefined
      readonly detail: string
      readonly stats: StreamStats
      /**
       * The reply to late packets of this stream, such as a FIN whose ack was lost. Undefined: a RESET is the reply.
       */
      readonly lastAck: Uint8Array | undefined
    }

/** Counts of one stream since its start. */
export interface StreamStats {
  /** Payload bytes that the peer acknowledged. */
  readonly bytesSent: number
  /** Payload bytes in order from the peer. */
  readonly bytesReceived: number
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly retransmits: number
  /** Retransmission timeouts. */
  readonly timeouts: number
  /** Packets that brought nothing new. */
  readonly duplicates: number
  /** Packets that belong to no stream: malformed, of another connection id, far outside the window. */
  readonly refused: number
  /** Smoothed round-trip time; 0 before the first sample. */
  readonly rttMs: number
  readonly congestionWindowBytes: number
  readonly durationMs: number
}

/** The present state of a stream, for `inspect`, traces and logs. */
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
  readonly outOfOrderPackets: number
  readonly stats: StreamStats
}
