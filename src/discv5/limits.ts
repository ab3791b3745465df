import { SpimplError } from '../errors.ts'

/** Every bound and wait of discovery. Reaching a bound is counted; see `DiscoveryCounters`. */
export interface DiscoveryLimits {
  /** How long a request waits for its answer, unless it says otherwise. The specification suggests 500 ms; nodes far away need more. */
  readonly requestTimeoutMs: number
  /** The longest wait that a request may ask for. */
  readonly maxRequestTimeoutMs: number
  /** How long a WHOAREYOU that we sent may be answered. */
  readonly challengeTimeoutMs: number
  /** After how long an opening packet or a handshake that nobody answered is sent again; each further wait is twice as long. */
  readonly handshakeRetryMs: number
  /** How often an opening packet or a handshake is sent in all before the session fails. */
  readonly handshakeAttempts: number
  /** Sessions, by node id and endpoint; the least recently used goes first. */
  readonly sessions: number
  /** WHOAREYOU packets awaiting their handshake; the oldest goes first. */
  readonly challenges: number
  /** Packets of a peer that are kept while it is challenged, because they may have overtaken its handshake. */
  readonly heldPerChallenge: number
  /** Requests awaiting an answer, of all peers together. */
  readonly requests: number
  /** Requests awaiting an answer, of one peer. */
  readonly requestsPerPeer: number
  /** Messages that wait for the handshake with one peer; requests that wait again, because the session was lost, do not count. */
  readonly queuedPerPeer: number
  /** Messages without an answer (one-way talks, responses) that are kept for the case that the peer lost its session. */
  readonly sentLog: number
  /** How long they are kept. */
  readonly sentLogMs: number
  /** WHOAREYOU packets that one address (of IPv6: one /64) may cause in a second; a multiple of it at once. */
  readonly challengesPerSecondPerAddress: number
  /** Handshakes that one address may have verified in a second: each costs two operations on the curve. */
  readonly handshakesPerSecondPerAddress: number
  /** Addresses whose rates are remembered; the least recently seen goes first. */
  readonly rateLimitedAddresses: number
  /** NODES packets that answer one FINDNODE. */
  readonly nodesPackets: number
  /** Records that are taken from the answer to one FINDNODE, and that we give in one. */
  readonly nodesRecords: number
  /** Lookups and resolutions under way. */
  readonly lookups: number
  /** Peers whose word on our address is remembered. */
  readonly addressVoters: number
  /** Distinct peers, at distinct addresses where these are global, that must name the same address before we believe it. */
  readonly addressMajority: number
  /** How long such a word counts. */
  readonly addressVoteMs: number
  /** The first wait before a live node of the table is checked again; it doubles with every answer up to the longest. */
  readonly checkIntervalMs: number
  readonly maxCheckIntervalMs: number
  /** Liveness checks in flight. */
  readonly checks: number
  /** The mean time between two lookups that refresh a bucket. */
  readonly refreshIntervalMs: number
  /** How long to wait before the bootstrap nodes are tried again while the table is empty. */
  readonly bootstrapRetryMs: number
}

const DEFAULT_LIMITS: DiscoveryLimits = {
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

/** The defaults with what the caller changes. Throws CONFIG_INVALID for anything but positive numbers. */
export function discoveryLimits(changes: Partial<DiscoveryLimits> = {}): DiscoveryLimits {
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in DEFAULT_LIMITS))
      throw new SpimplError('CONFIG_INVALID', `expected a limit of discovery, got '${name}'`)
    if (!(value > 0)) throw new SpimplError('CONFIG_INVALID', `expected ${name} above 0, got ${value}`)
  }
  return { ...DEFAULT_LIMITS, ...changes }
}
