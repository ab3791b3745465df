import type { ReplyTo } from 'spimpl-runtime'
import type { NodeRecord } from '../src/identity/node-record.ts'
import type { CallResult, OverlayCall, OverlaySnapshot, TransferEvent } from '../src/portal/portal.ts'
import type { Timeout } from './core-driver.ts'
import type { NetworkEvent, TalkOutcome, TalkRequested } from './discovery-messages.ts'
import type { RadiusChanged, StorageAnswer } from './storage.ts'
import type { Verdict } from './validation.ts'

/** `Omit` that keeps the members of a union apart. */
type WithoutRef<Call> = Call extends unknown ? Omit<Call, 'ref'> : never

/** A call of the overlay without its `ref`, which stands in the message around it. */
export type NetworkCall = WithoutRef<Extract<OverlayCall, { readonly ref: number }>>

/** What the overlay of a sub-network is told and asked. */
export type OverlayMessage =
  | Timeout
  | TalkRequested
  | TalkOutcome
  | NetworkEvent
  | RadiusChanged
  | StorageAnswer
  | Verdict
  | TransferEvent
  | Extract<OverlayCall, { readonly type: 'bootstrap' }>
  /**
   * Answered with the result, or with the failure as a value because it may carry a trace. `ref` is the caller's: no other call in flight
   * may have it, and the call keeps it on its whole way.
   */
  | { readonly type: 'call'; readonly ref: number; readonly call: NetworkCall; readonly replyTo: ReplyTo<CallResult> }
  /** Nobody waits for the call with this `ref` any longer. */
  | { readonly type: 'abandon'; readonly ref: number }
  | { readonly type: 'transfer-gone'; readonly ref: number }
  | { readonly type: 'known-record'; readonly nodeIdHex: string; readonly replyTo: ReplyTo<NodeRecord | undefined> }
  /** Node ids of the routing table, a list for each log distance from 1 to 256. */
  | { readonly type: 'buckets'; readonly replyTo: ReplyTo<readonly (readonly string[])[]> }
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<OverlaySnapshot> }
