import type { DiscoveryErrorCode, SpimplError } from '../errors.ts'
import type { NodeRecord } from '../identity/node-record.ts'
import type { RecordChanges } from '../identity/publishable-record.ts'
import type { Datagram, Endpoint } from '../transport/datagram.ts'

/** Identifies a TALKREQ of a peer that awaits its answer. Opaque: carried from `talk-requested` to `answer-talk`. */
export interface TalkToken {
  readonly nodeIdHex: string
  readonly endpoint: Endpoint
  readonly requestId: Uint8Array
}

/** What discovery is given. `ref` is the caller's number of a request and comes back with its outcome. */
export type DiscoveryInput =
  /** Datagrams that arrived. Their buffers belong to discovery from now on: headers are unmasked in place. */
  | { readonly type: 'datagrams'; readonly batch: readonly Datagram[] }
  | { readonly type: 'timeout' }
  /** Sends a TALKREQ. Outcome: `talk-answered` or `request-failed`. */
  | {
      readonly type: 'talk'
      readonly ref: number
      readonly to: NodeRecord
      readonly protocol: Uint8Array
      readonly payload: Uint8Array
      readonly timeoutMs?: number
    }
  /** Sends TALKREQs that expect no answer, sealed in one call and sent as one batch. No outcome. */
  | {
      readonly type: 'send-talks'
      readonly to: NodeRecord
      readonly protocol: Uint8Array
      readonly payloads: readonly Uint8Array[]
    }
  /** Answers a `talk-requested`. */
  | { readonly type: 'answer-talk'; readonly request: TalkToken; readonly payload: Uint8Array }
  /** Outcome: `pong` or `request-failed`. */
  | { readonly type: 'ping'; readonly ref: number; readonly to: NodeRecord }
  /** Sends FINDNODE; distances are 0 to 256. Outcome: `nodes` or `request-failed`. */
  | {
      readonly type: 'find-nodes'
      readonly ref: number
      readonly to: NodeRecord
      readonly distances: readonly number[]
    }
  /** Finds the 16 nodes closest to a node id (32 bytes) that answer. Outcome: `lookup-done`. */
  | { readonly type: 'lookup'; readonly ref: number; readonly target: Uint8Array }
  /** Finds the newest record of a node id (32 bytes), from the node or through the network. Outcome: `resolved`. */
  | { readonly type: 'resolve'; readonly ref: number; readonly nodeId: Uint8Array }
  /** Offers a record to the routing table. */
  | { readonly type: 'add-record'; readonly record: NodeRecord }
  /** Removes a node from the routing table; it may enter again when it contacts us. Outcome: `record-removed`. */
  | { readonly type: 'remove-record'; readonly ref: number; readonly nodeIdHex: string }
  /** Changes entries of the own record; undefined removes one. Outcome: `record-set` or `record-refused`. */
  | { readonly type: 'set-record'; readonly ref: number; readonly entries: RecordChanges }
  /** Joins the network through these nodes. They are kept, and tried again whenever the table is empty. */
  | { readonly type: 'bootstrap'; readonly records: readonly NodeRecord[] }

/** What discovery asks of its owner, reports about the network, and answers to requests by their `ref`. */
export type DiscoveryOutput =
  /** Datagrams to send. At most one for each input, and its last output. */
  | { readonly type: 'send'; readonly batch: readonly Datagram[] }
  /** A peer sent a TALKREQ, which `answer-talk` answers. */
  | {
      readonly type: 'talk-requested'
      readonly from: NodeRecord
      readonly fromEndpoint: Endpoint
      readonly protocol: Uint8Array
      readonly payload: Uint8Array
      readonly token: TalkToken
    }
  /** TALKREQs of a one-way protocol in their order of arrival; at most one output for each node, protocol and input. */
  | {
      readonly type: 'talks-received'
      readonly from: NodeRecord
      readonly protocol: Uint8Array
      readonly payloads: readonly Uint8Array[]
    }
  | { readonly type: 'talk-answered'; readonly ref: number; readonly payload: Uint8Array }
  | {
      readonly type: 'request-failed'
      readonly ref: number
      readonly code: DiscoveryErrorCode
      readonly detail: string
    }
  /** `ip` and `port` are our address as the peer sees it. */
  | { readonly type: 'pong'; readonly ref: number; readonly enrSeq: bigint; readonly ip: string; readonly port: number }
  /** Verified records at the requested distances, at most 16. */
  | { readonly type: 'nodes'; readonly ref: number; readonly records: readonly NodeRecord[] }
  /** The closest first. */
  | { readonly type: 'lookup-done'; readonly ref: number; readonly records: readonly NodeRecord[] }
  | { readonly type: 'resolved'; readonly ref: number; readonly record: NodeRecord | undefined }
  /** `removed`: whether the node was a member of the table. */
  | { readonly type: 'record-removed'; readonly ref: number; readonly removed: boolean }
  /** The own record after the change. If it is a new version, `record-changed` announces it as well. */
  | { readonly type: 'record-set'; readonly ref: number; readonly record: NodeRecord }
  | { readonly type: 'record-refused'; readonly ref: number; readonly error: SpimplError }
  /** A session with this node was established, or a newer record of a known node arrived. */
  | { readonly type: 'node-met'; readonly record: NodeRecord }
  /** A node left the routing table. */
  | { readonly type: 'node-lost'; readonly nodeIdHex: string }
  /** A new version of the own record was published. */
  | { readonly type: 'record-changed'; readonly record: NodeRecord }
