import type { Turn as CoreTurn } from 'spimpl-runtime/core'
import type { TalkToken } from '../discv5/messages.ts'
import type { ErrorCode } from '../errors.ts'
import type { NodeRecord } from '../identity/node-record.ts'
import type { PingPayload } from './wire/ping-extension.ts'

/**
 * The inputs and outputs of an overlay.
 *
 * A `ref` is a number that an answer brings back. A caller chooses a positive number for its call and never uses it
 * again; whatever the overlay asks for that one call (a request to a peer, a question, a transfer) carries the same
 * number. What the overlay begins by itself, and the many requests of a lookup, carry negative numbers.
 */

/** A content key with the id that the sub-network derives from it. */
export interface ContentName {
  readonly key: Uint8Array
  /** 32 bytes. */
  readonly contentId: Uint8Array
}

/**
 * Content to offer. If `content` is undefined, its bytes are in the store and are read when they are sent. Several
 * transfers may carry the same buffer: nobody writes into it or transfers it to another thread.
 */
export interface OfferedContent extends ContentName {
  readonly content: Uint8Array | undefined
}

/** Why something failed. */
export interface Failure {
  readonly code: ErrorCode
  readonly detail: string
}

/** Why content was not had from a peer. */
export interface ContentFailure {
  readonly code: ErrorCode
  /** The content is not what its key names: its sender lied. False if the content could not be judged. */
  readonly blamesContent: boolean
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────── inputs

/** Inputs from discovery. */
export type DiscoveryEvent =
  | {
      readonly type: 'talk-requested'
      readonly from: NodeRecord
      readonly payload: Uint8Array
      readonly token: TalkToken
    }
  /** The answer to the output `talk` with this `ref`. */
  | { readonly type: 'talk-answered'; readonly ref: number; readonly payload: Uint8Array }
  /** The output `talk` with this `ref` was not answered, or could not be sent. */
  | { readonly type: 'talk-failed'; readonly ref: number; readonly code: ErrorCode }
  /** A session with this node was established, or its record is newer. The overlay ignores nodes of other chains. */
  | { readonly type: 'node-met'; readonly record: NodeRecord }
  /** Our own record changed. */
  | { readonly type: 'record-changed'; readonly record: NodeRecord }

/** Inputs from the store and from validation. All but the first answer a question of the overlay by its `ref`. */
export type StoreEvent =
  | { readonly type: 'radius-changed'; readonly radius: bigint }
  /** Answers `want-content`; undefined if the store does not have it. */
  | { readonly type: 'content-read'; readonly ref: number; readonly content: Uint8Array | undefined }
  /** Answers `want-presence`: for each item, in order, whether the store has it. */
  | { readonly type: 'presence'; readonly ref: number; readonly present: readonly boolean[] }
  /** Answers `validate`. HEADER_UNAVAILABLE ends a lookup, because it holds for every peer's content. */
  | { readonly type: 'verdict'; readonly ref: number; readonly valid: true }
  | ({ readonly type: 'verdict'; readonly ref: number; readonly valid: false } & ContentFailure)
  /** Answers `keep`: the store has written the content or refused it. */
  | { readonly type: 'content-kept'; readonly ref: number }
  /** Answers `keep`: the store could not write. */
  | { readonly type: 'keep-failed'; readonly ref: number }

/** Inputs from a transfer, by the `ref` of its order. The last one is `transfer-done` or `transfer-failed`. */
export type TransferEvent =
  /** `receive`: the peer has connected, so it has our answer to its offer. */
  | { readonly type: 'transfer-begun'; readonly ref: number }
  /** `fetch` and `receive`: the next item has this many bytes. `give-room` answers it; until then the item waits. */
  | { readonly type: 'transfer-size'; readonly ref: number; readonly bytes: number }
  /**
   * `fetch` and `receive`: the item at `index` of the order is whole and valid. `stored`: the store has it, so the
   * overlay need not hold its bytes for gossip.
   */
  | {
      readonly type: 'transfer-item'
      readonly ref: number
      readonly index: number
      readonly content: Uint8Array
      readonly stored: boolean
    }
  | { readonly type: 'transfer-done'; readonly ref: number }
  /** `blamesContent` costs the peer its place in the routing table. */
  | ({ readonly type: 'transfer-failed'; readonly ref: number } & ContentFailure)

/** Calls of users. Each is settled by exactly one output with its `ref`: the result named here, or `failed`. */
export type OverlayCall =
  /** Settles as `record-added`: false for our own record, another chain or version, or an older record. */
  | { readonly type: 'add-record'; readonly ref: number; readonly record: NodeRecord }
  /** Settles as `record-removed`. */
  | { readonly type: 'remove-record'; readonly ref: number; readonly nodeIdHex: string }
  /** Settles as `pong`. Default payload: our own of `payloadType`; default type: 0. */
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
  /** Settles as `found` with valid content, or as `nodes` if the peer only knows closer nodes. */
  | { readonly type: 'find-content'; readonly ref: number; readonly to: NodeRecord; readonly key: Uint8Array }
  /** Settles as `offered` when the accepted items are transferred; at once if none is accepted. At most 64 items. */
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
   * Finds content in the network; it does not look into our own store. Settles as `found`, or `failed` with
   * CONTENT_NOT_FOUND. With `startedAtMs` (Unix time) both carry a trace.
   */
  | {
      readonly type: 'lookup-content'
      readonly ref: number
      readonly key: Uint8Array
      readonly startedAtMs?: number | undefined
    }
  /**
   * Offers content to nodes that should hold it. Settles as `gossiped` when all have answered, before transfers end.
   */
  | {
      readonly type: 'gossip'
      readonly ref: number
      readonly key: Uint8Array
      /** Undefined: the store has it. */
      readonly content: Uint8Array | undefined
      /** Look for further nodes in the network if the table knows too few (`portal_*PutContent`). */
      readonly lookup: boolean
    }

/** Everything that can happen to an overlay. */
export type OverlayInput =
  | DiscoveryEvent
  | StoreEvent
  | TransferEvent
  | OverlayCall
  /** The caller is gone: its call fails with ASK_ABORTED, and its transfers are cancelled. */
  | { readonly type: 'cancel'; readonly ref: number }
  /** Pings the records until one answers, then joins: looks up our own id, and further buckets. */
  | { readonly type: 'bootstrap'; readonly records: readonly NodeRecord[] }
  /** `deadline()` has come. */
  | { readonly type: 'timeout' }

// ──────────────────────────────────────────────────────────────────────────────────────────────────── outputs

/** Outputs to discovery. */
export type DiscoveryRequest =
  | {
      readonly type: 'talk'
      readonly ref: number
      readonly to: NodeRecord
      readonly protocol: Uint8Array
      readonly payload: Uint8Array
    }
  | { readonly type: 'answer-talk'; readonly request: TalkToken; readonly payload: Uint8Array }
  /** The node says that its record is newer than `known`: fetch that one, and report it as `node-met`. */
  | { readonly type: 'fetch-record'; readonly known: NodeRecord; readonly seq: bigint }

/** Outputs to the store and to validation. */
export type StoreQuestion =
  | ({ readonly type: 'want-content'; readonly ref: number } & ContentName)
  /** Which of these items does the store have? */
  | { readonly type: 'want-presence'; readonly ref: number; readonly items: readonly ContentName[] }
  /** Is the content, which came inside an answer of a peer, what its key names? */
  | ({ readonly type: 'validate'; readonly ref: number; readonly content: Uint8Array } & ContentName)
  /** Store content that was found valid. It carries the `ref` of its `validate`. */
  | ({ readonly type: 'keep'; readonly ref: number; readonly content: Uint8Array } & ContentName)

/** What all four kinds of transfer have in common. */
export interface TransferStart {
  readonly ref: number
  readonly peer: NodeRecord
  /** As in the Portal message (uint16). The initiator receives on it and sends on it plus one. */
  readonly connectionId: number
  /** The version negotiated with the peer. */
  readonly version: number
  /** Whether each item is preceded by its length as a varint: always, except for FIND_CONTENT at version 0. */
  readonly prefixed: boolean
}

/** Outputs that begin a transfer. */
export type TransferOrder =
  /** Initiate the stream and read one item (our FIND_CONTENT). */
  | ({ readonly type: 'fetch' } & TransferStart & ContentName)
  /** Wait for the stream and write one item (the peer's FIND_CONTENT). */
  | ({ readonly type: 'serve'; readonly content: Uint8Array } & TransferStart & ContentName)
  /** Initiate the stream and write the items in order (the peer accepted our OFFER). */
  | ({ readonly type: 'send'; readonly items: readonly OfferedContent[] } & TransferStart)
  /** Wait for the stream and read the items in order (we accepted the peer's OFFER). */
  | ({ readonly type: 'receive'; readonly items: readonly ContentName[] } & TransferStart)

/** Outputs to transfers. */
export type TransferRequest =
  | TransferOrder
  /** There is memory for the item whose `transfer-size` was reported. */
  | { readonly type: 'give-room'; readonly ref: number }
  /** The transfer is not needed any more: reset its stream. The overlay ignores what it still reports. */
  | { readonly type: 'cancel-transfer'; readonly ref: number }

/** How often each code came back to a gossip: `AcceptMetadata` of the JSON-RPC specification. */
export interface AcceptCounts {
  readonly acceptedCount: number
  readonly genericDeclineCount: number
  readonly alreadyStoredCount: number
  readonly notWithinRadiusCount: number
  readonly rateLimitedCount: number
  readonly transferInProgressCount: number
}

/** The result of a gossip: how many peers answered, and with which codes. */
export interface GossipResult {
  readonly peerCount: number
  readonly acceptMetadata: AcceptCounts
}

/** The trace of a content lookup (jsonrpc/src/schemas/trace.json). Ids and distances are 0x and 64 hex digits. */
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

/** Results, each with the `ref` of its call. */
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
      /** Nodes that were queried, the one that had it included. */
      readonly queries: number
      readonly trace: ContentTrace | undefined
    }
  | { readonly type: 'record-found'; readonly ref: number; readonly record: NodeRecord | undefined }
  /** `codes`: one byte for each item. */
  | { readonly type: 'offered'; readonly ref: number; readonly codes: Uint8Array }
  | ({ readonly type: 'gossiped'; readonly ref: number } & GossipResult)
  | ({
      readonly type: 'failed'
      readonly ref: number
      /** The trace of a content lookup that found nothing. */
      readonly trace: ContentTrace | undefined
    } & Failure)

/** Everything that an overlay wants done. */
export type OverlayOutput =
  | DiscoveryRequest
  | StoreQuestion
  | TransferRequest
  | CallResult
  /** The peer's answer offered this connection id, and it will not be used: the peer need not wait for a stream. */
  | { readonly type: 'decline'; readonly peer: NodeRecord; readonly connectionId: number }

/** One call of `Overlay.handle`. All parts of an overlay share one. */
export type Turn = CoreTurn<OverlayOutput>
