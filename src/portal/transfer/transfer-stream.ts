import type { Turn } from 'spimpl-runtime/core'
import { MAX_VARINT_BYTES } from '../../codec/varint.ts'
import type { StreamErrorCode } from '../../errors.ts'
import { defaultStreamLimits, type StreamLimits } from '../../utp/utp.ts'
import type { ContentFailure, TransferEvent, TransferOrder } from '../messages.ts'
import type { TransferOutput } from './messages.ts'

/** nimbus waits for one item for this long (portal_stream.nim). */
const OFFERED_ITEM_MS = 60_000

/**
 * How long the stream of a transfer may last. For an offer it is a minute for each item and one more: a trickling offer
 * occupies a slot on both ends and starves others. A trickling fetch only delays its own caller.
 */
export function totalTimeoutMs(order: TransferOrder): number {
  const longest = defaultStreamLimits.totalTimeoutMs
  return 'items' in order ? Math.min(longest, OFFERED_ITEM_MS * (order.items.length + 1)) : longest
}

/** The limits of the stream of a transfer: its duration, and the bytes of its items with their length prefixes. */
export function streamLimits(order: TransferOrder, maxItemBytes: number): Partial<StreamLimits> {
  const items = 'items' in order ? order.items.length : 1
  const bytes = items * (maxItemBytes + MAX_VARINT_BYTES)
  const isInbound = order.type === 'fetch' || order.type === 'receive'
  return {
    ...(isInbound ? { maxReceiveBytes: bytes } : { maxSendBytes: bytes }),
    totalTimeoutMs: totalTimeoutMs(order),
  }
}

/**
 * The stream of one transfer, from its order to its end. The transfer reports its end once, and lives on until its
 * stream has closed, so that the stream can end in order.
 */
export class TransferStream {
  readonly #order: TransferOrder
  readonly #limits: Partial<StreamLimits>
  readonly #turn: Turn<TransferOutput>
  #stage: 'awaited' | 'open' | 'closed' = 'awaited'
  #hasReported = false

  constructor(order: TransferOrder, maxItemBytes: number, turn: Turn<TransferOutput>) {
    this.#order = order
    this.#limits = streamLimits(order, maxItemBytes)
    this.#turn = turn
  }

  /** Whether the end of the transfer was reported, or nobody wants to know it. */
  get hasReported(): boolean {
    return this.#hasReported
  }

  start(): void {
    const { type, peer, connectionId } = this.#order
    const initiates = type === 'fetch' || type === 'send'
    this.#turn.emit({ type: initiates ? 'initiate' : 'expect', peer, connectionId, limits: this.#limits })
  }

  opened(): void {
    this.#stage = 'open'
    if (this.#hasReported) this.#reset('STREAM_CLOSED')
  }

  /** The stream takes no more commands and brings no more bytes. */
  closed(): void {
    this.#stage = 'closed'
    if (this.#hasReported) this.#turn.emit({ type: 'over' })
  }

  read(bytes: number): void {
    if (this.#stage === 'open') this.#turn.emit({ type: 'read', bytes })
  }

  write(bytes: Uint8Array): void {
    if (this.#stage === 'open') this.#turn.emit({ type: 'write', bytes })
  }

  finish(): void {
    if (this.#stage === 'open') this.#turn.emit({ type: 'finish' })
  }

  /** The transfer went well. */
  done(): void {
    if (this.#hasReported) return
    this.finish()
    this.#report({ type: 'transfer-done', ref: this.#order.ref })
  }

  /** @param reset what the peer is told, if the stream is still open */
  failed({ code, blamesContent }: ContentFailure, reset: StreamErrorCode = 'STREAM_CLOSED'): void {
    if (this.#hasReported) return
    this.#reset(reset)
    this.#report({ type: 'transfer-failed', ref: this.#order.ref, code, blamesContent })
  }

  /** The transfer is not needed any more: nothing is reported. A stream that is not open yet is reset when it opens. */
  cancelled(): void {
    if (this.#hasReported) return
    this.#hasReported = true
    this.#reset('STREAM_CLOSED')
    if (this.#stage === 'closed') this.#turn.emit({ type: 'over' })
  }

  #reset(reason: StreamErrorCode): void {
    if (this.#stage === 'open') this.#turn.emit({ type: 'reset', reason })
  }

  #report(event: TransferEvent): void {
    this.#hasReported = true
    this.#turn.emit(event)
    if (this.#stage === 'closed') this.#turn.emit({ type: 'over' })
  }
}
