/** What a discovery core has counted since it was made. Every refusal and every limit has a number here. */
export interface DiscoveryCounters {
  packetsReceived: number
  packetsSent: number
  bytesReceived: number
  bytesSent: number

  /** Not 63 to 1,280 bytes. */
  packetSizeInvalid: number
  /** Not unmasked to `discv5`: for another node, or another protocol. */
  headerInvalid: number
  versionUnknown: number
  flagUnknown: number
  /** An authdata section that its kind of packet cannot have. */
  authdataInvalid: number
  /** From our own node id. */
  packetsFromSelf: number
  /** Decrypted, and no message. */
  messageMalformed: number
  /** Decrypted, and of a type that we do not speak (topics). */
  messageUnsupported: number

  /** Ordinary packets that no session opens: the first of a peer, or after it or we lost the session. */
  packetsUndecryptable: number
  whoareyouSent: number
  /** A challenge that is under way was sent again. */
  whoareyouRepeated: number
  whoareyouReceived: number
  /** Answers no packet of ours, or one that was answered already. */
  whoareyouUnexpected: number
  challengesLimited: number
  challengesExpired: number
  challengesEvicted: number

  handshakesSent: number
  handshakesRepeated: number
  handshakesReceived: number
  handshakesAccepted: number
  /** Without a challenge of ours: late, repeated or forged. */
  handshakesUnexpected: number
  handshakesLimited: number
  handshakeMalformed: number
  handshakeRecordInvalid: number
  handshakeSignatureInvalid: number
  handshakeMessageInvalid: number

  sessionsEstablished: number
  sessionsLost: number
  sessionsFailed: number
  sessionsEvicted: number

  requestsSent: number
  requestsAnswered: number
  requestsTimedOut: number
  requestsResent: number
  requestsLimited: number
  requestsReceived: number
  responsesUnexpected: number
  /** Of another kind than the request wants. */
  responsesMismatched: number
  /** To one-way talks; other clients send them, and they mean nothing. */
  responsesIgnored: number

  oneWaySent: number
  oneWayReceived: number
  oneWayResent: number
  /** Too large, no session, or the queue is full. */
  oneWayDropped: number
  answersDropped: number

  recordsReceived: number
  recordsInvalid: number
  /** Not at a distance that was asked for. */
  recordsWrongDistance: number
  /** At an address that the teller cannot know. */
  recordsUnreachable: number
  /** More records or NODES packets than a request may have. */
  recordsLimited: number

  tableAdded: number
  tableRemoved: number
  tableIpLimited: number
  addressVotes: number
  /** Named by the majority, and no room for it in the own record. */
  addressesUnpublished: number
  lookupsStarted: number
  lookupsLimited: number
}

export function newCounters(): DiscoveryCounters {
  return {
    packetsReceived: 0,
    packetsSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    packetSizeInvalid: 0,
    headerInvalid: 0,
    versionUnknown: 0,
    flagUnknown: 0,
    authdataInvalid: 0,
    packetsFromSelf: 0,
    messageMalformed: 0,
    messageUnsupported: 0,
    packetsUndecryptable: 0,
    whoareyouSent: 0,
    whoareyouRepeated: 0,
    whoareyouReceived: 0,
    whoareyouUnexpected: 0,
    challengesLimited: 0,
    challengesExpired: 0,
    challengesEvicted: 0,
    handshakesSent: 0,
    handshakesRepeated: 0,
    handshakesReceived: 0,
    handshakesAccepted: 0,
    handshakesUnexpected: 0,
    handshakesLimited: 0,
    handshakeMalformed: 0,
    handshakeRecordInvalid: 0,
    handshakeSignatureInvalid: 0,
    handshakeMessageInvalid: 0,
    sessionsEstablished: 0,
    sessionsLost: 0,
    sessionsFailed: 0,
    sessionsEvicted: 0,
    requestsSent: 0,
    requestsAnswered: 0,
    requestsTimedOut: 0,
    requestsResent: 0,
    requestsLimited: 0,
    requestsReceived: 0,
    responsesUnexpected: 0,
    responsesMismatched: 0,
    responsesIgnored: 0,
    oneWaySent: 0,
    oneWayReceived: 0,
    oneWayResent: 0,
    oneWayDropped: 0,
    answersDropped: 0,
    recordsReceived: 0,
    recordsInvalid: 0,
    recordsWrongDistance: 0,
    recordsUnreachable: 0,
    recordsLimited: 0,
    tableAdded: 0,
    tableRemoved: 0,
    tableIpLimited: 0,
    addressVotes: 0,
    addressesUnpublished: 0,
    lookupsStarted: 0,
    lookupsLimited: 0,
  }
}
