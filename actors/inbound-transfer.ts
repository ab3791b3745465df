import { behavior, lend } from 'spimpl-runtime'
import type { ErrorCode } from '../src/errors.ts'
import { Backlog } from '../src/portal/content/backlog.ts'
import { ContentFrames } from '../src/portal/content/content-frames.ts'
import type { ContentName, TransferOrder } from '../src/portal/portal.ts'
import { ending, PREFIX_BYTES, type TransferMessage, type TransferOptions, totalTimeoutMs } from './transfer.ts'

type Inbound = Extract<TransferOrder, { readonly type: 'fetch' | 'receive' }>

/** Items up to this size need no room to be given: a stream's window holds more. */
const FREE_ITEM_BYTES = 64 * 1024

/**
 * One retrieval or one accepted offer, from its first byte to stored: reads a stream, cuts it into items, has each validated, then
 * stored, and only then takes more. What it has not taken is the receive window that the peer sees.
 */
export function inboundTransfer(request: Inbound, options: TransferOptions) {
  return behavior<TransferMessage>(context => {
    const { streams, storage, validation, overlay, maxItemBytes } = options
    const { ref, peer, connectionId, prefixed } = request
    const names: readonly ContentName[] = request.type === 'fetch' ? [request] : request.items
    const frames = new ContentFrames({ prefixed, maxItemBytes, freeItemBytes: FREE_ITEM_BYTES })
    const backlog = new Backlog()
    const end = ending(context, overlay, request)
    let streamEnded = false
    let failed = false
    /** What a missing item is reported as. */
    let shortfall: ErrorCode = 'STREAM_CLOSED'
    let index = 0
    let judged: Uint8Array | undefined
    let awaitsRoom = false

    const judge = (item: Uint8Array): void => {
      judged = item
      validation.tell({ type: 'validate', ref: index, key: names[index]!.key, bytes: lend(item), client: context.self })
    }

    const mayTake = (): boolean => !failed && judged === undefined && !awaitsRoom && index < names.length

    /** Takes bytes up to the end of an item, or to where one begins that wants room. Returns how many. */
    const take = (bytes: Uint8Array): number => {
      let at = 0
      while (mayTake() && at < bytes.length) {
        const result = frames.take(bytes, at)
        if (!result.ok) {
          failed = true
          end.failed(result.code, 'STREAM_TOO_LARGE')
          return at
        }
        at += result.value.used
        const { item } = result.value
        if (frames.wantedBytes !== undefined) {
          awaitsRoom = true
          overlay.tell({ type: 'transfer-size', ref, bytes: frames.wantedBytes })
          // nimbus sends nothing in the place of an offered item that it no longer has (portal_protocol.nim, offer).
        } else if (item?.length === 0 && request.type === 'receive') index += 1
        else if (item !== undefined) judge(item)
      }
      return at
    }

    /** The window opens by what was taken; what the end of the stream means is settled when nothing waits any more. */
    const conclude = (taken: number): void => {
      if (failed) return
      if (taken > 0) end.stream()?.tell({ type: 'read', bytes: taken })
      if (judged === undefined && index === names.length) {
        end.done()
        return
      }
      if (judged !== undefined || awaitsRoom || !streamEnded) return
      const last = shortfall === 'STREAM_CLOSED' ? frames.end() : undefined
      if (last === undefined) end.failed(shortfall)
      else judge(last)
    }

    /** The rest waits until the item is judged, or has room. */
    const arrived = (chunks: readonly Uint8Array[]): void => {
      let taken = 0
      for (const chunk of chunks) {
        const used = backlog.bytes === 0 ? take(chunk) : 0
        taken += used
        if (used < chunk.length) backlog.push(chunk.subarray(used))
      }
      conclude(taken)
    }

    const advance = (): void => {
      const taken = take(backlog.view())
      backlog.skip(taken)
      conclude(taken)
    }

    const accepted = (content: Uint8Array, stored: boolean): void => {
      overlay.tell({ type: 'transfer-item', ref, index, content, stored })
      index += 1
      judged = undefined
      advance()
    }

    const type = request.type === 'fetch' ? 'initiate' : 'expect'
    const maxReceiveBytes = names.length * (maxItemBytes + PREFIX_BYTES)
    const limits = { maxReceiveBytes, totalTimeoutMs: totalTimeoutMs(request) }
    streams.tell({ type, peer, connectionId, owner: context.self, limits })

    return {
      'stream-opened'(message) {
        if (request.type === 'receive') overlay.tell({ type: 'transfer-begun', ref })
        end.opened(message)
      },
      'stream-data': ({ chunks }) => arrived(chunks),
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
        end.closed(message)
        advance()
      },
      verdict({ result }) {
        if (judged === undefined) return
        if (!result.ok) {
          end.failed(result.code)
          return
        }
        const { key, contentId } = names[index]!
        storage.tell({ type: 'keep', ref: index, contentId, key, value: lend(judged), client: context.self })
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
      room() {
        awaitsRoom = false
        frames.allow()
        advance()
      },
      cancel: end.cancelled,
    }
  })
}
