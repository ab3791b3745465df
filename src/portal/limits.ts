import { checkedLimits, type LimitRanges } from 'spimpl-runtime/core'

/** Every bound of an overlay, by name. Reaching one is a typed result and a counter, never growth. */
export interface OverlayLimits {
  /** Nodes in a bucket of the routing table, and nodes that a lookup returns (k of Kademlia). */
  readonly bucketSize: number
  /** Queries in flight for one lookup (alpha of Kademlia). */
  readonly lookupConcurrency: number
  /** Nodes that one lookup queries at most. */
  readonly lookupQueries: number
  /** Lookups of nodes at a time; further ones fail with REQUEST_LIMIT. */
  readonly lookups: number
  /** Content lookups at a time, so that the content in transit fits into memory. */
  readonly contentLookups: number
  /** Content lookups that wait in line; further ones fail with REQUEST_LIMIT. */
  readonly waitingLookups: number
  /** Calls that are not settled; further ones fail with REQUEST_LIMIT. */
  readonly calls: number
  /** After this time a content lookup fails with CONTENT_NOT_FOUND, and a lookup of nodes ends with what it found. */
  readonly lookupTimeoutMs: number
  /**
   * A content lookup whose transfer takes longer queries further nodes beside it; if it takes longer still, the lookup
   * cancels it in favour of another source.
   */
  readonly fetchPatienceMs: number
  /** Transfers of one content lookup at a time. */
  readonly fetchesOfLookup: number
  /** How often a content lookup checks for a free transfer slot. */
  readonly fetchSlotRetryMs: number
  /** A connection id is not used after this time: the peer has stopped listening. */
  readonly connectionIdLifeMs: number
  /**
   * If the first answer of a peer is lost, the peer waits for a connection that never comes, and offers no second one
   * for the same content meanwhile (nimbus: 15 s). After this time it is asked again.
   */
  readonly ownTransferMs: number

  /** Talk requests in flight, all peers together. */
  readonly requests: number
  /** A talk request that discovery never settles fails after this time (discovery's own timeout is shorter). */
  readonly requestTimeoutMs: number
  /** Pending questions to the store and to validation. */
  readonly questions: number
  /** After this time a peer is answered as if the store had nothing. */
  readonly questionTimeoutMs: number
  /** The same for validation, which may have to fetch a header first. */
  readonly validationTimeoutMs: number

  /**
   * Incoming transfers of accepted offers: all peers together, and one peer. Beyond: accept code 4. nimbus makes up to
   * 100 offers at a time, each for one item that its user puts, and does not repeat one that was declined.
   */
  readonly receives: number
  readonly receivesOfPeer: number
  /** Content that a peer has not delivered after this time is accepted from another peer, too; before: code 5. */
  readonly receivePatienceMs: number
  /** Content that peers fetch from us over uTP: all, one peer, and the bytes of all. Beyond: closer nodes. */
  readonly serves: number
  readonly servesOfPeer: number
  readonly serveBytes: number
  /** Pending reads of the store for FIND_CONTENT: all peers together, and one peer. Beyond: closer nodes. */
  readonly reads: number
  readonly readsOfPeer: number
  /** Content that we fetch over uTP, all lookups together. */
  readonly fetches: number
  /**
   * Bytes of items in transit to us: fetched, offered, and offered by one peer. An item counts with the size that its
   * sender announced; what does not fit waits.
   */
  readonly fetchBytes: number
  readonly receiveBytes: number
  readonly receiveBytesOfPeer: number
  /** Offers in flight, transfer included: all peers together, and to one peer. */
  readonly offers: number
  readonly offersToPeer: number
  /** A transfer whose end nobody reports frees its slot after this time. */
  readonly transferTimeoutMs: number

  /** Peers that an item is gossiped to (n of the specification). */
  readonly gossipPeers: number
  /** Peers that one gossip offers to, because some decline or do not answer. */
  readonly gossipAttempts: number
  /** Items in gossip, and the bytes that they hold in memory together. */
  readonly gossipItems: number
  readonly gossipBytes: number
  /** Items that wait to be offered to one peer. */
  readonly outboxItems: number
  /** Nodes that a found item is offered to because they should have had it (POKE). */
  readonly pokePeers: number

  /** Nodes whose radius and capabilities are remembered. */
  readonly profiles: number
  /** Nodes met that wait for their first pong. */
  readonly candidates: number
  /** A first ping is sent at a random moment within this time, so that a burst of meetings causes no burst of pings. */
  readonly candidateSpreadMs: number
  /** Members are pinged this often; each delay is drawn from 0.75 to 1.25 of it. */
  readonly pingIntervalMs: number
  /** How often the bucket that was refreshed the longest ago is looked up. */
  readonly refreshIntervalMs: number
  /** How often the bootstrap records are pinged while no member is live. */
  readonly bootstrapIntervalMs: number
}

/** The limits of an overlay whose user changes none. */
export const defaultOverlayLimits: OverlayLimits = {
  bucketSize: 16,
  lookupConcurrency: 3,
  lookupQueries: 64,
  lookups: 256,
  contentLookups: 32,
  waitingLookups: 4_096,
  calls: 16_384,
  lookupTimeoutMs: 120_000,
  fetchPatienceMs: 10_000,
  fetchesOfLookup: 2,
  fetchSlotRetryMs: 250,
  connectionIdLifeMs: 8_000,
  ownTransferMs: 15_000,

  requests: 2_048,
  requestTimeoutMs: 15_000,
  questions: 1_024,
  questionTimeoutMs: 5_000,
  validationTimeoutMs: 60_000,

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

/** Limits that count things. Times and bytes may have any positive value. */
const COUNTED = [
  'bucketSize',
  'lookupConcurrency',
  'lookupQueries',
  'lookups',
  'contentLookups',
  'waitingLookups',
  'calls',
  'fetchesOfLookup',
  'requests',
  'questions',
  'receives',
  'receivesOfPeer',
  'serves',
  'servesOfPeer',
  'reads',
  'readsOfPeer',
  'fetches',
  'offers',
  'offersToPeer',
  'gossipPeers',
  'gossipAttempts',
  'gossipItems',
  'outboxItems',
  'pokePeers',
  'profiles',
  'candidates',
] as const satisfies readonly (keyof OverlayLimits)[]

const WHOLE = { min: 1, max: 0xffff_ffff, step: 1 } as const

const RANGES: LimitRanges<OverlayLimits> = Object.fromEntries(COUNTED.map(name => [name, WHOLE]))

/**
 * The default limits with a user's changes.
 *
 * @throws SpimplError `CONFIG_INVALID` for an unknown name, a value that is not above 0, or a count that is not whole
 */
export const overlayLimits = (changes: Partial<OverlayLimits> | undefined): OverlayLimits =>
  checkedLimits('the overlay', defaultOverlayLimits, changes, RANGES)
