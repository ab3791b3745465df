/**
 * The door of src/portal: the overlay network of one Portal sub-network as a protocol core.
 *
 *     wire       ssz, message, ping-extension, version: bytes to messages and back, which version to speak
 *     knowledge  state, profiles, radius, relayed-records: who we are, whom we know, what they told
 *     waiting    agenda, requests, questions, transfers, content-room: whatever is answered later, each with a time limit, a slot, memory
 *     network    members, joining, node-lookups: the routing table, and what keeps it true
 *     content    serving, incoming-offers: what others ask; calls, content-lookup, retrievals, content-trace,
 *                outgoing-offers, outbox, gossip: what we ask
 *
 * Parts know those above them. Message codecs are imported from their own files (`message.ts`, `ping-extension.ts`).
 */

export type { OverlayOptions } from './knowledge/state.ts'
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
  TransferOrder,
  TransferRequest,
  TransferStart,
} from './overlay-messages.ts'
export type { PingPayload } from './wire/ping-extension.ts'
