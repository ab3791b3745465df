/**
 * The door of src/portal: the overlay network of one Portal sub-network as a protocol core.
 * Message codecs are imported from their own files (`message.ts`, `ping-extension.ts`).
 */
export { defaultOverlayLimits, type OverlayLimits } from './limits.ts'
export { type MemberSnapshot, Overlay, type OverlaySnapshot } from './overlay.ts'
export type {
  AcceptCounts,
  CallResult,
  ContentName,
  ContentTrace,
  DiscoveryEvent,
  DiscoveryRequest,
  OfferedContent,
  OverlayCall,
  OverlayInput,
  OverlayOutput,
  StoreEvent,
  StoreQuestion,
  TransferEvent,
  TransferRequest,
  TransferStart,
} from './overlay-messages.ts'
export type { OverlayOptions } from './state.ts'
