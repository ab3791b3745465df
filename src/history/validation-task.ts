import { keccakReady } from '../crypto/keccak.ts'
import type { Result } from '../errors.ts'
import { type ContentSummary, validateContent } from './content.ts'
import type { HistoryContentType } from './content-key.ts'
import { decodeHeader } from './header.ts'

/**
 * Up to this size content is validated where it is: the work takes at most 1.5 ms (bench/validation.ts: 5 to 15 microseconds for each 1,000
 * bytes, receipts being the slower), and a trip to a worker thread costs a copy, two messages and a turn of two event loops.
 */
export const INLINE_CONTENT_BYTES = 64 * 1024

/** What crosses to a worker: plain data. `header` is the RLP of the header. */
export interface ValidationJob {
  readonly contentType: HistoryContentType
  readonly number: bigint
  readonly header: Uint8Array
  readonly bytes: Uint8Array
}

/** For the compute pool: a named function of this module, whose input and answer can be cloned. */
export async function validateInWorker(job: ValidationJob): Promise<Result<ContentSummary>> {
  // A fresh thread has no WebAssembly hasher for its first milliseconds, and large content would take six times as long.
  await keccakReady
  const header = decodeHeader(job.header)
  if (!header.ok) return header
  return validateContent({ type: job.contentType, number: job.number }, header.value, job.bytes)
}
