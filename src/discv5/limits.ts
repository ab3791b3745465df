import { checkedLimits } from 'spimpl-runtime/core'

/** Every bound and wait of discovery. Reaching a bound is counted: see `COUNTER_NAMES`. */
export interface DiscoveryLimits {
  /** How long a request waits for its answer by default. The specification suggests 500 ms; distant nodes need more. */
  readonly requestTimeoutMs: number
  /** The longest timeout that a request may ask for. */
  readonly maxRequestTimeoutMs: number
  /** How long a WHOAREYOU of ours may be answered. */
  readonly challengeTimeoutMs: number
  /** The first wait before an unanswered opening packet or handshake is sent again; each further wait doubles. */
  readonly handshakeRetryMs: number
  /** How often an opening packet or handshake is sent, the first time included, before the session fails. */
  readonly handshakeAttempts: number
  /** Sessions, by node id and endpoint; the least recently used is evicted. */
  readonly sessions: number
  /** WHOAREYOU packets that await their handshake; the oldest is evicted. */
  readonly challenges: number
  /** Packets of a challenged peer that are kept because they may have overtaken its handshake. */
  readonly heldPerChallenge: number
  /** Requests in flight, of all peers together. */
  readonly requests: number
  /** Requests in flight, of one peer. */
  readonly requestsPerPeer: number
  /** Messages that wait for the handshake with one peer. Requests that a lost session puts back do not count. */
  readonly queuedPerPeer: number
  /** Sent messages without an answer (one-way talks, responses) that are kept in case the peer has lost its session. */
  readonly sentLog: number
  /** How long such a message is kept. */
  readonly sentLogMs: number
  /** WHOAREYOU packets per second that one address (of IPv6: one /64) may cause; twice as many in a burst. */
  readonly challengesPerSecondPerAddress: number
  /** Handshakes per second of one address that are verified: each costs two operations on the curve. */
  readonly handshakesPerSecondPerAddress: number
  /** Addresses whose rates are remembered; the least recently seen is forgotten. */
  readonly rateLimitedAddresses: number
  /** NODES packets in the answer to one FINDNODE. */
  readonly nodesPackets: number
  /** Records in the answer to one FINDNODE: those that we accept, and those that we send. */
  readonly nodesRecords: number
  /** Lookups and resolutions under way. */
  readonly lookups: number
  /** Peers whose votes on our address are remembered. */
  readonly addressVoters: number
  /** Distinct peers that must name the same address before it is published. Peers at one global address count once. */
  readonly addressMajority: number
  /** How long a vote counts. */
  readonly addressVoteMs: number
  /** The first wait before a live node of the table is checked again; it doubles with every answer. */
  readonly checkIntervalMs: number
  /** The longest wait between two checks of a live node. */
  readonly maxCheckIntervalMs: number
  /** Liveness checks in flight. */
  readonly checks: number
  /** The mean time between two lookups that refresh a bucket. */
  readonly refreshIntervalMs: number
  /** How long until the bootstrap nodes are tried again while the table is empty. */
  readonly bootstrapRetryMs: number
}

const DEFAULTS: DiscoveryLimits = {
  requestTimeoutMs: 1_000,
  maxRequestTimeoutMs: 60_000,
  challengeTimeoutMs: 1_500,
  handshakeRetryMs: 350,
  handshakeAttempts: 4,
  sessions: 1_024,
  challenges: 1_024,
  heldPerChallenge: 8,
  requests: 8_192,
  requestsPerPeer: 1_024,
  queuedPerPeer: 256,
  sentLog: 4_096,
  sentLogMs: 2_000,
  challengesPerSecondPerAddress: 64,
  handshakesPerSecondPerAddress: 64,
  rateLimitedAddresses: 4_096,
  nodesPackets: 16,
  nodesRecords: 16,
  lookups: 64,
  addressVoters: 256,
  addressMajority: 3,
  addressVoteMs: 300_000,
  checkIntervalMs: 15_000,
  maxCheckIntervalMs: 300_000,
  checks: 16,
  refreshIntervalMs: 300_000,
  bootstrapRetryMs: 10_000,
}

/** The sizes of tables that exist from the start or hold what is being made: whole numbers that fit into memory. */
const TABLE_SIZE = { min: 1, max: 2 ** 24, step: 1 }

/**
 * The defaults with the caller's changes.
 *
 * @throws SpimplError `CONFIG_INVALID` for an unknown or non-positive limit, or a table size that is not whole
 */
export function discoveryLimits(changes: Partial<DiscoveryLimits> = {}): DiscoveryLimits {
  return checkedLimits('discovery', DEFAULTS, changes, { sessions: TABLE_SIZE, sentLog: TABLE_SIZE })
}
