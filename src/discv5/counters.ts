import type { Counters } from 'spimpl-runtime/core'

/** What a discovery core counts. Every refusal and every limit has a name here. */
export const COUNTER_NAMES = {
  packetsReceived: 'datagrams that arrived',
  packetsSent: 'datagrams that left',
  bytesReceived: 'their bytes, before anything is checked',
  bytesSent: 'their bytes',

  packetSizeInvalid: 'received: not 63 to 1,280 bytes',
  headerInvalid: 'received: does not unmask to `discv5`, so it is for another node or of another protocol',
  versionUnknown: 'received: a version other than 1',
  flagUnknown: 'received: a kind of packet that does not exist',
  authdataInvalid: 'received: an authdata section that its kind of packet cannot have',
  packetsFromSelf: 'received: from our own node id',
  messageMalformed: 'decrypted, but no valid message',
  messageUnsupported: 'decrypted, but of a type that we do not support (topics)',

  packetsUndecryptable: 'ordinary packets that no session opens: the first of a peer, or one side has lost the session',
  whoareyouSent: 'challenges sent',
  whoareyouRepeated: 'pending challenges sent again',
  whoareyouReceived: 'challenges received',
  whoareyouUnexpected: 'challenges that name no packet of ours, or one whose challenge is already answered',
  challengesLimited: 'challenges not sent: the rate of the address was exceeded',
  challengesExpired: 'challenges without a handshake in time',
  challengesEvicted: 'challenges that made room for newer ones',

  handshakesSent: 'handshakes sent',
  handshakesRepeated: 'handshakes sent again',
  handshakesReceived: 'handshakes received',
  handshakesAccepted: 'handshakes that were verified',
  handshakesUnexpected: 'handshakes without a challenge of ours: late, repeated or forged',
  handshakesLimited: 'handshakes not verified: the rate of the address was exceeded',
  handshakeMalformed: 'handshakes whose authdata has the wrong sizes',
  handshakeRecordInvalid: 'handshakes without a valid record of their sender',
  handshakeSignatureInvalid: 'handshakes whose signature or ephemeral key is invalid',
  handshakeMessageInvalid: 'handshakes whose message does not decrypt',

  sessionsEstablished: 'sessions established',
  sessionsLost: 'sessions that the peer has lost: it challenged a packet of ours',
  sessionsFailed: 'sessions whose handshake nobody answered',
  sessionsEvicted: 'sessions that made room for newer ones',

  requestsSent: 'requests handed to a session',
  requestsAnswered: 'requests answered, at least in part',
  requestsTimedOut: 'requests without an answer in time',
  requestsResent: 'requests sent again under new keys',
  requestsLimited: 'requests refused: too many in flight or waiting for the handshake',
  requestsReceived: 'requests of peers',
  responsesUnexpected: 'responses to no request in flight',
  responsesMismatched: 'responses of another kind than their request asks for',
  responsesIgnored: 'responses to one-way talks, which other clients send and nobody awaits',

  oneWaySent: 'one-way talks handed to a session',
  oneWayReceived: 'one-way talks of peers',
  oneWayResent: 'one-way talks and responses sent again under new keys',
  oneWayDropped: 'one-way talks and responses dropped: too large, no endpoint, no session or no room',
  answersDropped: 'responses dropped: too large, or the session is gone',

  recordsReceived: 'records in NODES answers',
  recordsInvalid: 'records that do not verify',
  recordsWrongDistance: 'records at a distance that was not asked for',
  recordsUnreachable: 'records at an address that their sender cannot know',
  recordsLimited: 'NODES answers with more records or packets than a request may have',

  tableAdded: 'nodes that entered the routing table',
  tableRemoved: 'nodes that left it',
  tableIpLimited: 'nodes refused because their subnet has its share of the table',
  addressVotes: 'PONGs that counted as a vote on our address',
  addressesUnpublished: 'addresses that won the vote but do not fit into the own record',
  lookupsStarted: 'lookups started',
  lookupsLimited: 'lookups refused: too many under way',
} as const

/** The name of a count. */
export type DiscoveryCounter = keyof typeof COUNTER_NAMES

/** The counts of one discovery core. */
export type DiscoveryCounters = Counters<DiscoveryCounter>
