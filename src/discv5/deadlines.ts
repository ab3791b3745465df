import type { Deadline, Deadlines } from 'spimpl-runtime/core'
import type { PendingRequest } from './asking/pending-request.ts'
import type { Session } from './sessions/session.ts'
import type { TableNode } from './table/table-node.ts'

/** Everything that a discovery core waits for. `Discv5` handles what is due in one `switch (due.name)`. */
export type DiscoveryDeadline =
  /** A request is still unanswered: it fails, or ends with the part of a NODES answer that has arrived. */
  | Deadline<'request-timeout', PendingRequest>
  /** An opening packet or a handshake is still unanswered: it is sent again, or the session fails. */
  | Deadline<'handshake-retry', Session>
  /** A peer that we had known has not answered our WHOAREYOU: the session fails. */
  | Deadline<'challenge-expiry', Session>
  /** A node of the routing table is pinged, as soon as a check is free. */
  | Deadline<'liveness-check', TableNode>
  /** A lookup refreshes the bucket that was refreshed longest ago. */
  | Deadline<'bucket-refresh', undefined>
  /** The bootstrap nodes are tried again if the table is empty. */
  | Deadline<'bootstrap-retry', undefined>

/** All deadlines of one discovery core. */
export type DiscoveryDeadlines = Deadlines<DiscoveryDeadline>
