import type { StreamErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { StreamLimits } from '../../utp/utp.ts'
import type { ContentFailure, TransferEvent } from '../messages.ts'

/** Everything that can happen to one transfer. A `ref` is the index of an item of its order. */
export type TransferInput =
  /** The first input. */
  | { readonly type: 'start' }
  | { readonly type: 'stream-opened' }
  /** Bytes in order. The output `read` gives them back to the receive window. */
  | { readonly type: 'stream-data'; readonly chunks: readonly Uint8Array[]; readonly bytes: number }
  /** The stream has sent most of what was written. */
  | { readonly type: 'stream-writable' }
  /** The peer has sent its last byte. */
  | { readonly type: 'stream-ended' }
  /** The peer has acknowledged everything that was written. */
  | { readonly type: 'stream-delivered' }
  /** The last input from the stream, also if it was never opened. */
  | { readonly type: 'stream-closed'; readonly reason: 'finished' | StreamErrorCode }
  /** Answers `validate`. */
  | { readonly type: 'verdict'; readonly ref: number; readonly valid: true }
  | ({ readonly type: 'verdict'; readonly ref: number; readonly valid: false } & ContentFailure)
  /** Answer `keep`. */
  | { readonly type: 'content-kept'; readonly ref: number; readonly outcome: { readonly stored: boolean } }
  | { readonly type: 'keep-failed'; readonly ref: number }
  /** Answers `want-content`. */
  | { readonly type: 'content-read'; readonly ref: number; readonly content: Uint8Array | undefined }
  /** There is memory for the item whose `transfer-size` was reported. */
  | { readonly type: 'room' }
  /** The transfer is not needed any more. */
  | { readonly type: 'cancel' }

/** Everything that one transfer wants done. */
export type TransferOutput =
  /** Connect a stream to the peer, or wait until the peer does. */
  | {
      readonly type: 'initiate' | 'expect'
      readonly peer: NodeRecord
      readonly connectionId: number
      readonly limits: Partial<StreamLimits>
    }
  /** To the stream: so many bytes were taken. */
  | { readonly type: 'read'; readonly bytes: number }
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  | { readonly type: 'finish' }
  | { readonly type: 'reset'; readonly reason: StreamErrorCode }
  /** To validation. */
  | { readonly type: 'validate'; readonly ref: number; readonly key: Uint8Array; readonly content: Uint8Array }
  /** To the store. */
  | {
      readonly type: 'keep'
      readonly ref: number
      readonly key: Uint8Array
      readonly contentId: Uint8Array
      readonly content: Uint8Array
    }
  | { readonly type: 'want-content'; readonly ref: number; readonly contentId: Uint8Array }
  /** To the overlay. */
  | TransferEvent
  /** The last output: the transfer was reported or cancelled, and its stream has closed. */
  | { readonly type: 'over' }
