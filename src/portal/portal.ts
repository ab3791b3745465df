/**
 * The door of src/portal: the overlay network of one Portal sub-network as a protocol core (`Overlay`), and the two
 * ends of one transfer of content as cores of their own (`InboundTransfer`, `OutboundTransfer`).
 *
 *     wire       bytes to messages and back: ssz, message, ping-extension; version: which version to speak
 *     knowledge  whom we know: state, members (the routing table), profiles, radius, relayed-records
 *     waiting    what is answered later, with its deadline and slot: requests, questions, transfers, content-room
 *     network    pings, node-lookups, joining: what keeps the routing table filled and true
 *     content    serving, incoming-offers: what peers ask. calls, content-lookup, retrievals, outgoing-offers, gossip:
 *                what we ask
 *     transfer   inbound-transfer, outbound-transfer: the items of one transfer on a uTP stream
 *
 * Rooms import from those above them. `messages.ts` has all inputs and outputs, `deadlines.ts` all timers, `limits.ts`
 * all bounds, `counters.ts` all counters. Message codecs are imported from their own files.
 */

export type { OverlayCounterName } from './counters.ts'
export type { OverlayOptions } from './knowledge/state.ts'
export { defaultOverlayLimits, type OverlayLimits } from './limits.ts'
export type {
  AcceptCounts,
  CallResult,
  ContentFailure,
  ContentName,
  ContentTrace,
  DiscoveryEvent,
  DiscoveryRequest,
  Failure,
  GossipResult,
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
} from './messages.ts'
export { type MemberSnapshot, Overlay, type OverlaySnapshot } from './overlay.ts'
export { InboundTransfer } from './transfer/inbound-transfer.ts'
export type { TransferInput, TransferOutput } from './transfer/messages.ts'
export { OutboundTransfer } from './transfer/outbound-transfer.ts'
export { type AcceptCode, acceptCodes } from './wire/message.ts'
export type { PingPayload } from './wire/ping-extension.ts'
