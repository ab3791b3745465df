import { type Result, refused } from '../../errors.ts'
import type { BlockHeader } from '../headers/header.ts'
import { type BodySummary, validateBody } from './body.ts'
import type { HistoryKey } from './content-key.ts'
import { type ReceiptsSummary, validateReceipts } from './receipts.ts'

/** The counts of a valid item. */
export type ContentSummary = BodySummary | ReceiptsSummary

/**
 * Whether `bytes` are the content that `key` names, by the header of that block. Never throws on any bytes. Codes:
 * those of `validateBody` and `validateReceipts`, and HEADER_WRONG if the header is of another block.
 *
 * @example
 * const verdict = validateContent({ type: 'receipts', number: 22431084n }, header, bytes)
 * if (!verdict.ok) console.log(verdict.code) // RECEIPTS_ROOT_WRONG
 */
export function validateContent(key: HistoryKey, header: BlockHeader, bytes: Uint8Array): Result<ContentSummary> {
  if (header.number !== key.number) {
    return refused('HEADER_WRONG', `expected the header of block ${key.number}, got that of ${header.number}`)
  }
  return key.type === 'body' ? validateBody(header, bytes) : validateReceipts(header, bytes)
}
