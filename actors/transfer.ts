import { encodeVarint } from '../src/codec/varint.ts'
import type { ErrorCode, StreamErrorCode } from '../src/errors.ts'
import { ContentFrames } from '../src/portal/content-frames.ts'
import type { ContentName, OfferedContent, TransferEvent, TransferRequest } from '../src/portal/portal.ts'
import { type ActorContext, behavior, type Ref } from '../src/runtime/runtime.ts'
import { defaultStreamLimits } from '../src/utp/utp.ts'
import type { StorageAnswer, StorageMessage } from './storage.ts'
import type { StreamEvent, StreamMessage } from './stream.ts'
import type { StreamsMessage } from './streams.ts'
import type { ValidationMessage, Verdict } from './validation.ts'

export type TransferMessage =
  | StreamEvent
  | Verdict
  | StorageAnswer
  /** Nobody wants it any more. */
  | { readonly type: 'cancel' }

/** What both directions of a transfer are given. */
export interface TransferOptions {
  readonly streams: Ref<StreamsMessage>
  readonly storage: Ref<StorageMessage>
  readonly validation: Ref<ValidationMessage>
  /** Hears `transfer-item`, `transfer-done` and `transfer-failed`. */
  readonly overlay: Ref<TransferEvent>
  /** The largest content item of the sub-network. */
  readonly maxItemBytes: number
}

type Inbound = Extract<TransferRequest, { readonly type: 'fetch' | 'receive' }>
type Outbound = Extract<TransferRequest, { readonly type: 'serve' | 'send' }>

/** An offer has at most 64 items, each with a prefix of at most 5 bytes. */
const PREFIX_BYTES = 5

/**
 * One retrieval or one accepted offer, from its first byte to stored: reads a stream, cuts it into items, has each validated, then
 * stored, and only then takes more. What it has not taken is the receive window that the peer sees.
 */
export function inboundTransfer(request: Inbound, options: TransferOptions) {
  return behavior<TransferMessage>(context => {
    const { streams, storage, validation, overlay, maxItemBytes } = options
    const { ref, peer, connectionId, prefixed } = request
    const names: readonly ContentName[] = request.type === 'fetch' ? [request] : request.items
    const frames = new ContentFrames({ prefixed, maxItemBytes })
    const end = ending(context, overlay, ref)
    let chunks: Uint8Array[] = []
    let chunkOffset = 0
    let streamEnded = false
    /** What a missing item is reported as. */
    let shortfall: ErrorCode = 'STREAM_CLOSED'
    let index = 0
    let judged: Uint8Array | undefined

    const judge = (item: Uint8Array): void => {
      judged = item
      validation.tell({ type: 'validate', ref: index, key: names[index]!.key, bytes: item, client: context.self })
    }

    /** Takes bytes up to the end of an item; the rest waits until the item is judged. */
    const advance = (): void => {
      let taken = 0
      while (judged === undefined && index < names.length && chunks.length > 0) {
        const chunk = chunks[0]!
        const result = frames.take(chunk, chunkOffset)
        if (!result.ok) {
          end.failed(result.code, 'STREAM_TOO_LARGE')
          return
        }
        taken += result.value.used
        chunkOffset += result.value.used
        if (chunkOffset === chunk.length) {
          chunks.shift()
          chunkOffset = 0
        }
        if (result.value.item !== undefined) judge(result.value.item)
      }
      if (taken > 0) end.stream()?.tell({ type: 'read', bytes: taken })
      if (judged !== undefined || index === names.length || !streamEnded) return
      const last = shortfall === 'STREAM_CLOSED' ? frames.end() : undefined
      if (last === undefined) end.failed(shortfall)
      else judge(last)
    }

    const accepted = (content: Uint8Array, stored: boolean): void => {
      overlay.tell({ type: 'transfer-item', ref, index, content, stored })
      index += 1
      judged = undefined
      if (index === names.length) end.done()
      else advance()
    }

    const type = request.type === 'fetch' ? 'initiate' : 'expect'
    const maxReceiveBytes = names.length * (maxItemBytes + PREFIX_BYTES)
    streams.tell({ type, peer, connectionId, owner: context.self, limits: { maxReceiveBytes } })

    return {
      'stream-opened': end.opened,
      'stream-data': message => {
        chunks = chunks.length === 0 ? [...message.chunks] : chunks.concat(message.chunks)
        advance()
      },
      'stream-writable': () => {},
      'stream-ended': () => {
        streamEnded = true
        advance()
      },
      'stream-delivered': () => {},
      'stream-closed': message => {
        streamEnded = true
        // What arrived whole before a reset is still good.
        if (message.reason !== 'finished') shortfall = message.reason
        end.closed()
        advance()
      },
      verdict({ result }) {
        if (judged === undefined) return
        if (!result.ok) {
          end.failed(result.code)
          return
        }
        const { key, contentId } = names[index]!
        storage.tell({ type: 'keep', ref: index, contentId, key, value: judged, client: context.self })
      },
      'content-kept': ({ outcome }) => {
        if (judged !== undefined) accepted(judged, outcome.stored)
      },
      // A store that cannot write makes the content no less valid for whoever waits for it.
      'keep-failed': () => {
        if (judged !== undefined) accepted(judged, false)
      },
      'content-read': () => {},
      presence: () => {},
      cancel: end.cancelled,
    }
  })
}

/** Writes items to a stream in their order; those that are in the store are read when the stream has room. */
export function outboundTransfer(request: Outbound, options: TransferOptions) {
  return behavior<TransferMessage>(context => {
    const { streams, storage, overlay, maxItemBytes } = options
    const { ref, peer, connectionId, prefixed } = request
    const items: readonly OfferedContent[] = request.type === 'serve' ? [request] : request.items
    const end = ending(context, overlay, ref)
    let next = 0
    let unsentBytes = 0

    const write = (content: Uint8Array): void => {
      const stream = end.stream()
      if (prefixed) stream?.tell({ type: 'write', bytes: encodeVarint(content.length) })
      stream?.tell({ type: 'write', bytes: content })
      next += 1
      unsentBytes += content.length
      if (next === items.length) stream?.tell({ type: 'finish' })
      else proceed()
    }

    /** The next item goes to the stream, from here or from the store, unless the stream has enough to send for a while. */
    const proceed = (): void => {
      if (next === items.length || unsentBytes >= defaultStreamLimits.writeLowWaterBytes) return
      const { content, contentId } = items[next]!
      if (content === undefined) storage.tell({ type: 'read', ref: next, contentId, client: context.self })
      else write(content)
    }

    const type = request.type === 'serve' ? 'expect' : 'initiate'
    const maxSendBytes = items.length * (maxItemBytes + PREFIX_BYTES)
    streams.tell({ type, peer, connectionId, owner: context.self, limits: { maxSendBytes } })

    return {
      'stream-opened': message => {
        end.opened(message)
        proceed()
      },
      'stream-data': ({ bytes }) => {
        end.stream()?.tell({ type: 'read', bytes })
      },
      'stream-writable': () => {
        unsentBytes = 0
        proceed()
      },
      'stream-ended': () => {},
      'stream-delivered': end.done,
      'stream-closed': ({ reason }) => {
        end.closed()
        if (reason === 'finished' && next === items.length) end.done()
        else end.failed(reason === 'finished' ? 'STREAM_CLOSED' : reason)
      },
      'content-read': ({ ref: item, content }) => {
        if (item !== next) return
        if (content !== undefined) write(content)
        else end.failed('CONTENT_NOT_FOUND') // evicted since it was offered
      },
      verdict: () => {},
      'content-kept': () => {},
      'keep-failed': () => {},
      presence: () => {},
      cancel: end.cancelled,
    }
  })
}

/** How a transfer ends: it reports once, and lives on until its stream has closed, so that the stream ends in order. */
function ending(context: ActorContext<TransferMessage>, overlay: Ref<TransferEvent>, ref: number) {
  let stream: Ref<StreamMessage> | undefined
  let reported = false
  let streamGone = false

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
      if (!reported && !streamGone) stream?.tell({ type: 'reset', reason: reset })
      report({ type: 'transfer-failed', ref, code })
    },
    cancelled(): void {
      reported = true
      stream?.tell({ type: 'reset', reason: 'STREAM_CLOSED' })
      if (streamGone || stream === undefined) context.stop()
    },
    closed(): void {
      streamGone = true
      stream = undefined
      if (reported) context.stop()
    },
  }
}
