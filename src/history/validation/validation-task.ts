import type { Result } from '../../errors.ts'
import { type ContentSummary, validateContent } from '../content/content.ts'
import type { HistoryContentType } from '../content/content-key.ts'
import { decodeHeader } from '../headers/header.ts'

/**
 * Up to this size content is validated where it is. Honest content of 32 kB takes 0.3 ms (bench/validation.ts), less
 * than the turns of two event loops that a worker costs; the worst that fits, thousands of empty receipts with a
 * bloom each to be hashed, 13 ms.
 */
export const INLINE_CONTENT_BYTES = 32 * 1024

/** What crosses to a worker: plain data. `header` is the RLP of the header. */
export interface ValidationJob {
  readonly contentType: HistoryContentType
  readonly number: bigint
  readonly header: Uint8Array
  readonly bytes: Uint8Array
}

/** For the compute pool: a named function of this module, whose input and answer can be cloned. */
export async function validateInWorker(job: ValidationJob): Promise<Result<ContentSummary>> {
  const header = decodeHeader(job.header)
  if (!header.ok) return header
  return validateContent({ type: job.contentType, number: job.number }, header.value, job.bytes)
}

/** What `ComputePool.run` takes to run `validateInWorker`. */
export const validationTask = { module: import.meta.url, name: 'validateInWorker' } as const
