import type { ActorContext, Ref } from 'spimpl-runtime'
import type { ErrorCode, StreamErrorCode } from '../src/errors.ts'
import type { TransferEvent, TransferOrder } from '../src/portal/portal.ts'
import { defaultStreamLimits } from '../src/utp/utp.ts'
import type { StorageAnswer, StorageMessage } from './storage.ts'
import type { StreamEvent, StreamMessage } from './stream.ts'
import type { StreamsMessage } from './streams.ts'
import type { ValidationRequest, Verdict } from './validation.ts'

export type TransferMessage =
  | StreamEvent
  | Verdict
  | StorageAnswer
  /** There is memory for the item whose size was told. */
  | { readonly type: 'room' }
  /** Nobody wants it any more. */
  | { readonly type: 'cancel' }

/** What both directions of a transfer are given. */
export interface TransferOptions {
  readonly streams: Ref<StreamsMessage>
  readonly storage: Ref<StorageMessage>
  readonly validation: Ref<ValidationRequest>
  /** Hears `transfer-begun`, `transfer-size`, `transfer-item`, `transfer-done` and `transfer-failed`. */
  readonly overlay: Ref<TransferEvent>
  /** The largest content item of the sub-network. */
  readonly maxItemBytes: number
}

/** An offer has at most 64 items, each with a prefix of at most 5 bytes. */
export const PREFIX_BYTES = 5

/** So long nimbus waits for an item (portal_stream.nim). */
const OFFERED_ITEM_MS = 60_000

/**
 * How long the stream of a transfer may last. Of what is offered, a minute for each item, and one more: one that drips holds a slot, at
 * whichever end, that others are refused for. Who fetches may wait, and pays for nobody else.
 */
export function totalTimeoutMs(order: TransferOrder): number {
  const longest = defaultStreamLimits.totalTimeoutMs
  return 'items' in order ? Math.min(longest, OFFERED_ITEM_MS * (order.items.length + 1)) : longest
}

/** How a transfer ends: it reports once, and lives on until its stream has closed, so that the stream ends in order. */
export function ending(
  context: ActorContext<TransferMessage>,
  overlay: Ref<TransferEvent>,
  { type, ref, peer }: TransferOrder,
) {
  let stream: Ref<StreamMessage> | undefined
  let reported = false
  let streamGone = false
  /** How the stream ended, for the log: a RESET may say why. */
  let streamEnd: string | undefined

  const report = (event: TransferEvent): void => {
    if (reported) return
    reported = true
    overlay.tell(event)
    if (streamGone) context.stop()
  }

  return {
    stream: () => stream,
    opened(message: Extract<StreamEvent, { readonly type: 'stream-opened' }>): void {
      stream = message.stream
      if (reported) stream.tell({ type: 'reset', reason: 'STREAM_CLOSED' })
    },
    done(): void {
      report({ type: 'transfer-done', ref })
      stream?.tell({ type: 'finish' })
    },
    /** @param reset what the peer is told, where the stream still stands */
    failed(code: ErrorCode, reset: StreamErrorCode = 'STREAM_CLOSED'): void {
      if (!reported) context.log.debug('a transfer failed', { transfer: type, peer: peer.nodeIdHex, code, streamEnd })
      if (!reported && !streamGone) stream?.tell({ type: 'reset', reason: reset })
      report({ type: 'transfer-failed', ref, code })
    },
    cancelled(): void {
      reported = true
      stream?.tell({ type: 'reset', reason: 'STREAM_CLOSED' })
      if (streamGone || stream === undefined) context.stop()
    },
    closed({ reason, detail }: Extract<StreamEvent, { readonly type: 'stream-closed' }>): void {
      streamGone = true
      streamEnd = reason === 'finished' ? reason : detail
      stream = undefined
      if (reported) context.stop()
    },
  }
}
