import { type Core, Counters, Deadlines, invariant, PendingCalls, Turn } from 'spimpl-runtime/core'
import { equalBytes } from '../../codec/bytes.ts'
import { type ErrorCode, type Result, refused } from '../../errors.ts'
import { type ContentSummary, validateContent } from '../content/content.ts'
import { decodeContentKey } from '../content/content-key.ts'
import { MAX_CONTENT_BYTES } from '../content/refusal.ts'
import { refusalName, VALIDATION_COUNTERS, type ValidationCounters } from '../counters.ts'
import type { ValidationDeadline } from '../deadlines.ts'
import type { BlockHeader } from '../headers/header.ts'
import { RecentHeaders } from '../headers/recent-headers.ts'
import { type ValidationLimits, validationLimits } from '../limits.ts'
import type { ValidationInput, ValidationOutput } from '../messages.ts'
import { PendingItem } from './pending-item.ts'

interface KeptHeader {
  readonly header: BlockHeader
  /** When the header source gave it. */
  readonly since: number
}

/**
 * The content is well formed, but of another block than the header. After a reorganization the header may be the wrong
 * one.
 */
const CONTRADICTIONS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'TRANSACTIONS_ROOT_WRONG',
  'OMMERS_HASH_WRONG',
  'WITHDRAWALS_WRONG',
  'WITHDRAWALS_ROOT_WRONG',
  'RECEIPTS_ROOT_WRONG',
])

/**
 * Decides whether content may be stored, served and gossiped: gets the header, keeps it, and has the roots compared, in
 * place if the content is small and on the compute pool if it is large. One verdict for each `validate`, in any order.
 *
 * @example
 * const validation = new Validation()
 * validation.handle({ type: 'validate', ref: 1, key, bytes }, now, output => outputs.push(output)) // `want-header`
 */
export class Validation implements Core<ValidationInput, ValidationOutput> {
  readonly #turn = new Turn<ValidationOutput>()
  readonly #limits: ValidationLimits
  readonly #counters: ValidationCounters = new Counters(VALIDATION_COUNTERS)
  readonly #headers: RecentHeaders<KeptHeader>
  /** By the caller's ref. */
  readonly #items: PendingCalls<PendingItem>
  readonly #deadlines = new Deadlines<ValidationDeadline>()
  /** The items that wait for the header of a block. */
  readonly #waiting = new Map<bigint, Set<PendingItem>>()
  #pendingBytes = 0

  /** @throws SpimplError `CONFIG_INVALID` for a limit */
  constructor(changes: Partial<ValidationLimits> = {}) {
    this.#limits = validationLimits(changes)
    this.#headers = new RecentHeaders(this.#limits.headers)
    this.#items = new PendingCalls(this.#limits.pendingItems)
  }

  handle(input: ValidationInput, now: number, emit: (output: ValidationOutput) => void): void {
    this.#turn.begin(now)
    switch (input.type) {
      case 'validate':
        this.#validate(input.ref, input.key, input.bytes)
        break
      case 'withdraw': {
        const item = this.#items.peek(input.ref)
        if (item !== undefined) this.#remove(item)
        break
      }
      case 'header-arrived':
        this.#onHeader(input.number, input.header)
        break
      case 'header-failed':
        this.#onHeaderFailed(input.number, input.detail)
        break
      case 'computed': {
        const item = this.#items.peek(input.ref)
        if (item?.computingBy !== undefined) this.#onResult(item, item.computingBy, input.result)
        break
      }
      case 'compute-failed': {
        const item = this.#items.peek(input.ref)
        if (item?.computingBy !== undefined) this.#settle(item, refused('VALIDATION_LIMIT', input.detail))
        break
      }
      case 'timeout':
        this.#expire(now)
        break
    }
    this.#turn.end(emit)
  }

  deadline(): number {
    return this.#deadlines.next()
  }

  /** The present state, as plain data. */
  snapshot(): {
    readonly headers: number
    readonly pendingItems: number
    readonly pendingBytes: number
    readonly valid: number
    /** Refusals by their code; a code without a refusal is left out. */
    readonly refused: Readonly<Record<string, number>>
  } {
    const { valid, ...refusals } = this.#counters.snapshot()
    return {
      headers: this.#headers.size,
      pendingItems: this.#items.size,
      pendingBytes: this.#pendingBytes,
      valid,
      refused: Object.fromEntries(Object.entries(refusals).filter(([, count]) => count > 0)),
    }
  }

  #validate(ref: number, keyBytes: Uint8Array, bytes: Uint8Array): void {
    if (this.#items.peek(ref) !== undefined) throw new RangeError(`expected a ref that is not in use, got ${ref} again`)
    const key = decodeContentKey(keyBytes)
    if (!key.ok) {
      this.#verdict(ref, key)
      return
    }
    const refusal = this.#refusalOf(bytes)
    if (refusal !== undefined) {
      this.#verdict(ref, refusal)
      return
    }
    const item = new PendingItem(ref, key.value, bytes)
    this.#items.addAs(ref, item)
    this.#pendingBytes += bytes.length
    const kept = this.#headers.get(key.value.number)
    if (kept === undefined) {
      this.#awaitHeader(item)
      return
    }
    this.#headers.keep(key.value.number, kept)
    this.#compare(item, kept.header)
  }

  /** Refusals that need no header: the content is too large, or there is no room. */
  #refusalOf(bytes: Uint8Array): Result<never> | undefined {
    if (bytes.length > MAX_CONTENT_BYTES) {
      const detail = `expected content of at most ${MAX_CONTENT_BYTES} bytes, got ${bytes.length}`
      return refused('CONTENT_TOO_LARGE', detail)
    }
    if (!this.#items.hasRoom)
      return refused('VALIDATION_LIMIT', `${this.#items.size} items wait for validation already`)
    if (this.#pendingBytes + bytes.length > this.#limits.pendingBytes)
      return refused('VALIDATION_LIMIT', `${this.#pendingBytes} bytes wait for validation already`)
    return undefined
  }

  #awaitHeader(item: PendingItem): void {
    const { number } = item.key
    this.#deadlines.set(item.headerDeadline, this.#turn.now + this.#limits.headerTimeoutMs)
    const others = this.#waiting.get(number)
    if (others !== undefined) {
      others.add(item)
      return
    }
    this.#waiting.set(number, new Set([item]))
    this.#turn.emit({ type: 'want-header', number, ...(item.doubt !== undefined && { doubted: item.doubt.header }) })
  }

  #onHeader(number: bigint, header: BlockHeader): void {
    if (header.number !== number) {
      this.#onHeaderFailed(number, `the header source gave block ${header.number} for ${number}`)
      return
    }
    const before = this.#headers.get(number)?.header
    this.#headers.keep(number, { header, since: this.#turn.now })
    if (before !== undefined && !equalBytes(before.hash, header.hash))
      this.#turn.emit({ type: 'block-replaced', number })
    for (const item of this.#takeWaiting(number)) {
      const { doubt } = item
      if (doubt !== undefined && equalBytes(doubt.header.hash, header.hash)) this.#settle(item, doubt.result)
      else this.#compare(item, header)
    }
  }

  #onHeaderFailed(number: bigint, detail: string): void {
    for (const item of this.#takeWaiting(number))
      this.#settle(item, item.doubt?.result ?? refused('HEADER_UNAVAILABLE', detail))
  }

  #takeWaiting(number: bigint): Iterable<PendingItem> {
    const items = this.#waiting.get(number)
    this.#waiting.delete(number)
    return items ?? []
  }

  #compare(item: PendingItem, header: BlockHeader): void {
    const { ref, key, bytes } = item
    if (bytes.length <= this.#limits.inlineBytes) {
      this.#onResult(item, header, validateContent(key, header, bytes))
      return
    }
    item.sendToPool(header)
    this.#deadlines.clear(item.headerDeadline)
    this.#deadlines.set(item.computeDeadline, this.#turn.now + this.#limits.computeTimeoutMs)
    const job = { contentType: key.type, number: key.number, header: header.bytes, bytes }
    this.#turn.emit({ type: 'compute', ref, job })
  }

  /** A refusal by a header that was kept for a while stands only after the header source has confirmed that header. */
  #onResult(item: PendingItem, header: BlockHeader, result: Result<ContentSummary>): void {
    const { now } = this.#turn
    const kept = this.#headers.get(item.key.number)
    item.returnFromPool()
    this.#deadlines.clear(item.computeDeadline)
    if (kept !== undefined && !equalBytes(kept.header.hash, header.hash)) {
      // The block was replaced while the pool compared the item.
      this.#compare(item, kept.header)
      return
    }
    const keptMs = now - (kept?.since ?? now)
    const isDoubtful = item.doubt === undefined && keptMs >= this.#limits.headerTrustMs
    if (result.ok || !isDoubtful || !CONTRADICTIONS.has(result.code)) {
      this.#settle(item, result)
      return
    }
    item.doubtBy({ header, result })
    this.#awaitHeader(item)
  }

  #expire(now: number): void {
    const { headerTimeoutMs, computeTimeoutMs } = this.#limits
    for (let due = this.#deadlines.takeDue(now); due !== undefined; due = this.#deadlines.takeDue(now)) {
      const item = due.subject
      switch (due.name) {
        case 'header': {
          const detail = `no header of block ${item.key.number} within ${headerTimeoutMs} ms`
          this.#settle(item, item.doubt?.result ?? refused('HEADER_UNAVAILABLE', detail))
          break
        }
        case 'compute': {
          const detail = `the compute pool did not answer within ${computeTimeoutMs} ms`
          this.#settle(item, refused('VALIDATION_LIMIT', detail))
          break
        }
      }
    }
  }

  #settle(item: PendingItem, result: Result<ContentSummary>): void {
    this.#remove(item)
    this.#verdict(item.ref, result)
  }

  #remove(item: PendingItem): void {
    const { number } = item.key
    this.#items.take(item.ref)
    this.#deadlines.clear(item.headerDeadline)
    this.#deadlines.clear(item.computeDeadline)
    this.#pendingBytes -= item.bytes.length
    invariant(
      this.#items.size > 0 ? this.#pendingBytes >= 0 : this.#pendingBytes === 0,
      'pending bytes to be those of the pending items',
    )
    const items = this.#waiting.get(number)
    // If no item waits for the header, a later one asks for it again.
    if (items?.delete(item) && items.size === 0) this.#waiting.delete(number)
  }

  #verdict(ref: number, result: Result<ContentSummary>): void {
    this.#counters.add(result.ok ? 'valid' : refusalName(result.code))
    this.#turn.emit({ type: 'verdict', ref, result })
  }
}

/**
 * Whether a refusal speaks against the peer that sent the content. Without a header or room nothing was compared, and
 * the peer may be right.
 */
export function blamesContent(code: ErrorCode): boolean {
  return code !== 'HEADER_UNAVAILABLE' && code !== 'VALIDATION_LIMIT' && code !== 'HEADER_WRONG'
}
