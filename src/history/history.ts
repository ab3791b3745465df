/**
 * The history sub-network (history/history-network.md): content keys and ids, and whether content is valid. The door of
 * this floor.
 *
 *     content      content keys and ids, bodies, receipts, the roots that a header commits to
 *     headers      headers and their sources: an execution client, block files, a table
 *     validation   whether content is what its key names: the core `Validation`
 *     chain-maker  small valid chains for devnets and tests
 *
 * Beside this file, of validation: messages.ts, limits.ts, counters.ts, deadlines.ts.
 */
export { type BodySummary, validateBody } from './content/body.ts'
export { type ContentSummary, validateContent } from './content/content.ts'
export { contentIdOfKey } from './content/content-id.ts'
export { decodeContentKey, encodeContentKey, type HistoryContentType, type HistoryKey } from './content/content-key.ts'
export { type ReceiptsSummary, validateReceipts } from './content/receipts.ts'
export { type BlockHeader, decodeHeader } from './headers/header.ts'
export { HeaderTable } from './headers/header-directory.ts'
export type { HeaderAnswer, HeaderSource } from './headers/header-source.ts'
export { openHeaderSource } from './headers/open-header-source.ts'

export type { ValidationJob } from './validation/validation-task.ts'

/** The `protocol` of the sub-network's TALKREQ messages (Protocol Identifier). */
export const HISTORY_PROTOCOL: Uint8Array = Uint8Array.of(0x50, 0x00)
