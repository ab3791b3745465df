import type { Core } from 'spimpl-runtime/core'
import { equalBytes } from '../../codec/bytes.ts'
import { type ErrorCode, type Result, refused } from '../../errors.ts'
import { type ContentSummary, validateContent } from '../content/content.ts'
import { decodeContentKey, type HistoryKey } from '../content/content-key.ts'
import { MAX_CONTENT_BYTES } from '../content/refusal.ts'
import type { BlockHeader } from '../headers/header.ts'
import { INLINE_CONTENT_BYTES, type ValidationJob } from './validation-task.ts'

export type ValidationInput =
  /** Is `bytes` what `key` names? `ref` is the asker's, and comes back in the one verdict. */
  | { readonly type: 'validate'; readonly ref: number; readonly key: Uint8Array; readonly bytes: Uint8Array }
  /** The asker is not interested any more: no verdict will come. */
  | { readonly type: 'withdraw'; readonly ref: number }
  /** Answers `want-header`. */
  | { readonly type: 'header-arrived'; readonly number: bigint; readonly header: BlockHeader }
  | { readonly type: 'header-failed'; readonly number: bigint; readonly detail: string }
  /** Answers `compute`: what the task returned, or why the pool could not run it. */
  | { readonly type: 'computed'; readonly ref: number; readonly result: Result<ContentSummary> }
  | { readonly type: 'compute-failed'; readonly ref: number; readonly detail: string }
  | { readonly type: 'timeout' }

export type ValidationOutput =
  /**
   * Ask the header source. Emitted once for a block, however many items wait for its header. `doubted` is the header that was kept and
   * that content contradicts: the chain may have another one by now.
   */
  | { readonly type: 'want-header'; readonly number: bigint; readonly doubted?: BlockHeader }
  /** Run `validateInWorker` (validation-task.ts) on the compute pool. Only for content above INLINE_CONTENT_BYTES. */
  | { readonly type: 'compute'; readonly ref: number; readonly job: ValidationJob }
  /**
   * The block of that number is another one than before (a reorganization). What was valid of it is so no more, because a content key
   * has the number and not the hash. Emitted before any verdict by the new header.
   */
  | { readonly type: 'block-replaced'; readonly number: bigint }
  | { readonly type: 'verdict'; readonly ref: number; readonly result: Result<ContentSummary> }

export interface ValidationLimits {
  /** Content up to this size is validated inside `handle`. */
  readonly inlineBytes: number
  /** Headers kept, those used last. */
  readonly headers: number
  /** A kept header that content contradicts is asked for again once it is so old. */
  readonly headerTrustMs: number
  /** Items that wait for a header or for the pool, in number and in bytes. */
  readonly pendingItems: number
  readonly pendingBytes: number
  /** How long an item waits for its header, and then for the pool. */
  readonly headerTimeoutMs: number
  readonly computeTimeoutMs: number
}

const defaultValidationLimits: ValidationLimits = {
  inlineBytes: INLINE_CONTENT_BYTES,
  headers: 1024,
  headerTrustMs: 12_000,
  pendingItems: 512,
  pendingBytes: 256 * 1024 * 1024,
  headerTimeoutMs: 20_000,
  computeTimeoutMs: 30_000,
}

interface Pending {
  readonly ref: number
  readonly key: HistoryKey
  readonly bytes: Uint8Array
  readonly deadline: number
  /** What the content was judged by, and how, while the header source is asked whether that is still the header of the block. */
  readonly doubt?: { readonly header: BlockHeader; readonly result: Result<never> }
}

interface Computing extends Pending {
  readonly header: BlockHeader
}

interface KeptHeader {
  readonly header: BlockHeader
  /** When the header source gave it. */
  readonly since: number
}

/** Content is whole and of another block than the header. After a reorganization the header may be the one that is wrong. */
const CONTRADICTIONS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'TRANSACTIONS_ROOT_WRONG',
  'OMMERS_HASH_WRONG',
  'WITHDRAWALS_WRONG',
  'WITHDRAWALS_ROOT_WRONG',
  'RECEIPTS_ROOT_WRONG',
])

/**
 * Decides whether content may be stored, served and gossiped: gets the header, keeps it, and has the roots compared,
 * in place when the content is small and on the compute pool when it is large. One verdict for each `validate`, in
 * any order.
 */
export class Validation implements Core<ValidationInput, ValidationOutput> {
  readonly #limits: ValidationLimits
  /** In the order of use, the oldest first. */
  readonly #headers = new Map<bigint, KeptHeader>()
  /** By ref. In both the oldest stands first and has the earliest deadline, for all wait equally long. */
  readonly #waiting = new Map<number, Pending>()
  readonly #computing = new Map<number, Computing>()
  /** Who waits for the header of a block. */
  readonly #wanted = new Map<bigint, Set<number>>()
  readonly #refusals = new Map<ErrorCode, number>()
  #pendingBytes = 0
  #valid = 0

  constructor(limits: Partial<ValidationLimits> = {}) {
    this.#limits = { ...defaultValidationLimits, ...limits }
  }

  handle(input: ValidationInput, now: number, emit: (output: ValidationOutput) => void): void {
    switch (input.type) {
      case 'validate':
        this.#validate(input.ref, input.key, input.bytes, now, emit)
        break
      case 'withdraw':
        this.#remove(input.ref)
        break
      case 'header-arrived':
        this.#headerArrived(input.number, input.header, now, emit)
        break
      case 'header-failed':
        this.#headerFailed(input.number, input.detail, emit)
        break
      case 'computed': {
        const computing = this.#computing.get(input.ref)
        if (computing !== undefined) this.#judged(computing, computing.header, input.result, now, emit)
        break
      }
      case 'compute-failed':
        if (this.#computing.has(input.ref)) {
          this.#settle(input.ref, refused('VALIDATION_LIMIT', input.detail), emit)
        }
        break
      case 'timeout':
        this.#expire(now, emit)
        break
    }
  }

  deadline(): number {
    return Math.min(firstDeadline(this.#waiting), firstDeadline(this.#computing))
  }

  /** What there is to see of it: plain data. */
  snapshot(): {
    readonly headers: number
    readonly pendingItems: number
    readonly pendingBytes: number
    readonly valid: number
    readonly refused: Readonly<Record<string, number>>
  } {
    return {
      headers: this.#headers.size,
      pendingItems: this.#waiting.size + this.#computing.size,
      pendingBytes: this.#pendingBytes,
      valid: this.#valid,
      refused: Object.fromEntries(this.#refusals),
    }
  }

  #validate(
    ref: number,
    keyBytes: Uint8Array,
    bytes: Uint8Array,
    now: number,
    emit: (output: ValidationOutput) => void,
  ): void {
    if (this.#waiting.has(ref) || this.#computing.has(ref)) {
      throw new RangeError(`expected a ref that is not in use, got ${ref} again`)
    }
    const key = decodeContentKey(keyBytes)
    if (!key.ok) {
      this.#verdict(ref, key, emit)
      return
    }
    const refusal = this.#refusalOf(bytes)
    if (refusal !== undefined) {
      this.#verdict(ref, refusal, emit)
      return
    }
    const pending: Pending = { ref, key: key.value, bytes, deadline: now + this.#limits.headerTimeoutMs }
    this.#pendingBytes += bytes.length
    this.#waiting.set(ref, pending)
    const kept = this.#headers.get(key.value.number)
    if (kept === undefined) {
      this.#wantHeader(pending, undefined, emit)
    } else {
      this.#keepHeader(kept)
      this.#compare(pending, kept.header, now, emit)
    }
  }

  /** What no header could make valid, and what there is no room for: before anybody is asked for a header. */
  #refusalOf(bytes: Uint8Array): Result<never> | undefined {
    if (bytes.length > MAX_CONTENT_BYTES) {
      const detail = `expected content of at most ${MAX_CONTENT_BYTES} bytes, got ${bytes.length}`
      return refused('CONTENT_TOO_LARGE', detail)
    }
    const items = this.#waiting.size + this.#computing.size
    if (items >= this.#limits.pendingItems) {
      return refused('VALIDATION_LIMIT', `${items} items wait for validation already`)
    }
    if (this.#pendingBytes + bytes.length > this.#limits.pendingBytes) {
      return refused('VALIDATION_LIMIT', `${this.#pendingBytes} bytes wait for validation already`)
    }
    return undefined
  }

  #wantHeader(pending: Pending, doubted: BlockHeader | undefined, emit: (output: ValidationOutput) => void): void {
    const { number } = pending.key
    const others = this.#wanted.get(number)
    if (others !== undefined) {
      others.add(pending.ref)
      return
    }
    this.#wanted.set(number, new Set([pending.ref]))
    emit({ type: 'want-header', number, ...(doubted !== undefined && { doubted }) })
  }

  #headerArrived(number: bigint, header: BlockHeader, now: number, emit: (output: ValidationOutput) => void): void {
    if (header.number !== number) {
      this.#headerFailed(number, `the header source gave block ${header.number} for ${number}`, emit)
      return
    }
    const before = this.#headers.get(number)?.header
    this.#keepHeader({ header, since: now })
    if (before !== undefined && !equalBytes(before.hash, header.hash)) emit({ type: 'block-replaced', number })
    for (const ref of this.#takeWaiting(number)) {
      const pending = this.#waiting.get(ref)
      if (pending === undefined) continue
      const { doubt } = pending
      if (doubt !== undefined && equalBytes(doubt.header.hash, header.hash)) this.#settle(ref, doubt.result, emit)
      else this.#compare(pending, header, now, emit)
    }
  }

  #headerFailed(number: bigint, detail: string, emit: (output: ValidationOutput) => void): void {
    for (const ref of this.#takeWaiting(number)) {
      const judged = this.#waiting.get(ref)?.doubt?.result
      this.#settle(ref, judged ?? refused('HEADER_UNAVAILABLE', detail), emit)
    }
  }

  #takeWaiting(number: bigint): Iterable<number> {
    const refs = this.#wanted.get(number)
    this.#wanted.delete(number)
    return refs ?? []
  }

  #compare(pending: Pending, header: BlockHeader, now: number, emit: (output: ValidationOutput) => void): void {
    const { ref, key, bytes } = pending
    if (bytes.length <= this.#limits.inlineBytes) {
      this.#judged(pending, header, validateContent(key, header, bytes), now, emit)
      return
    }
    this.#waiting.delete(ref)
    this.#computing.set(ref, { ...pending, header, deadline: now + this.#limits.computeTimeoutMs })
    emit({ type: 'compute', ref, job: { contentType: key.type, number: key.number, header: header.bytes, bytes } })
  }

  /** A refusal by a header that was kept for long stands once the header source has said the same header again. */
  #judged(
    pending: Pending,
    header: BlockHeader,
    result: Result<ContentSummary>,
    now: number,
    emit: (output: ValidationOutput) => void,
  ): void {
    const { ref, key, bytes, doubt } = pending
    const kept = this.#headers.get(key.number)
    if (kept !== undefined && !equalBytes(kept.header.hash, header.hash)) {
      // The block was replaced while the pool was at it.
      this.#computing.delete(ref)
      this.#waiting.set(ref, pending)
      this.#compare(pending, kept.header, now, emit)
      return
    }
    const since = kept?.since ?? now
    const isDoubtful = doubt === undefined && now - since >= this.#limits.headerTrustMs
    if (result.ok || !isDoubtful || !CONTRADICTIONS.has(result.code)) {
      this.#settle(ref, result, emit)
      return
    }
    this.#computing.delete(ref)
    this.#waiting.delete(ref)
    const deadline = now + this.#limits.headerTimeoutMs
    this.#waiting.set(ref, { ref, key, bytes, deadline, doubt: { header, result } })
    this.#wantHeader(pending, header, emit)
  }

  #expire(now: number, emit: (output: ValidationOutput) => void): void {
    const { headerTimeoutMs, computeTimeoutMs } = this.#limits
    for (const { ref, key, deadline, doubt } of this.#waiting.values()) {
      if (deadline > now) break
      const detail = `no header of block ${key.number} within ${headerTimeoutMs} ms`
      this.#settle(ref, doubt?.result ?? refused('HEADER_UNAVAILABLE', detail), emit)
    }
    for (const { ref, deadline } of this.#computing.values()) {
      if (deadline > now) break
      const detail = `the compute pool did not answer within ${computeTimeoutMs} ms`
      this.#settle(ref, refused('VALIDATION_LIMIT', detail), emit)
    }
  }

  #settle(ref: number, result: Result<ContentSummary>, emit: (output: ValidationOutput) => void): void {
    if (this.#remove(ref)) this.#verdict(ref, result, emit)
  }

  #remove(ref: number): boolean {
    const pending = this.#waiting.get(ref) ?? this.#computing.get(ref)
    if (pending === undefined) return false
    this.#waiting.delete(ref)
    this.#computing.delete(ref)
    this.#pendingBytes -= pending.bytes.length
    const { number } = pending.key
    const refs = this.#wanted.get(number)
    // A header that nobody waits for any more may be asked for again.
    if (refs?.delete(ref) && refs.size === 0) this.#wanted.delete(number)
    return true
  }

  #verdict(ref: number, result: Result<ContentSummary>, emit: (output: ValidationOutput) => void): void {
    if (result.ok) this.#valid++
    else this.#refusals.set(result.code, (this.#refusals.get(result.code) ?? 0) + 1)
    emit({ type: 'verdict', ref, result })
  }

  #keepHeader(kept: KeptHeader): void {
    const { number } = kept.header
    this.#headers.delete(number)
    this.#headers.set(number, kept)
    if (this.#headers.size <= this.#limits.headers) return
    const oldest = this.#headers.keys().next()
    if (!oldest.done) this.#headers.delete(oldest.value)
  }
}

function firstDeadline(pending: ReadonlyMap<number, Pending>): number {
  for (const { deadline } of pending.values()) return deadline
  return Number.POSITIVE_INFINITY
}

/**
 * Whether a refusal speaks against the peer that sent the content. Without a header or room nothing was judged, and
 * the peer may be right.
 */
export function blamesContent(code: ErrorCode): boolean {
  return code !== 'HEADER_UNAVAILABLE' && code !== 'VALIDATION_LIMIT' && code !== 'HEADER_WRONG'
}
