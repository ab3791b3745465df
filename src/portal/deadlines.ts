import type { Deadline, Deadlines } from 'spimpl-runtime/core'
import type { NodeRecord } from '../identity/node-record.ts'

/** A request, question or transfer, by the number under which its answer comes. */
export interface Numbered {
  readonly ref: number
}

/** A lookup of nodes, and what happens when its time is up. */
export interface TimedNodeLookup {
  end(): void
}

/** A content lookup, and what happens at each of its moments. */
export interface TimedContentLookup {
  expire(): void
  askBesideSlowFetch(): void
  tryAgainForSlot(): void
  askAfterOwnTransfer(): void
}

/** An offer that a peer refused because of a transfer that it awaits in vain. */
export interface TimedOffer {
  offerAgain(): void
}

/**
 * Every moment for which an overlay waits: its name, and who waits. `Overlay` handles all of them in one switch. The
 * duration of each is the limit in parentheses.
 */
export type OverlayDeadline =
  /** Discovery never settled a talk request (`requestTimeoutMs`). */
  | Deadline<'request-timeout', Numbered>
  /** The store or validation did not answer (`questionTimeoutMs`, `validationTimeoutMs`). */
  | Deadline<'question-timeout', Numbered>
  /** Nobody reported the end of a transfer (`transferTimeoutMs`). */
  | Deadline<'transfer-timeout', Numbered>
  /** A member or candidate is due for its next ping (`pingIntervalMs`, `candidateSpreadMs`). */
  | Deadline<'member-check', NodeRecord>
  /** No member is live: ping the bootstrap records again (`bootstrapIntervalMs`). */
  | Deadline<'bootstrap', undefined>
  /** Look up a random id in the bucket that was refreshed the longest ago (`refreshIntervalMs`). */
  | Deadline<'bucket-refresh', undefined>
  /** A lookup of nodes ends with what it has found (`lookupTimeoutMs`). */
  | Deadline<'node-lookup-timeout', TimedNodeLookup>
  /** A content lookup that has no transfer under way fails (`lookupTimeoutMs`). */
  | Deadline<'content-lookup-timeout', TimedContentLookup>
  /** A content lookup asks further nodes while its transfer goes on (`fetchPatienceMs`). */
  | Deadline<'slow-fetch', TimedContentLookup>
  /** A content lookup looks for a free transfer slot (`fetchSlotRetryMs`). */
  | Deadline<'fetch-slot', TimedContentLookup>
  /** A content lookup asks peers again that awaited its own, lost connection (`ownTransferMs`). */
  | Deadline<'own-transfer', TimedContentLookup>
  /** An item is offered again to a peer that awaited our own, lost connection (`ownTransferMs`). */
  | Deadline<'offer-retry', TimedOffer>

export type OverlayDeadlines = Deadlines<OverlayDeadline>
