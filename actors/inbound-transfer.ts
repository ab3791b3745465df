import type { ErrorCode } from '../src/errors.ts'
import { ContentFrames } from '../src/portal/content-frames.ts'
import type { ContentName, TransferRequest } from '../src/portal/portal.ts'
import { behavior } from '../src/runtime/runtime.ts'
import { ending, PREFIX_BYTES, type TransferMessage, type TransferOptions } from './transfer.ts'

type Inbound = Extract<TransferRequest, { readonly type: 'fetch' | 'receive' }>

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
    const end = ending(context, overlay, request)
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
        const { item } = result.value
        // nimbus sends nothing in the place of an offered item that it no longer has (portal_protocol.nim, offer).
        if (item?.length === 0 && request.type === 'receive') index += 1
        else if (item !== undefined) judge(item)
      }
      if (taken > 0) end.stream()?.tell({ type: 'read', bytes: taken })
      if (judged === undefined && index === names.length) {
        end.done()
        return
      }
      if (judged !== undefined || !streamEnded) return
      const last = shortfall === 'STREAM_CLOSED' ? frames.end() : undefined
      if (last === undefined) end.failed(shortfall)
      else judge(last)
    }

    const accepted = (content: Uint8Array, stored: boolean): void => {
      overlay.tell({ type: 'transfer-item', ref, index, content, stored })
      index += 1
      judged = undefined
      advance()
    }

    const type = request.type === 'fetch' ? 'initiate' : 'expect'
    const maxReceiveBytes = names.length * (maxItemBytes + PREFIX_BYTES)
    streams.tell({ type, peer, connectionId, owner: context.self, limits: { maxReceiveBytes } })

    return {
      'stream-opened'(message) {
        if (request.type === 'receive') overlay.tell({ type: 'transfer-begun', ref })
        end.opened(message)
      },
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
