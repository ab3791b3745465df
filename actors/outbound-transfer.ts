import { behavior } from 'spimpl-runtime'
import { encodeVarint } from '../src/codec/varint.ts'
import type { OfferedContent, TransferOrder } from '../src/portal/portal.ts'
import { defaultStreamLimits } from '../src/utp/utp.ts'
import { ending, PREFIX_BYTES, type TransferMessage, type TransferOptions, totalTimeoutMs } from './transfer.ts'

type Outbound = Extract<TransferOrder, { readonly type: 'serve' | 'send' }>

/** Writes items to a stream in their order; those that are in the store are read when the stream has room. */
export function outboundTransfer(request: Outbound, options: TransferOptions) {
  return behavior<TransferMessage>(context => {
    const { streams, storage, overlay, maxItemBytes } = options
    const { peer, connectionId, prefixed } = request
    const items: readonly OfferedContent[] = request.type === 'serve' ? [request] : request.items
    const end = ending(context, overlay, request)
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
    const limits = { maxSendBytes, totalTimeoutMs: totalTimeoutMs(request) }
    streams.tell({ type, peer, connectionId, owner: context.self, limits })

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
      'stream-closed': message => {
        const { reason } = message
        end.closed(message)
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
      room: () => {},
      cancel: end.cancelled,
    }
  })
}
