/**
 * The door of the history sub-network (history/history-network.md): what its content is called, where it lives, and
 * whether it is true.
 */
export { type BodySummary, validateBody } from './body.ts'
export { type ContentSummary, validateContent } from './content.ts'
export { contentIdOfKey } from './content-id.ts'
export { decodeContentKey, encodeContentKey, type HistoryContentType, type HistoryKey } from './content-key.ts'
export { type BlockHeader, decodeHeader } from './header.ts'
export type { HeaderAnswer, HeaderSource } from './header-source.ts'
export { openHeaderSource } from './open-header-source.ts'
export { type ReceiptsSummary, validateReceipts } from './receipts.ts'

/** The `protocol` of its TALKREQ messages (Protocol Identifier). */
export const HISTORY_PROTOCOL: Uint8Array = Uint8Array.of(0x50, 0x00)
