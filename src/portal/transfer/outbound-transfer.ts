import { type Core, Turn } from 'spimpl-runtime/core'
import { encodeVarint } from '../../codec/varint.ts'
import { defaultStreamLimits } from '../../utp/utp.ts'
import type { OfferedContent, TransferOrder } from '../messages.ts'
import type { TransferInput, TransferOutput } from './messages.ts'
import { TransferStream } from './transfer-stream.ts'

/**
 * Content that we serve, or items of an offer that a peer accepted. It writes the items to a stream in order. An item
 * whose bytes are in the store is read when the stream has space for it.
 */
export class OutboundTransfer implements Core<TransferInput, TransferOutput> {
  readonly #prefixed: boolean
  readonly #items: readonly OfferedContent[]
  readonly #turn = new Turn<TransferOutput>()
  readonly #stream: TransferStream
  /** Of the next item to write. */
  #next = 0
  #isReading = false
  /** Bytes written since the stream was last writable. */
  #unsentBytes = 0

  constructor(
    order: Extract<TransferOrder, { readonly type: 'serve' | 'send' }>,
    { maxItemBytes }: { readonly maxItemBytes: number },
  ) {
    this.#prefixed = order.prefixed
    this.#items = order.type === 'serve' ? [order] : order.items
    this.#stream = new TransferStream(order, maxItemBytes, this.#turn)
  }

  /** A transfer has no timers: its stream has. */
  deadline(): number {
    return Number.POSITIVE_INFINITY
  }

  handle(input: TransferInput, now: number, emit: (output: TransferOutput) => void): void {
    this.#turn.begin(now)
    this.#dispatch(input)
    this.#turn.end(emit)
  }

  #dispatch(input: TransferInput): void {
    switch (input.type) {
      case 'start':
        this.#stream.start()
        return
      case 'stream-opened':
        this.#stream.opened()
        this.#proceed()
        return
      case 'stream-data':
        // Bytes in the other direction mean nothing.
        this.#stream.read(input.bytes)
        return
      case 'stream-writable':
        this.#unsentBytes = 0
        this.#proceed()
        return
      case 'stream-delivered':
        this.#stream.done()
        return
      case 'stream-closed':
        this.#closed(input.reason)
        return
      case 'content-read':
        this.#read(input.ref, input.content)
        return
      case 'cancel':
        this.#stream.cancelled()
        return
    }
  }

  #closed(reason: Extract<TransferInput, { readonly type: 'stream-closed' }>['reason']): void {
    this.#stream.closed()
    if (reason === 'finished' && this.#next === this.#items.length) this.#stream.done()
    else this.#stream.failed({ code: reason === 'finished' ? 'STREAM_CLOSED' : reason, blamesContent: false })
  }

  #read(index: number, content: Uint8Array | undefined): void {
    if (!this.#isReading || index !== this.#next || this.#stream.hasReported) return
    this.#isReading = false
    // The item was evicted since it was offered.
    if (content === undefined) {
      this.#stream.failed({ code: 'CONTENT_NOT_FOUND', blamesContent: false })
      return
    }
    this.#write(content)
    this.#proceed()
  }

  /** Writes items until the stream has enough to send for a while, or until one must be read from the store. */
  #proceed(): void {
    while (this.#next < this.#items.length && !this.#isReading && !this.#stream.hasReported) {
      if (this.#unsentBytes >= defaultStreamLimits.writeLowWaterBytes) return
      const { content, contentId } = this.#items[this.#next]!
      if (content === undefined) {
        this.#isReading = true
        this.#turn.emit({ type: 'want-content', ref: this.#next, contentId })
      } else this.#write(content)
    }
  }

  #write(content: Uint8Array): void {
    if (this.#prefixed) this.#stream.write(encodeVarint(content.length))
    this.#stream.write(content)
    this.#next += 1
    this.#unsentBytes += content.length
    if (this.#next === this.#items.length) this.#stream.finish()
  }
}
