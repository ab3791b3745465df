/** The inputs and outputs of validation. */
import type { Result } from '../errors.ts'
import type { ContentSummary } from './content/content.ts'
import type { BlockHeader } from './headers/header.ts'
import type { ValidationJob } from './validation/validation-task.ts'

export type ValidationInput =
  /** Are `bytes` the content that `key` names? `ref` is the caller's number, and comes back in the one verdict. */
  | { readonly type: 'validate'; readonly ref: number; readonly key: Uint8Array; readonly bytes: Uint8Array }
  /** The caller gave up: it gets no verdict. */
  | { readonly type: 'withdraw'; readonly ref: number }
  /** The answer to `want-header`. */
  | { readonly type: 'header-arrived'; readonly number: bigint; readonly header: BlockHeader }
  | { readonly type: 'header-failed'; readonly number: bigint; readonly detail: string }
  /** The answer to `compute`: the result of the task, or why the pool could not run it. */
  | { readonly type: 'computed'; readonly ref: number; readonly result: Result<ContentSummary> }
  | { readonly type: 'compute-failed'; readonly ref: number; readonly detail: string }
  | { readonly type: 'timeout' }

export type ValidationOutput =
  /**
   * Ask the header source: once for a block, however many items wait for its header. `doubted` is the kept header that
   * content contradicts: the chain may have another one by now.
   */
  | { readonly type: 'want-header'; readonly number: bigint; readonly doubted?: BlockHeader }
  /** Run `validateInWorker` (validation-task.ts) on the compute pool. Only for content above `inlineBytes`. */
  | { readonly type: 'compute'; readonly ref: number; readonly job: ValidationJob }
  /**
   * A reorganization replaced the block of that number. Content that was valid for the old block is wrong now, because
   * a content key has the number and not the hash. Emitted before any verdict by the new header.
   */
  | { readonly type: 'block-replaced'; readonly number: bigint }
  | { readonly type: 'verdict'; readonly ref: number; readonly result: Result<ContentSummary> }
