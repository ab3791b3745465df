import type { TalkToken } from '../discv5/messages.ts'
import type { ErrorCode } from '../errors.ts'
import type { NodeRecord } from '../identity/node-record.ts'
import type { AcceptCode } from './wire/message.ts'
import type { PingPayload } from './wire/ping-extension.ts'

/** A content key with the id that the sub-network derives from it. */
export interface ContentName {
  readonly key: Uint8Array
  /** 32 bytes. */
  readonly contentId: Uint8Array
}

/**
 * Content to offer. Without `content` its bytes are in the store, to be read when they are sent. Several transfers may
 * carry the same buffer: nobody writes into it or transfers it to another thread.
 */
export interface OfferedContent extends ContentName {
  readonly content: Uint8Array | undefined
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────── inputs

/** What discovery tells. */
export type DiscoveryEvent =
  | {
      readonly type: 'talk-requested'
      readonly from: NodeRecord
      readonly payload: Uint8Array
      readonly token: TalkToken
    }
  /** The answer to the output `talk` with this `ref`. */
  | { readonly type: 'talk-answered'; readonly ref: number; readonly payload: Uint8Array }
  /** No answer came to the output `talk` with this `ref`, or it could not be sent. */
  | { readonly type: 'talk-failed'; readonly ref: number; readonly code: ErrorCode }
  /** A session was made with this node, or its record is newer. Records of other chains are left aside. */
  | { readonly type: 'node-met'; readonly record: NodeRecord }
  /** The own record changed. */
  | { readonly type: 'record-changed'; readonly record: NodeRecord }

/** What the store and validation tell, most of it as an answer to a question of the overlay by its `ref`. */
export type StoreEvent =
  | { readonly type: 'radius-changed'; readonly radius: bigint }
  /** Answers `want-content`; undefined where the store has nothing. */
  | { readonly type: 'content-read'; readonly ref: number; readonly content: Uint8Array | undefined }
  /** Answers `judge-offer`: one code for each item, in order. 0 takes it; 2 is stored; 3, 6 and 1 decline. */
  | { readonly type: 'offer-judged'; readonly ref: number; readonly codes: readonly AcceptCode[] }
  /** Answers `validate`. HEADER_UNAVAILABLE ends a lookup: no other peer can help it. */
  | { readonly type: 'validated'; readonly ref: number; readonly valid: true }
  | { readonly type: 'validated'; readonly ref: number; readonly valid: false; readonly code: ErrorCode }

/** What a transfer tells, by the `ref` of `fetch`, `serve`, `send` or `receive`. Each ends with done or failed. */
export type TransferEvent =
  /** `receive`: the peer has connected, so it has our answer to its offer. */
  | { readonly type: 'transfer-begun'; readonly ref: number }
  /**
   * `fetch` and `receive`: the item at `index` of what was to come is here, whole and valid. `stored`: the store has
   * it, so the overlay gossips it without holding its bytes.
   */
  | {
      readonly type: 'transfer-item'
      readonly ref: number
      readonly index: number
      readonly content: Uint8Array
      readonly stored: boolean
    }
  /** `fetch` and `receive`: an item of so many bytes comes next. Answered by `give-room` when it may; the stream's window waits. */
  | { readonly type: 'transfer-size'; readonly ref: number; readonly bytes: number }
  | { readonly type: 'transfer-done'; readonly ref: number }
  /** Also for content that is not valid (CONTENT_INVALID), which costs the peer its place in the table. */
  | { readonly type: 'transfer-failed'; readonly ref: number; readonly code: ErrorCode }

/**
 * What a user asks for. `ref` is the caller's own number; each is settled by exactly one output that carries it: the
 * result named here, or `failed`.
 */
export type OverlayCall =
  /** Pings them until one answers, then joins: a lookup of the own id, and of the buckets further away. */
  | { readonly type: 'bootstrap'; readonly records: readonly NodeRecord[] }
  /**
   * Settles as `record-added`: false where the record is of another chain or version, our own, or older than what is
   * known.
   */
  | { readonly type: 'add-record'; readonly ref: number; readonly record: NodeRecord }
  /** Settles as `record-removed`. */
  | { readonly type: 'remove-record'; readonly ref: number; readonly nodeIdHex: string }
  /** Settles as `pong`. Without a payload the one of `payloadType` is made; without that, type 0. */
  | {
      readonly type: 'ping'
      readonly ref: number
      readonly to: NodeRecord
      readonly payloadType?: number | undefined
      readonly payload?: PingPayload | undefined
    }
  /** Settles as `nodes`. */
  | {
      readonly type: 'find-nodes'
      readonly ref: number
      readonly to: NodeRecord
      readonly distances: readonly number[]
    }
  /** Settles as `found`, or as `nodes` where the peer only knows nodes that are closer. The content is valid. */
  | { readonly type: 'find-content'; readonly ref: number; readonly to: NodeRecord; readonly key: Uint8Array }
  /** Settles as `offered` when the accepted items are transferred, at once where none is accepted. At most 64 items. */
  | {
      readonly type: 'offer'
      readonly ref: number
      readonly to: NodeRecord
      readonly items: readonly { readonly key: Uint8Array; readonly content: Uint8Array | undefined }[]
    }
  /** The closest nodes of the sub-network. Settles as `nodes`, at most 16, the closest first. */
  | { readonly type: 'lookup-nodes'; readonly ref: number; readonly target: Uint8Array }
  /** The newest record of a node. Settles as `record-found`. */
  | { readonly type: 'lookup-record'; readonly ref: number; readonly nodeId: Uint8Array }
  /**
   * Finds content in the network (the own store is the caller's business). Settles as `found`, or `failed` with
   * CONTENT_NOT_FOUND; with `startedAtMs` (Unix time) both carry a trace.
   */
  | {
      readonly type: 'lookup-content'
      readonly ref: number
      readonly key: Uint8Array
      readonly startedAtMs?: number | undefined
    }
  /**
   * Offers content to the nodes that should hold it. Settles as `gossiped` when all have answered, before transfers
   * end.
   */
  | {
      readonly type: 'gossip'
      readonly ref: number
      readonly key: Uint8Array
      /** Undefined: the store has it. */
      readonly content: Uint8Array | undefined
      /** Look for further nodes in the network where the table knows too few (`portal_*PutContent`). */
      readonly lookup: boolean
    }
  /** The caller does not wait any longer: the call fails with ASK_ABORTED, its transfers are cancelled. */
  | { readonly type: 'cancel'; readonly ref: number }

/** Everything that can happen to an overlay. */
export type OverlayInput =
  | DiscoveryEvent
  | StoreEvent
  | TransferEvent
  | OverlayCall
  /** `deadline()` has come. */
  | { readonly type: 'timeout' }

// ──────────────────────────────────────────────────────────────────────────────────────────────────── outputs

/** To discovery. */
export type DiscoveryRequest =
  | {
      readonly type: 'talk'
      /** The overlay's own number, which `talk-answered` or `talk-failed` brings back. */
      readonly ref: number
      readonly to: NodeRecord
      readonly protocol: Uint8Array
      readonly payload: Uint8Array
    }
  | { readonly type: 'answer-talk'; readonly request: TalkToken; readonly payload: Uint8Array }
  /** The node says that its record is newer than `known`: ask it for that, and tell it as `node-met`. */
  | { readonly type: 'fetch-record'; readonly known: NodeRecord; readonly seq: bigint }

/** To the store and validation: questions, each answered by its `ref`. */
export type StoreQuestion =
  | ({ readonly type: 'want-content'; readonly ref: number } & ContentName)
  /** Which of these are wanted? Keys are known to be well-formed and the ids to lie in the own radius. */
  | {
      readonly type: 'judge-offer'
      readonly ref: number
      readonly from: NodeRecord
      readonly items: readonly ContentName[]
    }
  /** Content that came inside an answer. */
  | ({
      readonly type: 'validate'
      readonly ref: number
      readonly from: NodeRecord
      readonly content: Uint8Array
    } & ContentName)

/** What all four sorts of transfer have in common. */
export interface TransferStart {
  /** The overlay's own number, which every `transfer-…` event brings back. */
  readonly ref: number
  readonly peer: NodeRecord
  /** As in the Portal message (uint16). Who initiates receives on it and sends on it plus one. */
  readonly connectionId: number
  /** The version negotiated with the peer. */
  readonly version: number
  /** Whether each item has a varint of its length before it: always, but for FIND_CONTENT at version 0. */
  readonly prefixed: boolean
}

/** Begins a transfer. */
export type TransferOrder =
  /** Initiate the stream and read one item (we asked with FIND_CONTENT). */
  | ({ readonly type: 'fetch' } & TransferStart & ContentName)
  /** Wait for the stream and write one item (they asked with FIND_CONTENT). */
  | ({ readonly type: 'serve'; readonly content: Uint8Array } & TransferStart & ContentName)
  /** Initiate the stream and write the items in order (they accepted our OFFER). */
  | ({ readonly type: 'send'; readonly items: readonly OfferedContent[] } & TransferStart)
  /** Wait for the stream and read the items in order (we accepted their OFFER). */
  | ({ readonly type: 'receive'; readonly items: readonly ContentName[] } & TransferStart)

/** To transfers. */
export type TransferRequest =
  | TransferOrder
  /** There is memory for the item whose `transfer-size` was told. */
  | { readonly type: 'give-room'; readonly ref: number }
  /** Nobody wants this transfer any more: reset its stream. No event of it is expected afterwards. */
  | { readonly type: 'cancel-transfer'; readonly ref: number }

/** How often each code came back to a gossip, as `AcceptMetadata` of the JSON-RPC specification has it. */
export interface AcceptCounts {
  readonly acceptedCount: number
  readonly genericDeclineCount: number
  readonly alreadyStoredCount: number
  readonly notWithinRadiusCount: number
  readonly rateLimitedCount: number
  readonly transferInProgressCount: number
}

/** The trace of a content lookup (jsonrpc/src/schemas/trace.json). Ids are 0x and 64 hex digits. */
export interface ContentTrace {
  readonly origin: string
  readonly targetId: string
  readonly receivedFrom?: string
  readonly responses: Readonly<
    Record<string, { readonly durationMs: number; readonly respondedWith: readonly string[] }>
  >
  readonly metadata: Readonly<Record<string, { readonly enr: string; readonly distance: string }>>
  readonly startedAtMs: number
  readonly cancelled: readonly string[]
}

/** Results, each by the `ref` of the call. */
export type CallResult =
  | { readonly type: 'record-added'; readonly ref: number; readonly added: boolean }
  | { readonly type: 'record-removed'; readonly ref: number; readonly removed: boolean }
  | { readonly type: 'pong'; readonly ref: number; readonly enrSeq: bigint; readonly payload: PingPayload }
  | { readonly type: 'nodes'; readonly ref: number; readonly records: readonly NodeRecord[] }
  | {
      readonly type: 'found'
      readonly ref: number
      readonly content: Uint8Array
      readonly utpTransfer: boolean
      readonly from: NodeRecord
      /** Nodes that were asked, the one that had it included. */
      readonly queries: number
      readonly trace: ContentTrace | undefined
    }
  | { readonly type: 'record-found'; readonly ref: number; readonly record: NodeRecord | undefined }
  /** `codes`: one byte for each item. */
  | { readonly type: 'offered'; readonly ref: number; readonly codes: Uint8Array }
  | {
      readonly type: 'gossiped'
      readonly ref: number
      readonly peerCount: number
      readonly acceptMetadata: AcceptCounts
    }
  | {
      readonly type: 'failed'
      readonly ref: number
      readonly code: ErrorCode
      readonly detail: string
      /** Of a traced content lookup that found nothing. */
      readonly trace: ContentTrace | undefined
    }

/** Everything that an overlay can want: a talk, an answer of the store, a transfer, or to give a result. */
export type OverlayOutput =
  | DiscoveryRequest
  | StoreQuestion
  | TransferRequest
  | CallResult
  /** The peer's answer named this connection id, and no stream will come of it: the peer need not wait for one. */
  | { readonly type: 'decline'; readonly peer: NodeRecord; readonly connectionId: number }

/** One call of `handle`: the moment, and where outputs go. */
export interface Turn {
  readonly now: number
  readonly emit: (output: OverlayOutput) => void
}

/** Why something did not come about. */
export interface Failure {
  readonly code: ErrorCode
  readonly detail: string
}
