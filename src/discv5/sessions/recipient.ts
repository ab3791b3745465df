import { equalBytes } from '../../codec/bytes.ts'
import { toHex } from '../../codec/hex.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { RecordDecoder } from '../../identity/record-decoder.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import { RateLimit } from '../asking/rate-limit.ts'
import type { Context } from '../context.ts'
import type { DeadlineHeap, Timed } from '../deadline-heap.ts'
import { rateKey } from '../wire/address.ts'
import { deriveKeys, type HandshakeAuthdata, idDigest, readHandshakeAuthdata } from '../wire/handshake.ts'
import {
  AUTHDATA_AT,
  FLAG_WHOAREYOU,
  ID_NONCE_BYTES,
  MASKING_IV_BYTES,
  maskPacket,
  type Packet,
  WHOAREYOU_BYTES,
  writeHeader,
} from '../wire/packet.ts'
import { type Challenge, ChallengeTable } from './challenges.ts'
import type { Initiator } from './initiator.ts'
import type { Outbox } from './outbox.ts'
import type { Session, SessionKeys } from './session.ts'
import { type SessionCache, sessionKey } from './session-cache.ts'
import type { SessionEvents } from './session-events.ts'

/** What a handshake brought. */
export interface Accepted {
  /** Established now. */
  readonly session: Session
  readonly keys: SessionKeys
  /** The message it carried. */
  readonly plaintext: Uint8Array
  /** Packets that came before it, which its keys may open. */
  readonly held: readonly Packet[]
}

/**
 * The side of the handshake that is asked: challenges who sends what it cannot read, and verifies the handshake that comes back
 * (discv5-theory.md, Handshake Steps 2 and 4).
 */
export class Recipient {
  readonly #context: Context
  readonly #cache: SessionCache
  readonly #outbox: Outbox
  readonly #timers: DeadlineHeap<Timed>
  readonly #initiator: Initiator
  readonly #decoder: RecordDecoder
  readonly #events: SessionEvents
  readonly #challenges: ChallengeTable
  readonly #challengeRate: RateLimit
  readonly #handshakeRate: RateLimit

  constructor(
    context: Context,
    parts: {
      readonly cache: SessionCache
      readonly outbox: Outbox
      readonly timers: DeadlineHeap<Timed>
      readonly initiator: Initiator
      readonly decoder: RecordDecoder
    },
    events: SessionEvents,
  ) {
    const { limits } = context
    this.#context = context
    this.#cache = parts.cache
    this.#outbox = parts.outbox
    this.#timers = parts.timers
    this.#initiator = parts.initiator
    this.#decoder = parts.decoder
    this.#events = events
    this.#challenges = new ChallengeTable(limits.challenges)
    this.#challengeRate = new RateLimit(limits.challengesPerSecondPerAddress, limits.rateLimitedAddresses)
    this.#handshakeRate = new RateLimit(limits.handshakesPerSecondPerAddress, limits.rateLimitedAddresses)
  }

  /** Challenges that may still be answered. */
  get challenges(): number {
    return this.#challenges.size
  }

  /** Challenges the sender of a packet that no key opens. The challenge that is under way, if one is, is sent again. */
  challenge(packet: Packet, endpoint: Endpoint, session: Session | undefined, held: readonly Packet[] = []): void {
    const { counters, turn, limits } = this.#context
    const { authdata: sourceId, nonce } = packet
    if (!this.#challengeRate.take(rateKey(endpoint.host), turn.now)) {
      counters.challengesLimited++
      return
    }
    const key = sessionKey(sourceId, endpoint)
    const pending = this.#challenges.find(key, turn.now)
    if (pending !== undefined) {
      const repeated = equalBytes(nonce, pending.nonce)
      if (!repeated && pending.held.length < limits.heldPerChallenge) pending.held.push(packet)
      counters.whoareyouRepeated++
      this.#outbox.packet(endpoint, pending.packet.slice())
      return
    }
    const challenge = this.#newChallenge(sourceId, nonce, session?.record, held)
    const { expired, evicted } = this.#challenges.add(key, challenge, turn.now)
    counters.challengesExpired += expired
    counters.challengesEvicted += evicted
    counters.whoareyouSent++
    this.#outbox.packet(endpoint, challenge.packet.slice())
    if (session === undefined) return
    session.happened('challenge')
    if (session.state === 'challenging') this.#timers.set(session, challenge.expiresAt)
  }

  /**
   * Packets came before a handshake and its keys do not open them: they were sealed under keys that we have lost. The challenge that
   * was repeated for them named the first of all, and a peer may send a message again only when a challenge names its packet, as
   * nim-eth does (discv5-theory.md, Handshake Step 2). So the next one is named now, and the rest wait for the handshake that it brings.
   */
  challengeUnread([next, ...rest]: readonly Packet[], endpoint: Endpoint, session: Session): void {
    if (next === undefined) return
    const others = rest.filter(({ nonce }) => !equalBytes(nonce, next.nonce))
    this.challenge(next, endpoint, session, others)
  }

  /** A handshake arrived. Returns what it brought, if all of it holds. */
  accept(packet: Packet, endpoint: Endpoint): Accepted | undefined {
    const { counters, turn, crypto, own, localId } = this.#context
    counters.handshakesReceived++
    const authdata = readHandshakeAuthdata(packet.authdata)
    if (authdata === undefined) {
      counters.handshakeMalformed++
      return undefined
    }
    const key = sessionKey(authdata.sourceId, endpoint)
    const challenge = this.#challenges.find(key, turn.now)
    if (challenge === undefined) {
      counters.handshakesUnexpected++
      return undefined
    }
    if (!this.#handshakeRate.take(rateKey(endpoint.host), turn.now)) {
      counters.handshakesLimited++
      return undefined
    }
    const record = this.#recordOf(authdata, challenge)
    if (record === undefined) {
      counters.handshakeRecordInvalid++
      return undefined
    }
    const digest = idDigest(challenge.data, authdata.ephemeralKey, localId, crypto)
    const secret = crypto.verify(authdata.signature, digest, record.publicKey)
      ? own.sharedPoint(authdata.ephemeralKey)
      : undefined
    if (secret === undefined) {
      counters.handshakeSignatureInvalid++
      return undefined
    }
    const derived = deriveKeys(secret, authdata.sourceId, localId, challenge.data, crypto)
    const [plaintext] = crypto.open([
      { key: derived.initiatorKey, nonce: packet.nonce, associatedData: packet.head, data: packet.message },
    ])
    if (plaintext === undefined) {
      counters.handshakeMessageInvalid++
      return undefined
    }
    this.#challenges.remove(key)
    counters.handshakesAccepted++
    const session = this.#cache.obtain(authdata.sourceId, endpoint)
    if (session.record === undefined || session.record.seq < record.seq) session.record = record
    const keys = { writeKey: derived.recipientKey, readKey: derived.initiatorKey, sealed: 0, proven: true }
    this.#establish(session, keys)
    return { session, keys, plaintext, held: challenge.held }
  }

  /** The peer has used keys that we had given up: the session goes on with them. */
  resume(session: Session): void {
    this.#initiator.overtaken(session)
    session.happened('accept')
    this.#events.established(session)
  }

  #establish(session: Session, keys: SessionKeys): void {
    if (session.state === 'handshaking' && session.keys?.proven === false) {
      // Both sides opened at once and each has sent a handshake. A peer with room for one set of keys holds those of the handshake
      // that it got last, which is ours: so we send with ours, and read with both.
      session.otherKeys = keys
    } else {
      if (session.keys?.proven === true) session.otherKeys = session.keys
      session.keys = keys
      this.#initiator.overtaken(session)
    }
    session.happened('accept')
    this.#events.established(session)
  }

  #newChallenge(
    sourceId: Uint8Array,
    nonce: Uint8Array,
    sessionRecord: NodeRecord | undefined,
    held: readonly Packet[],
  ): Challenge {
    const { randomness, crypto, limits, turn } = this.#context
    const record = newer(sessionRecord, this.#events.knownRecord(toHex(sourceId)))
    const packet = new Uint8Array(WHOAREYOU_BYTES)
    writeHeader(packet, randomness.bytes(MASKING_IV_BYTES), FLAG_WHOAREYOU, nonce, WHOAREYOU_BYTES - AUTHDATA_AT)
    packet.set(randomness.bytes(ID_NONCE_BYTES), AUTHDATA_AT)
    new DataView(packet.buffer).setBigUint64(AUTHDATA_AT + ID_NONCE_BYTES, record?.seq ?? 0n)
    const data = packet.slice()
    maskPacket(packet, WHOAREYOU_BYTES, sourceId, crypto)
    return {
      nonce: nonce.slice(),
      packet,
      data,
      record,
      expiresAt: turn.now + limits.challengeTimeoutMs,
      held: [...held],
    }
  }

  /** The record to verify the peer with: the one it sent, if that holds, or the one we know. */
  #recordOf(authdata: HandshakeAuthdata, challenge: Challenge): NodeRecord | undefined {
    if (authdata.record === undefined) return challenge.record
    const decoded = this.#decoder.decode(authdata.record)
    if (!decoded.ok) return undefined
    if (Buffer.compare(decoded.value.nodeId, authdata.sourceId) !== 0) return undefined
    return newer(challenge.record, decoded.value)
  }
}

function newer(a: NodeRecord | undefined, b: NodeRecord | undefined): NodeRecord | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b.seq >= a.seq ? b : a
}
