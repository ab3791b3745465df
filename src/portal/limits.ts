/** Every bound of an overlay, by name. Reaching one is a typed result and a counter, never growth. */
export interface OverlayLimits {
  /** Nodes in a bucket of the routing table, and nodes that a lookup returns (k of Kademlia). */
  readonly bucketSize: number
  /** Queries in flight for one lookup (alpha of Kademlia). */
  readonly lookupConcurrency: number
  /** Nodes that one lookup asks at most. */
  readonly lookupQueries: number
  /** Node lookups at a time; further ones fail with REQUEST_LIMIT. */
  readonly lookups: number
  /** Content lookups at a time, so that what is on its way fits into memory. */
  readonly contentLookups: number
  /** Content lookups that wait for their turn; further ones fail with REQUEST_LIMIT. */
  readonly waitingLookups: number
  /** A lookup without a result after so long fails with CONTENT_NOT_FOUND, or ends with what it found. */
  readonly lookupTimeoutMs: number
  /** A content lookup whose transfer is not done after so long asks further nodes beside it; after longer it gives one up for another. */
  readonly fetchPatienceMs: number
  /** Transfers that one content lookup has under way at a time. */
  readonly fetchesOfLookup: number
  /** A connection id that waits for its turn is not used after so long: the peer listens no longer. */
  readonly connectionIdLifeMs: number
  /**
   * A request that had to be repeated may be in its own way: the peer's first answer, with its connection id, was lost, and while the
   * peer waits for that connection it offers no second one for the content (nimbus: 15 s). After so long it is asked again.
   */
  readonly ownTransferMs: number

  /** Talk requests without an answer, all peers together. */
  readonly requests: number
  /** A talk request that discovery never settles is failed after so long (discovery's own time-out is shorter). */
  readonly requestTimeoutMs: number
  /** Questions to the store and to validation that are not answered yet. */
  readonly questions: number
  /** An unanswered question is answered to the peer as if the store had nothing. */
  readonly questionTimeoutMs: number

  /**
   * Incoming transfers by accepted offers: all peers together, and of one peer. Beyond: code 4. nimbus has up to 100 offers under way,
   * an item that is put in an offer of its own, and does not repeat one that was declined.
   */
  readonly receives: number
  readonly receivesOfPeer: number
  /** Content that one peer has been sending for so long is taken from another as well, who hears code 5 before. */
  readonly receivePatienceMs: number
  /**
   * Content that FIND_CONTENT fetches from us over uTP: all peers together, one peer, and the bytes of all. Beyond:
   * records.
   */
  readonly serves: number
  readonly servesOfPeer: number
  readonly serveBytes: number
  /** Items that are read from the store for FIND_CONTENT at a moment: for all peers, and for one. Beyond: records. */
  readonly reads: number
  readonly readsOfPeer: number
  /** Content that we fetch over uTP, all lookups together. */
  readonly fetches: number
  /**
   * Bytes of items on their way to us: those that we fetch, those that are offered to us, and of the latter those of one peer. Each
   * item counts with the size that its sender named; what does not fit waits.
   */
  readonly fetchBytes: number
  readonly receiveBytes: number
  readonly receiveBytesOfPeer: number
  /** Offers in flight, transfer included: all peers together, and to one peer. */
  readonly offers: number
  readonly offersToPeer: number
  /** A transfer of which no report comes frees its slot after so long. */
  readonly transferTimeoutMs: number

  /** Peers to which content is gossiped (n of the specification). */
  readonly gossipPeers: number
  /** Peers that one gossip tries, because some decline or do not answer. */
  readonly gossipAttempts: number
  /** Content items on their way through gossip, and the bytes they hold in memory together. */
  readonly gossipItems: number
  readonly gossipBytes: number
  /** Items that wait for one peer. */
  readonly outboxItems: number
  /** Nodes to which a looked up content is offered because they lacked it (POKE). */
  readonly pokePeers: number

  /** Nodes whose radius and capabilities are remembered. */
  readonly profiles: number
  /** Nodes met that wait for their first ping. */
  readonly candidates: number
  /** First pings go out within so long, so that a burst of meetings is no burst of pings. */
  readonly candidateSpreadMs: number
  /**
   * A node of the table is pinged when its last ping is so old; each time the delay is drawn from 0.75 to 1.25 of it.
   */
  readonly pingIntervalMs: number
  /** A bucket without a lookup for so long is refreshed. */
  readonly refreshIntervalMs: number
  /** While the table is empty the bootstrap records are pinged again after so long. */
  readonly bootstrapIntervalMs: number
}

/** Limits of an overlay unless told. */
export const defaultOverlayLimits: OverlayLimits = {
  bucketSize: 16,
  lookupConcurrency: 3,
  lookupQueries: 64,
  lookups: 256,
  contentLookups: 32,
  waitingLookups: 4_096,
  lookupTimeoutMs: 120_000,
  fetchPatienceMs: 10_000,
  fetchesOfLookup: 2,
  connectionIdLifeMs: 8_000,
  ownTransferMs: 15_000,

  requests: 2_048,
  requestTimeoutMs: 15_000,
  questions: 1_024,
  questionTimeoutMs: 5_000,

  receives: 128,
  receivesOfPeer: 64,
  receivePatienceMs: 15_000,
  serves: 256,
  servesOfPeer: 128,
  serveBytes: 256 * 1024 * 1024,
  reads: 256,
  readsOfPeer: 128,
  fetches: 128,
  fetchBytes: 128 * 1024 * 1024,
  receiveBytes: 128 * 1024 * 1024,
  receiveBytesOfPeer: 32 * 1024 * 1024,
  offers: 64,
  offersToPeer: 4,
  transferTimeoutMs: 15 * 60_000,

  gossipPeers: 4,
  gossipAttempts: 8,
  gossipItems: 4_096,
  gossipBytes: 64 * 1024 * 1024,
  outboxItems: 1_024,
  pokePeers: 4,

  profiles: 2_048,
  candidates: 512,
  candidateSpreadMs: 500,
  pingIntervalMs: 60_000,
  refreshIntervalMs: 5 * 60_000,
  bootstrapIntervalMs: 10_000,
}
