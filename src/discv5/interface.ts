import type { Randomness } from 'spimpl-runtime'
import type { Cryptography } from '../crypto/cryptography.ts'
import type { DiscoveryErrorCode, SpimplError } from '../errors.ts'
import type { NodeRecord } from '../identity/node-record.ts'
import type { PublishableRecord, RecordChanges } from '../identity/publishable-record.ts'
import type { Datagram, Endpoint } from '../transport/datagram.ts'
import type { DiscoveryCounters } from './counters.ts'
import type { DiscoveryLimits } from './limits.ts'
import type { SessionState } from './sessions/session-machine.ts'
import type { IpLimits } from './table/routing-table.ts'

/** What a `Discv5` is made of. */
export interface DiscoveryOptions {
  /** The own record; discovery publishes it when the address changes. */
  readonly record: PublishableRecord
  readonly crypto: Cryptography
  readonly randomness: Randomness
  readonly limits?: Partial<DiscoveryLimits>
  /**
   * TALKREQ protocols whose requests are packets of a stream and want no answer, for instance `['utp']`: no TALKRESP is sent,
   * and what arrived in one turn is handed over together, as `talks-received`.
   */
  readonly oneWayProtocols?: readonly (string | Uint8Array)[]
  /**
   * TALKREQ protocols that are handed over as `talk-requested`; all others get an empty TALKRESP. Every protocol unless told. A text
   * stands for one byte a character: Portal's are `'\x50\x00'` and the like.
   */
  readonly protocols?: readonly (string | Uint8Array)[]
  /** Nodes of one subnet in the routing table; `undefined` for no limit. 2 in a bucket and 10 in the table unless told. */
  readonly ipLimits?: IpLimits | undefined
  /** Whether PONGs that name another address than the own record change the record. True unless told. */
  readonly adoptAddress?: boolean
  /** The socket reaches IPv6 and not IPv4: of a record that names both, the address of IPv6 is used. False unless told. */
  readonly hasIpv6Alone?: boolean
}

/** Who awaits an answer to a TALKREQ. Opaque: carried from `talk-requested` to `answer-talk`. */
export interface TalkToken {
  readonly nodeIdHex: string
  readonly endpoint: Endpoint
  readonly requestId: Uint8Array
}

/** `ref` is the caller's number for a request: it comes back with the outcome. */
export type DiscoveryInput =
  /** What arrived. The buffers belong to discovery from here on: headers are unmasked in place. */
  | { readonly type: 'datagrams'; readonly batch: readonly Datagram[] }
  | { readonly type: 'timeout' }
  /** A TALKREQ. Outcome: `talk-answered` or `request-failed`. */
  | {
      readonly type: 'talk'
      readonly ref: number
      readonly to: NodeRecord
      readonly protocol: Uint8Array
      readonly payload: Uint8Array
      readonly timeoutMs?: number
    }
  /** TALKREQs that want no answer. Sealed in one call, sent as one batch. No outcome. */
  | {
      readonly type: 'send-talks'
      readonly to: NodeRecord
      readonly protocol: Uint8Array
      readonly payloads: readonly Uint8Array[]
    }
  | { readonly type: 'answer-talk'; readonly request: TalkToken; readonly payload: Uint8Array }
  /** Outcome: `pong` or `request-failed`. */
  | { readonly type: 'ping'; readonly ref: number; readonly to: NodeRecord }
  /** FINDNODE; distances 0 to 256. Outcome: `nodes` or `request-failed`. */
  | {
      readonly type: 'find-nodes'
      readonly ref: number
      readonly to: NodeRecord
      readonly distances: readonly number[]
    }
  /** The 16 closest nodes to a node id (32 bytes) that answer. Outcome: `lookup-done`. */
  | { readonly type: 'lookup'; readonly ref: number; readonly target: Uint8Array }
  /** The newest record of a node id (32 bytes): the table, the node itself, then a lookup. Outcome: `resolved`. */
  | { readonly type: 'resolve'; readonly ref: number; readonly nodeId: Uint8Array }
  /** Offers a record to the routing table. */
  | { readonly type: 'add-record'; readonly record: NodeRecord }
  /** Takes a node out of the routing table; it may come by itself again. Outcome: `record-removed`. */
  | { readonly type: 'remove-record'; readonly ref: number; readonly nodeIdHex: string }
  /** Changes entries of the own record (undefined removes). Outcome: `record-set`, or `record-refused` and nothing was changed. */
  | { readonly type: 'set-record'; readonly ref: number; readonly entries: RecordChanges }
  /** Joins the network through these nodes; kept, and tried again whenever the table is empty. */
  | { readonly type: 'bootstrap'; readonly records: readonly NodeRecord[] }

/** What discovery wants done, and what became of requests, each by its `ref`. */
export type DiscoveryOutput =
  /** At most one for each input, and the last output of it. */
  | { readonly type: 'send'; readonly batch: readonly Datagram[] }
  | {
      readonly type: 'talk-requested'
      readonly from: NodeRecord
      readonly fromEndpoint: Endpoint
      readonly protocol: Uint8Array
      readonly payload: Uint8Array
      readonly token: TalkToken
    }
  /** Requests of a one-way protocol from one node, in the order of arrival; at most one for each node and input. */
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
  /** `ip` and `port`: what the peer sees as our address. */
  | { readonly type: 'pong'; readonly ref: number; readonly enrSeq: bigint; readonly ip: string; readonly port: number }
  /** Verified, at the distances that were asked for, at most 16. */
  | { readonly type: 'nodes'; readonly ref: number; readonly records: readonly NodeRecord[] }
  /** The closest first. */
  | { readonly type: 'lookup-done'; readonly ref: number; readonly records: readonly NodeRecord[] }
  | { readonly type: 'resolved'; readonly ref: number; readonly record: NodeRecord | undefined }
  /** `removed`: it was a member. */
  | { readonly type: 'record-removed'; readonly ref: number; readonly removed: boolean }
  /** The own record as it is now; `record-changed` says the same to everybody where it is a new one. */
  | { readonly type: 'record-set'; readonly ref: number; readonly record: NodeRecord }
  | { readonly type: 'record-refused'; readonly ref: number; readonly error: SpimplError }
  /** A session with it was established, or a newer record of a known node came. */
  | { readonly type: 'node-met'; readonly record: NodeRecord }
  /** It left the routing table. */
  | { readonly type: 'node-lost'; readonly nodeIdHex: string }
  /** The own record. */
  | { readonly type: 'record-changed'; readonly record: NodeRecord }

/** One peer in `inspect`; the counts are messages. */
export interface SessionSnapshot {
  readonly nodeIdHex: string
  readonly endpoint: Endpoint
  readonly state: SessionState
  readonly requestsInFlight: number
  readonly queued: number
}

/** What `inspect` shows. */
export interface DiscoverySnapshot {
  readonly nodeIdHex: string
  readonly enr: string
  readonly nodes: number
  readonly buckets: readonly {
    readonly distance: number
    readonly nodes: readonly { readonly nodeIdHex: string; readonly live: boolean; readonly failures: number }[]
  }[]
  readonly sessions: readonly SessionSnapshot[]
  readonly challenges: number
  readonly requestsInFlight: number
  readonly lookups: number
  readonly counters: Readonly<DiscoveryCounters>
}
