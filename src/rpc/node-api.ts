import type { NodeRecord } from '../identity/node-record.ts'
import type { RecordChanges } from '../identity/publishable-record.ts'

/**
 * What the JSON-RPC methods ask of a node. The node's composition implements it with asks to its actors.
 *
 * Arguments are validated: ids have 32 bytes, records are verified, buffers belong to the callee. "Not there" is a value
 * (`undefined`, `false`), never an error. What fails throws a `SpimplError`; `rpc-errors.ts` says which code becomes which number.
 */
export interface NodeApi {
  /** As `web3_clientVersion` and pings say it: name/version/platform/language. */
  readonly clientVersion: string
  readonly discovery: DiscoveryApi
  readonly history: HistoryApi
  health(call: Call): Promise<Health>
}

/** One call. The signal fires when its client has gone, its time is over, or the server stops. */
export interface Call {
  readonly signal: AbortSignal
}

/** What `GET /health` says, whole, as JSON. */
export interface Health {
  /** Decides between 200 and 503. */
  readonly ready: boolean
  readonly [detail: string]: unknown
}

/** Bucket `i` has the nodes at log distance `i + 1`, the least recently seen first. */
export interface RoutingTableView {
  readonly localNodeId: Uint8Array
  readonly buckets: readonly (readonly Uint8Array[])[]
}

/** The part that discovery and every overlay have: a routing table, and lookups in its network. */
export interface RoutingApi {
  routingTable(call: Call): Promise<RoutingTableView>
  /** False where the table has no room for it or knows a newer record. */
  addRecord(record: NodeRecord, call: Call): Promise<boolean>
  /** The newest record that is known here; the own one for the own id. */
  findRecord(nodeId: Uint8Array, call: Call): Promise<NodeRecord | undefined>
  removeRecord(nodeId: Uint8Array, call: Call): Promise<boolean>
  /** The newest record that the network knows. */
  lookupRecord(nodeId: Uint8Array, call: Call): Promise<NodeRecord | undefined>
  /** One FINDNODE. `distances` are unique, each 0 to 256. */
  findNodes(peer: NodeRecord, distances: readonly number[], call: Call): Promise<readonly NodeRecord[]>
  /** A whole lookup: at most 16 records, the closest first. */
  recursiveFindNodes(target: Uint8Array, call: Call): Promise<readonly NodeRecord[]>
}

export interface DiscoveryApi extends RoutingApi {
  localRecord(call: Call): Promise<NodeRecord>
  /** Sets the pairs of the own record and publishes it. Throws ENR_FIELD_INVALID, ENR_TOO_LARGE. */
  updateRecord(changes: RecordChanges, call: Call): Promise<NodeRecord>
  ping(peer: NodeRecord, call: Call): Promise<DiscoveryPong>
  talk(peer: NodeRecord, protocol: Uint8Array, payload: Uint8Array, call: Call): Promise<Uint8Array>
}

export interface DiscoveryPong {
  readonly enrSeq: bigint
  /** Our address as the peer sees it. */
  readonly recipientIp: string
  readonly recipientPort: number
}

export interface HistoryApi extends RoutingApi {
  /** Without a payload the node makes its own of that type. */
  ping(peer: NodeRecord, type: 0 | 1, payload: PingPayload | undefined, call: Call): Promise<HistoryPong>
  findContent(peer: NodeRecord, key: Uint8Array, call: Call): Promise<FindContentAnswer>
  /** Offers, and sends what is wanted. One accept code for each item, in order (portal-wire-protocol, Accept). */
  offer(peer: NodeRecord, items: readonly ContentItem[], call: Call): Promise<Uint8Array>
  /** From the store, else from the network, validated. */
  getContent(key: Uint8Array, call: Call): Promise<ContentAnswer | undefined>
  traceGetContent(key: Uint8Array, call: Call): Promise<TracedContent>
  /** Validates and stores; false where the store refused it. Throws CONTENT_INVALID. */
  store(key: Uint8Array, value: Uint8Array, call: Call): Promise<boolean>
  localContent(key: Uint8Array, call: Call): Promise<Uint8Array | undefined>
  /** Validates, stores where the item is within the radius, and gossips. Throws CONTENT_INVALID. */
  putContent(key: Uint8Array, value: Uint8Array, call: Call): Promise<PutReport>
}

export interface ContentItem {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Payloads of the ping extensions (ping-extensions/extensions/type-*.md). */
export type PingPayload =
  | {
      readonly type: 0
      readonly clientInfo: string
      readonly dataRadius: bigint
      readonly capabilities: readonly number[]
    }
  | { readonly type: 1; readonly dataRadius: bigint }

export type PongPayload =
  | PingPayload
  | { readonly type: 2; readonly dataRadius: bigint; readonly ephemeralHeaderCount: number }
  | { readonly type: 65535; readonly errorCode: number; readonly message: string }

export interface HistoryPong {
  readonly enrSeq: bigint
  readonly payload: PongPayload
}

export interface ContentAnswer {
  readonly content: Uint8Array
  readonly utpTransfer: boolean
}

export type FindContentAnswer =
  | ({ readonly type: 'content' } & ContentAnswer)
  | { readonly type: 'records'; readonly records: readonly NodeRecord[] }

export interface TracedContent {
  /** Undefined where nobody had it: the trace is then the data of error -39002. */
  readonly content: Uint8Array | undefined
  readonly utpTransfer: boolean
  readonly trace: ContentTrace
}

/** jsonrpc/src/schemas/trace.json. Node ids are `0x` and 64 digits. */
export interface ContentTrace {
  readonly origin: string
  /** The content id, 32 bytes. */
  readonly targetId: Uint8Array
  /** Who had it; the own id where the store had it. */
  readonly receivedFrom?: string
  readonly responses: ReadonlyMap<string, { readonly durationMs: number; readonly respondedWith: readonly string[] }>
  readonly metadata: ReadonlyMap<string, { readonly enr: string; readonly distance: bigint }>
  readonly failures?: ReadonlyMap<string, { readonly durationMs: number; readonly failure: string }>
  readonly cancelled: readonly string[]
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number
}

export interface PutReport {
  readonly storedLocally: boolean
  readonly peerCount: number
  readonly accepted: number
  readonly declined: number
  readonly alreadyStored: number
  readonly notWithinRadius: number
  readonly rateLimited: number
  readonly transferInProgress: number
}
