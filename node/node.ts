/**
 * The door `spimpl/node`: a Portal history node in one line, what it is made of, and what it does for its callers.
 *
 *     options      what a node is made of, with its checks and defaults; the networks
 *     ports        what a node opens itself, and closes: data directory and key, header source, threads
 *     composition  the rows of a node, also on other threads, and the value they make
 *     api          what programs and JSON-RPC ask of a node, as messages to its actors
 */
export type { DiscoveryMessage } from '../actors/discovery-messages.ts'
export type { ActorsEvent, EventsMessage } from '../actors/events.ts'
export type { OverlayMessage } from '../actors/overlay.ts'
export type { RpcMessage } from '../actors/rpc.ts'
export {
  type ContentChange,
  type RadiusChanged,
  type ServedStore,
  type StorageMessage,
  storage,
} from '../actors/storage.ts'
export type { StreamsMessage } from '../actors/streams.ts'
export type { TransportMessage } from '../actors/transport.ts'
export type { ValidationMessage, ValidationRequest, Verdict } from '../actors/validation.ts'
export type { CipherJob, Cryptography, RecoverableSignature } from '../src/crypto/cryptography.ts'
export type { ContentSummary } from '../src/history/content/content.ts'
export { contentIdOfKey } from '../src/history/content/content-id.ts'
export {
  decodeContentKey,
  encodeContentKey,
  type HistoryContentType,
  type HistoryKey,
} from '../src/history/content/content-key.ts'
export type { BlockHeader } from '../src/history/headers/header.ts'
export { HeaderTable } from '../src/history/headers/header-directory.ts'
export type { HeaderAnswer, HeaderSource } from '../src/history/headers/header-source.ts'
export { openHeaderSource } from '../src/history/headers/open-header-source.ts'
export type { ValidationJob } from '../src/history/validation/validation-task.ts'
export type { NodeRecord } from '../src/identity/node-record.ts'
export type { RecordChanges, RecordValue } from '../src/identity/publishable-record.ts'
export type { AcceptCounts, ContentTrace } from '../src/portal/messages.ts'
export type { PingPayload } from '../src/portal/wire/ping-extension.ts'
export { type Call, type Method, method } from '../src/rpc/methods/method.ts'
export type {
  CallOptions,
  ContentAnswer,
  ContentItem,
  ContentKey,
  DiscoveryApi,
  DiscoveryPong,
  FindContentAnswer,
  Health,
  HistoryApi,
  HistoryPong,
  NodeApi,
  NodeId,
  Peer,
  PingOptions,
  PutReport,
  RetrievedContent,
  RoutingApi,
  RoutingTableView,
  TracedContent,
} from '../src/rpc/node-api.ts'
export type {
  ContentStore,
  ContentStoreOptions,
  PutOutcome,
  RefusalReason,
  StoredContent,
  StoredEntry,
} from '../src/store/content-store.ts'
export { DataDirectory } from '../src/store/data-directory.ts'
export type { RadiusSetting } from '../src/store/radius.ts'
export type {
  Datagram,
  DatagramCounters,
  DatagramOptions,
  DatagramSocket,
  Endpoint,
  OpenDatagramSocket,
} from '../src/transport/datagram.ts'
export { type ApiParts, nodeApi } from './api/node-api.ts'
export type { NodeRefs } from './api/node-asks.ts'
export { storageOnLane, validationOnLane } from './composition/lane-rows.ts'
export { type NodeComposition, type NodeShape, nodeComposition } from './composition/node-composition.ts'
export { HISTORY_SUBNETWORK, nodeRows, type Subnetwork, subnetworkRow } from './composition/node-rows.ts'
export { EVENTS_BUFFERED, type EventsDropped } from './event-feed.ts'
export type { ExecutorName } from './options/executors.ts'
export { NETWORKS, type NetworkName, type PortalNetwork } from './options/networks.ts'
export type { NodeOptions } from './options/node-options.ts'
export type { NodePorts, PortsMessage } from './ports/ports.ts'
export type { ValidateContent } from './ports/validation-threads.ts'
export type { NodeEvent, NodeParts, RunningNode } from './running-node.ts'
export { startNode } from './start-node.ts'
