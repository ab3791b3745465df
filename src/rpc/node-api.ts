import type { HistoryKey } from '../history/history.ts'
import type { NodeRecord } from '../identity/node-record.ts'
import type { RecordChanges } from '../identity/publishable-record.ts'
import type { AcceptCounts, ContentTrace, PingPayload } from '../portal/portal.ts'

/**
 * What a node does for its callers: programs call it directly, the JSON-RPC methods call it for their clients.
 *
 * An absent thing is a value (`undefined`, `false`), never an error. A failure rejects with a `SpimplError` whose code
 * says what happened. Byte arrays that are passed in belong to the node from then on: do not write into them.
 */
export interface NodeApi {
  /** As `web3_clientVersion` and Portal pings report it: name/version/os-cpu/language. */
  readonly clientVersion: string
  readonly discovery: DiscoveryApi
  readonly history: HistoryApi
  health(call?: CallOptions): Promise<Health>
}

/** When a call ends without its result. Every method has a time limit of its own, so both may be left out. */
export interface CallOptions {
  /** Aborting rejects the call with ASK_ABORTED and stops the work behind it. */
  readonly signal?: AbortSignal | undefined
  /**
   * The call rejects with ASK_TIMEOUT after this many milliseconds. Default: 30,000 for local calls, 300,000 for
   * network calls.
   */
  readonly timeoutMs?: number | undefined
}

/** A node id: 32 bytes, or `0x` and 64 hexadecimal digits. */
export type NodeId = Uint8Array | string

/** A node to talk to: its record, verified before, or the record as text (`enr:...`), which the call verifies. */
export type Peer = NodeRecord | string

/** A content key: its bytes, or the type and the block number that it encodes. */
export type ContentKey = Uint8Array | HistoryKey

/** What `GET /health` answers, as JSON. */
export interface Health {
  /** Decides between HTTP status 200 and 503. */
  readonly ready: boolean
  readonly [detail: string]: unknown
}

/** The routing table as node ids in hex. */
export interface RoutingTableView {
  readonly localNodeId: string
  /** Bucket `i` holds the nodes at log distance `i + 1`, the least recently seen first. */
  readonly buckets: readonly (readonly string[])[]
}

/** What discovery and every sub-network have: a routing table, and lookups through it. */
export interface RoutingApi {
  table(call?: CallOptions): Promise<RoutingTableView>
  /** False if the table has no room for the record or knows a newer one. */
  addRecord(record: Peer, call?: CallOptions): Promise<boolean>
  /** The newest record known to this node, without asking the network. The own record for the own id. */
  findRecord(nodeId: NodeId, call?: CallOptions): Promise<NodeRecord | undefined>
  /** Whether the node was in the table. It may come back by contacting us. */
  removeRecord(nodeId: NodeId, call?: CallOptions): Promise<boolean>
  /** The newest record known to the network. */
  lookupRecord(nodeId: NodeId, call?: CallOptions): Promise<NodeRecord | undefined>
  /** One FINDNODE request. `distances` are log distances from 0 to 256, each at most once. */
  findNodes(peer: Peer, distances: readonly number[], call?: CallOptions): Promise<readonly NodeRecord[]>
  /** An iterative lookup: at most 16 records, the closest to `target` first. */
  lookup(target: NodeId, call?: CallOptions): Promise<readonly NodeRecord[]>
}

/** Node Discovery v5.1: the network that all sub-networks share. */
export interface DiscoveryApi extends RoutingApi {
  /** The own record as it is published now. */
  localRecord(call?: CallOptions): Promise<NodeRecord>
  /**
   * Sets pairs of the own record (`undefined` removes one) and publishes it. Rejects with ENR_FIELD_INVALID or
   * ENR_TOO_LARGE.
   */
  updateRecord(changes: RecordChanges, call?: CallOptions): Promise<NodeRecord>
  ping(peer: Peer, call?: CallOptions): Promise<DiscoveryPong>
  /** One TALKREQ; resolves with the payload of its TALKRESP, which is empty if the peer does not speak the protocol. */
  talk(peer: Peer, protocol: Uint8Array, payload: Uint8Array, call?: CallOptions): Promise<Uint8Array>
}

/** The answer to a discovery ping. */
export interface DiscoveryPong {
  /** The sequence number of the peer's record. */
  readonly enrSeq: bigint
  /** Our endpoint as the peer sees it. */
  readonly recipientIp: string
  readonly recipientPort: number
}

/** The history network: bodies and receipts of blocks, by their content keys. */
export interface HistoryApi extends RoutingApi {
  /** Portal's ping. Its answer makes the peer a member of the table. */
  ping(peer: Peer, ping?: PingOptions): Promise<HistoryPong>
  /** One FINDCONTENT request: the content, validated, or records of nodes that are closer to it. */
  findContent(peer: Peer, key: ContentKey, call?: CallOptions): Promise<FindContentAnswer>
  /**
   * Offers at most 64 items to a peer and sends those it accepts. Resolves with one accept code for each item, in
   * order: 0 is accepted (portal-wire-protocol.md, Accept).
   */
  offer(peer: Peer, items: readonly ContentItem[], call?: CallOptions): Promise<Uint8Array>
  /** Content from the own store or else from the network, validated; undefined if nobody has it. */
  get(key: ContentKey, call?: CallOptions): Promise<ContentAnswer | undefined>
  /** Content from the network, even if the own store has it. Rejects with CONTENT_NOT_FOUND if nobody has it. */
  retrieve(key: ContentKey, call?: CallOptions): Promise<RetrievedContent>
  /** As `get`, with a trace of the nodes that were asked. */
  trace(key: ContentKey, call?: CallOptions): Promise<TracedContent>
  /** Content of the own store. */
  local(key: ContentKey, call?: CallOptions): Promise<Uint8Array | undefined>
  /** Validates and stores; false if the store refuses the item. Rejects with CONTENT_INVALID or HEADER_UNAVAILABLE. */
  store(key: ContentKey, content: Uint8Array, call?: CallOptions): Promise<boolean>
  /**
   * Validates, stores if the item is within the radius, and offers it to the nodes that should hold it. Rejects with
   * CONTENT_INVALID, or with HEADER_UNAVAILABLE if there is no header to validate against.
   */
  put(key: ContentKey, content: Uint8Array, call?: CallOptions): Promise<PutReport>
}

/** What a Portal ping carries. Without a payload, the node sends its own of that type. */
export interface PingOptions extends CallOptions {
  /** 0 (client info, radius and capabilities) unless told; 1 is the radius alone. */
  readonly payloadType?: 0 | 1 | undefined
  readonly payload?: PingPayload | undefined
}

/** The answer to a Portal ping. */
export interface HistoryPong {
  /** The sequence number of the peer's record. */
  readonly enrSeq: bigint
  readonly payload: PingPayload
}

/** An item to offer. */
export interface ContentItem {
  readonly key: ContentKey
  readonly content: Uint8Array
}

/** Content that was found. */
export interface ContentAnswer {
  readonly content: Uint8Array
  /** Whether it came over a uTP stream; otherwise it came inside an answer or from the own store. */
  readonly utpTransfer: boolean
}

/** Content that another node had. */
export interface RetrievedContent extends ContentAnswer {
  /** The node that had it. */
  readonly from: NodeRecord
  /** How many nodes were asked, including the one that had it. */
  readonly queries: number
}

/** The answer to one FINDCONTENT. */
export type FindContentAnswer =
  | ({ readonly type: 'found' } & ContentAnswer)
  | { readonly type: 'nodes'; readonly records: readonly NodeRecord[] }

/** The outcome of a traced retrieval. */
export interface TracedContent {
  /** Undefined if nobody had it. */
  readonly content: Uint8Array | undefined
  readonly utpTransfer: boolean
  readonly trace: ContentTrace
}

/** What became of a put. */
export interface PutReport {
  /** False if the item is outside the radius or the store has no room for it. */
  readonly storedLocally: boolean
  /** How many peers it was offered to. */
  readonly peerCount: number
  /** How often each accept code came back. */
  readonly acceptMetadata: AcceptCounts
}
