/**
 * The door `spimpl/portal`: the overlay of one Portal sub-network as a core, and what the history network says of keys
 * and content. The overlay opens no socket and starts no timer: its owner carries its requests to discovery, the
 * store, validation and streams. `spimpl/node` has it as an actor.
 */
export { type Randomness, seededRandomness, systemRandomness } from 'spimpl-runtime'
export type { Core } from 'spimpl-runtime/core'
export { type ErrorCode, type Result, SpimplError, unwrap } from 'spimpl-runtime/errors'
export {
  type BlockHeader,
  type BodySummary,
  type ContentSummary,
  contentIdOfKey,
  decodeContentKey,
  decodeHeader,
  encodeContentKey,
  HISTORY_PROTOCOL,
  type HistoryContentType,
  type HistoryKey,
  type ReceiptsSummary,
  validateBody,
  validateContent,
  validateReceipts,
} from '../history/history.ts'
export { NodeRecord, parseRecord } from '../identity/node-record.ts'
export { RecordDecoder } from '../identity/record-decoder.ts'
export {
  type AcceptCounts,
  type CallResult,
  type ContentName,
  type ContentTrace,
  type DiscoveryEvent,
  type DiscoveryRequest,
  defaultOverlayLimits,
  type MemberSnapshot,
  type OfferedContent,
  Overlay,
  type OverlayCall,
  type OverlayInput,
  type OverlayLimits,
  type OverlayOptions,
  type OverlayOutput,
  type OverlaySnapshot,
  type PingPayload,
  type StoreEvent,
  type StoreQuestion,
  type TransferEvent,
  type TransferOrder,
  type TransferRequest,
  type TransferStart,
} from '../portal/portal.ts'
