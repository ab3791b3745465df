import { type Core, invariant, Turn } from 'spimpl-runtime/core'
import type { StreamErrorCode } from '../../errors.ts'
import type { ContentFailure, ContentName, TransferOrder } from '../messages.ts'
import { Backlog } from './backlog.ts'
import { ContentFrames } from './content-frames.ts'
import type { TransferInput, TransferOutput } from './messages.ts'
import { TransferStream } from './transfer-stream.ts'

/** Items up to this size need no room: the receive window of a stream holds more. */
const FREE_ITEM_BYTES = 64 * 1024

/**
 * One retrieval, or one offer that we accepted, from its first byte to the last stored item. It cuts the bytes of a
 * stream into items, has each one validated, then stored, and only then takes the next. Bytes that it has not taken
 * keep the receive window closed that the peer sees.
 *
 *     reading ──> awaiting-room ──> reading ──> validating ──> storing ──> reading … ──> ended
 */
export class InboundTransfer implements Core<TransferInput, TransferOutput> {
  readonly #order: Extract<TransferOrder, { readonly type: 'fetch' | 'receive' }>
  readonly #names: readonly ContentName[]
  readonly #turn = new Turn<TransferOutput>()
  readonly #stream: TransferStream
  readonly #frames: ContentFrames
  readonly #backlog = new Backlog()
  #phase: 'reading' | 'awaiting-room' | 'validating' | 'storing' | 'ended' = 'reading'
  /** Of the item that is being read, validated or stored. */
  #index = 0
  /** The item that is being validated or stored. */
  #item: Uint8Array = new Uint8Array(0)
  /** Bytes that have arrived and were not given back to the receive window. */
  #unread = 0
  #hasStreamEnded = false
  /** The failure to report if items are missing when the stream has ended. */
  #shortfall: StreamErrorCode = 'STREAM_CLOSED'

  constructor(
    order: Extract<TransferOrder, { readonly type: 'fetch' | 'receive' }>,
    { maxItemBytes }: { readonly maxItemBytes: number },
  ) {
    this.#order = order
    this.#names = order.type === 'fetch' ? [order] : order.items
    this.#stream = new TransferStream(order, maxItemBytes, this.#turn)
    this.#frames = new ContentFrames({ prefixed: order.prefixed, maxItemBytes, freeItemBytes: FREE_ITEM_BYTES })
  }

  /** A transfer has no timers: its stream has. */
  deadline(): number {
    return Number.POSITIVE_INFINITY
  }

  handle(input: TransferInput, now: number, emit: (output: TransferOutput) => void): void {
    this.#turn.begin(now)
    this.#dispatch(input)
    if (this.#phase !== 'ended') {
      invariant(this.#unread === this.#backlog.bytes, 'the unread bytes to equal the bytes that wait')
    }
    this.#turn.end(emit)
  }

  #dispatch(input: TransferInput): void {
    switch (input.type) {
      case 'start':
        this.#stream.start()
        return
      case 'stream-opened':
        this.#opened()
        return
      case 'stream-data':
        this.#arrived(input.chunks)
        return
      case 'stream-ended':
        this.#hasStreamEnded = true
        this.#advance()
        return
      case 'stream-closed':
        this.#closed(input.reason)
        return
      case 'verdict':
        this.#judged(input.ref, input.valid ? undefined : input)
        return
      case 'content-kept':
        this.#stored(input.ref, input.outcome.stored)
        return
      case 'keep-failed':
        // A store that cannot write makes the content no less valid.
        this.#stored(input.ref, false)
        return
      case 'room':
        this.#roomGiven()
        return
      case 'cancel':
        this.#phase = 'ended'
        this.#stream.cancelled()
        return
    }
  }

  #opened(): void {
    const { type, ref } = this.#order
    if (type === 'receive' && this.#phase !== 'ended') this.#turn.emit({ type: 'transfer-begun', ref })
    this.#stream.opened()
  }

  #closed(reason: 'finished' | StreamErrorCode): void {
    this.#hasStreamEnded = true
    // Items that arrived whole before a reset are still good.
    if (reason !== 'finished') this.#shortfall = reason
    this.#stream.closed()
    this.#advance()
  }

  /** Bytes that cannot be taken now wait in the backlog. */
  #arrived(chunks: readonly Uint8Array[]): void {
    let taken = 0
    for (const chunk of chunks) {
      if (this.#hasEnded()) return
      this.#unread += chunk.length
      const used = this.#backlog.bytes === 0 ? this.#take(chunk) : 0
      taken += used
      if (used < chunk.length) this.#backlog.push(chunk.subarray(used))
    }
    this.#conclude(taken)
  }

  /** Goes on with the bytes that wait. */
  #advance(): void {
    if (this.#phase !== 'reading') return
    const taken = this.#take(this.#backlog.view())
    this.#backlog.skip(taken)
    this.#conclude(taken)
  }

  /** Takes bytes up to the end of an item, or up to an item that needs room. @returns how many */
  #take(bytes: Uint8Array): number {
    let at = 0
    while (this.#phase === 'reading' && this.#index < this.#names.length && at < bytes.length) {
      const taken = this.#frames.take(bytes, at)
      if (!taken.ok) {
        this.#fail({ code: taken.code, blamesContent: true }, 'STREAM_TOO_LARGE')
        return at
      }
      at += taken.value.used
      const { item } = taken.value
      const { wantedBytes } = this.#frames
      if (wantedBytes !== undefined) {
        this.#phase = 'awaiting-room'
        this.#turn.emit({ type: 'transfer-size', ref: this.#order.ref, bytes: wantedBytes })
        // nimbus sends an empty item in place of an offered one that it has evicted (portal_protocol.nim, offer).
      } else if (item?.length === 0 && this.#order.type === 'receive') this.#index += 1
      else if (item !== undefined) this.#validate(item)
    }
    return at
  }

  /** Opens the window by the bytes that were taken, and ends the transfer if nothing more can come. */
  #conclude(taken: number): void {
    if (this.#hasEnded()) return
    if (taken > 0) {
      this.#unread -= taken
      this.#stream.read(taken)
    }
    if (this.#phase !== 'reading') return
    if (this.#index === this.#names.length) {
      this.#phase = 'ended'
      this.#stream.done()
    } else if (this.#hasStreamEnded) {
      const last = this.#shortfall === 'STREAM_CLOSED' ? this.#frames.end() : undefined
      if (last === undefined) this.#fail({ code: this.#shortfall, blamesContent: false })
      else this.#validate(last)
    }
  }

  #validate(item: Uint8Array): void {
    this.#phase = 'validating'
    this.#item = item
    const { key } = this.#names[this.#index]!
    this.#turn.emit({ type: 'validate', ref: this.#index, key, content: item })
  }

  #judged(ref: number, failure: ContentFailure | undefined): void {
    if (this.#phase !== 'validating' || ref !== this.#index) return
    if (failure !== undefined) {
      this.#fail(failure)
      return
    }
    this.#phase = 'storing'
    const { key, contentId } = this.#names[ref]!
    this.#turn.emit({ type: 'keep', ref, key, contentId, content: this.#item })
  }

  #stored(index: number, stored: boolean): void {
    if (this.#phase !== 'storing' || index !== this.#index) return
    const content = this.#item
    this.#turn.emit({ type: 'transfer-item', ref: this.#order.ref, index, content, stored })
    this.#item = new Uint8Array(0)
    this.#index += 1
    this.#phase = 'reading'
    this.#advance()
  }

  #roomGiven(): void {
    if (this.#phase !== 'awaiting-room') return
    this.#frames.allow()
    this.#phase = 'reading'
    this.#advance()
  }

  #hasEnded(): boolean {
    return this.#phase === 'ended'
  }

  #fail(failure: ContentFailure, reset?: StreamErrorCode): void {
    this.#phase = 'ended'
    this.#stream.failed(failure, reset)
  }
}
