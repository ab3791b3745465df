import type { Result } from '../../errors.ts'
import { type ContentSummary, validateContent } from '../content/content.ts'
import type { HistoryContentType } from '../content/content-key.ts'
import { decodeHeader } from '../headers/header.ts'

/** A job for a worker: plain data. `header` is the RLP of the header. */
export interface ValidationJob {
  readonly contentType: HistoryContentType
  readonly number: bigint
  readonly header: Uint8Array
  readonly bytes: Uint8Array
}

/**
 * Validates one item. The compute pool runs it: a named function of this module, whose input and result can be cloned.
 */
export async function validateInWorker(job: ValidationJob): Promise<Result<ContentSummary>> {
  const header = decodeHeader(job.header)
  if (!header.ok) return header
  return validateContent({ type: job.contentType, number: job.number }, header.value, job.bytes)
}

/** The task that `ComputePool.run` takes for `validateInWorker`. */
export const validationTask = { module: import.meta.url, name: 'validateInWorker' } as const
