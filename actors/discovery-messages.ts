import type { Ref, ReplyTo } from 'spimpl-runtime'
import type { DiscoveryInput, DiscoverySnapshot, TalkToken } from '../src/discv5/discv5.ts'
import type { ErrorCode } from '../src/errors.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import type { RecordChanges } from '../src/identity/publishable-record.ts'
import type { Timeout } from './core-driver.ts'
import type { DatagramsArrived } from './transport.ts'

/** The outcome of a TALKREQ, for the actor that sent it. */
export type TalkOutcome =
  | { readonly type: 'talk-answered'; readonly ref: number; readonly payload: Uint8Array }
  | { readonly type: 'talk-failed'; readonly ref: number; readonly code: ErrorCode }

/** A TALKREQ of a peer that awaits `answer-talk`. */
export interface TalkRequested {
  readonly type: 'talk-requested'
  readonly from: NodeRecord
  readonly payload: Uint8Array
  readonly token: TalkToken
}

/** TALKREQs of a one-way protocol that one node sent in one turn. */
export interface TalksReceived {
  readonly type: 'talks-received'
  readonly from: NodeRecord
  readonly payloads: readonly Uint8Array[]
}

/** What discovery sends to watchers of the network. */
export type NetworkEvent =
  | { readonly type: 'node-met'; readonly record: NodeRecord }
  | { readonly type: 'record-changed'; readonly record: NodeRecord }

/** The answer to a PING; `ip` and `port` are our address as the peer sees it. */
export interface Pong {
  readonly enrSeq: bigint
  readonly ip: string
  readonly port: number
}

/** What discovery is told and asked. A question to the network may be answered with a `SpimplError`. */
export type DiscoveryMessage =
  | DatagramsArrived
  | Timeout
  /** TALKREQs of this protocol go to `handler`. */
  | { readonly type: 'serve-talks'; readonly protocol: Uint8Array; readonly handler: Ref<TalkRequested> }
  /** TALKREQs of this one-way protocol go to `handler`. */
  | { readonly type: 'serve-packets'; readonly protocol: Uint8Array; readonly handler: Ref<TalksReceived> }
  /** `watcher` is sent the own record at once, and then every network event. */
  | { readonly type: 'watch-network'; readonly watcher: Ref<NetworkEvent> }
  | {
      readonly type: 'talk'
      readonly ref: number
      readonly to: NodeRecord
      readonly protocol: Uint8Array
      readonly payload: Uint8Array
      readonly client: Ref<TalkOutcome>
    }
  | Extract<DiscoveryInput, { type: 'send-talks' | 'answer-talk' | 'add-record' | 'bootstrap' }>
  | { readonly type: 'set-record'; readonly entries: RecordChanges; readonly replyTo: ReplyTo<NodeRecord> }
  | { readonly type: 'ping'; readonly to: NodeRecord; readonly replyTo: ReplyTo<Pong> }
  | {
      readonly type: 'ask-talk'
      readonly to: NodeRecord
      readonly protocol: Uint8Array
      readonly payload: Uint8Array
      readonly replyTo: ReplyTo<Uint8Array>
    }
  | {
      readonly type: 'find-nodes'
      readonly to: NodeRecord
      readonly distances: readonly number[]
      readonly replyTo: ReplyTo<readonly NodeRecord[]>
    }
  | { readonly type: 'lookup'; readonly target: Uint8Array; readonly replyTo: ReplyTo<readonly NodeRecord[]> }
  | { readonly type: 'resolve'; readonly nodeId: Uint8Array; readonly replyTo: ReplyTo<NodeRecord | undefined> }
  | { readonly type: 'known-record'; readonly nodeIdHex: string; readonly replyTo: ReplyTo<NodeRecord | undefined> }
  | { readonly type: 'remove-record'; readonly nodeIdHex: string; readonly replyTo: ReplyTo<boolean> }
  /** The node ids of the routing table: a list for each log distance from 1 to 256. */
  | { readonly type: 'buckets'; readonly replyTo: ReplyTo<readonly (readonly string[])[]> }
  | { readonly type: 'own-record'; readonly replyTo: ReplyTo<NodeRecord> }
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<DiscoverySnapshot> }
