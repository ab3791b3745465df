import { behavior, lend, type Ref } from 'spimpl-runtime'
import type { Core } from 'spimpl-runtime/core'
import {
  InboundTransfer,
  OutboundTransfer,
  type TransferEvent,
  type TransferInput,
  type TransferOrder,
  type TransferOutput,
} from '../src/portal/portal.ts'
import type { StorageAnswer, StorageMessage } from './storage.ts'
import type { StreamEvent, StreamMessage } from './stream.ts'
import type { StreamsMessage } from './streams.ts'
import type { ValidationRequest, Verdict } from './validation.ts'

export type TransferMessage =
  | StreamEvent
  | Verdict
  | StorageAnswer
  | Extract<TransferInput, { readonly type: 'room' | 'cancel' }>

export interface TransferOptions {
  readonly streams: Ref<StreamsMessage>
  readonly storage: Ref<StorageMessage>
  readonly validation: Ref<ValidationRequest>
  readonly overlay: Ref<TransferEvent>
  /** The largest content item of the sub-network. */
  readonly maxItemBytes: number
}

function coreOf(order: TransferOrder, options: TransferOptions): Core<TransferInput, TransferOutput> {
  return order.type === 'fetch' || order.type === 'receive'
    ? new InboundTransfer(order, options)
    : new OutboundTransfer(order, options)
}

/** Owns one end of a transfer between its stream, validation and storage. It stops when its stream has closed. */
export function transfer(order: TransferOrder, options: TransferOptions) {
  return behavior<TransferMessage>(context => {
    const { streams, storage, validation, overlay } = options
    const { self } = context
    const core = coreOf(order, options)
    let stream: Ref<StreamMessage> | undefined
    /** How the stream ended, for the log. */
    let streamEnd: string | undefined

    const carry = (output: TransferOutput): void => {
      switch (output.type) {
        case 'initiate':
        case 'expect':
          streams.tell({ ...output, owner: self })
          break
        case 'read':
        case 'write':
        case 'finish':
        case 'reset':
          stream?.tell(output)
          break
        case 'validate':
          validation.tell({
            type: 'validate',
            ref: output.ref,
            key: output.key,
            bytes: lend(output.content),
            client: self,
          })
          break
        case 'keep': {
          const { ref, key, contentId, content } = output
          storage.tell({ type: 'keep', ref, key, contentId, value: lend(content), client: self })
          break
        }
        case 'want-content':
          storage.tell({ type: 'read', ref: output.ref, contentId: output.contentId, client: self })
          break
        case 'transfer-failed': {
          const { type, peer } = order
          context.log.debug('a transfer failed', { transfer: type, peer: peer.nodeIdHex, code: output.code, streamEnd })
          overlay.tell(output)
          break
        }
        case 'over':
          context.stop()
          break
        default:
          overlay.tell(output)
      }
    }
    const feed = (input: TransferInput): void => core.handle(input, context.now(), carry)
    feed({ type: 'start' })

    return {
      'stream-opened'(message) {
        stream = message.stream
        feed(message)
      },
      'stream-data': feed,
      'stream-writable': feed,
      'stream-ended': feed,
      'stream-delivered': feed,
      'stream-closed'(message) {
        stream = undefined
        streamEnd = message.reason === 'finished' ? message.reason : message.detail
        feed(message)
      },
      verdict: feed,
      'content-kept': feed,
      'keep-failed': feed,
      'content-read': feed,
      presence: () => {},
      room: feed,
      cancel: feed,
    }
  })
}
