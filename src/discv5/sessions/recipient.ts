import { equalBytes } from '../../codec/bytes.ts'
import { toHex } from '../../codec/hex.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { RecordDecoder } from '../../identity/record-decoder.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import { RateLimit } from '../asking/rate-limit.ts'
import type { Context } from '../context.ts'
import { type KnownRecords, newerRecord } from '../table/known-records.ts'
import { rateKey } from '../wire/address.ts'
import { deriveKeys, type HandshakeAuthdata, idDigest, readHandshakeAuthdata } from '../wire/handshake.ts'
import type { Packet } from '../wire/packet.ts'
import type { Attempts } from './attempts.ts'
import { type Challenge, ChallengeTable } from './challenges.ts'
import { makeWhoareyou } from './handshake-packets.ts'
import type { Outbox } from './outbox.ts'
import type { Session } from './session.ts'
import { sessionKey } from './session-cache.ts'
import { SessionKeys } from './session-keyring.ts'
import type { Sessions } from './sessions.ts'

/** What a verified handshake brought. */
export interface AcceptedHandshake {
  /** Now established. */
  readonly session: Session
  readonly keys: SessionKeys
  /** The message that it carried. */
  readonly plaintext: Uint8Array
  /** Packets that arrived before it and that its keys may open. */
  readonly held: readonly Packet[]
}

/** What a handshake proved. */
interface VerifiedHandshake {
  readonly record: NodeRecord
  readonly keys: SessionKeys
  readonly plaintext: Uint8Array
}

/**
 * The side of the handshake that is asked: challenges packets that it cannot read, and verifies the handshakes that
 * answer (discv5-theory.md, Handshake Steps 2 and 4).
 */
export class Recipient {
  readonly #context: Context
  readonly #sessions: Sessions
  readonly #attempts: Attempts
  readonly #outbox: Outbox
  readonly #decoder: RecordDecoder
  readonly #known: KnownRecords
  readonly #challenges: ChallengeTable
  readonly #challengeRate: RateLimit
  readonly #handshakeRate: RateLimit

  constructor(
    context: Context,
    parts: {
      readonly sessions: Sessions
      readonly attempts: Attempts
      readonly outbox: Outbox
      readonly decoder: RecordDecoder
      readonly known: KnownRecords
    },
  ) {
    const { limits } = context
    this.#context = context
    this.#sessions = parts.sessions
    this.#attempts = parts.attempts
    this.#outbox = parts.outbox
    this.#decoder = parts.decoder
    this.#known = parts.known
    this.#challenges = new ChallengeTable(limits.challenges)
    this.#challengeRate = new RateLimit(limits.challengesPerSecondPerAddress, limits.rateLimitedAddresses)
    this.#handshakeRate = new RateLimit(limits.handshakesPerSecondPerAddress, limits.rateLimitedAddresses)
  }

  /** Challenges that may still be answered. */
  get challenges(): number {
    return this.#challenges.size
  }

  /**
   * Challenges the sender of a packet that no key opens. A pending challenge of the sender is sent again instead.
   *
   * @param session the session with the sender, if there is one
   * @param held further packets that wait for the handshake
   */
  challenge(packet: Packet, endpoint: Endpoint, session: Session | undefined, held: readonly Packet[] = []): void {
    const { counters, turn, limits, deadlines } = this.#context
    const { authdata: sourceId, nonce } = packet
    if (!this.#challengeRate.take(rateKey(endpoint.host), turn.now)) {
      counters.add('challengesLimited')
      return
    }
    const key = sessionKey(sourceId, endpoint)
    const pending = this.#challenges.find(key, turn.now)
    if (pending !== undefined) {
      if (!equalBytes(nonce, pending.nonce)) this.#challenges.hold(pending, packet, limits.heldPerChallenge)
      counters.add('whoareyouRepeated')
      this.#outbox.addPacket(endpoint, pending.packet.slice())
      return
    }
    const challenge = this.#newChallenge(sourceId, nonce, session?.record, held)
    const { expired, evicted } = this.#challenges.add(key, challenge, turn.now)
    counters.add('challengesExpired', expired)
    counters.add('challengesEvicted', evicted)
    counters.add('whoareyouSent')
    this.#outbox.addPacket(endpoint, challenge.packet.slice())
    if (session === undefined) return
    session.challenge()
    if (session.state === 'challenging') deadlines.set(session.challengeExpiry, challenge.expiresAt)
  }

  /**
   * Packets arrived before a handshake whose keys do not open them, because they were sealed under keys that we have
   * lost. The challenge that was repeated for them named the first of all packets, but a peer may send a message again
   * only if a challenge names its packet, as nim-eth does (discv5-theory.md, Handshake Step 2). So the next packet is
   * named now, and the rest wait for the handshake that answers.
   */
  challengeUnread([next, ...rest]: readonly Packet[], endpoint: Endpoint, session: Session): void {
    if (next === undefined) return
    const others = rest.filter(({ nonce }) => !equalBytes(nonce, next.nonce))
    this.challenge(next, endpoint, session, others)
  }

  /** A handshake arrived. @returns what it brought, if it verifies */
  accept(packet: Packet, endpoint: Endpoint): AcceptedHandshake | undefined {
    const { counters, turn } = this.#context
    counters.add('handshakesReceived')
    const authdata = readHandshakeAuthdata(packet.authdata)
    if (authdata === undefined) {
      counters.add('handshakeMalformed')
      return undefined
    }
    const key = sessionKey(authdata.sourceId, endpoint)
    const challenge = this.#challenges.find(key, turn.now)
    if (challenge === undefined) {
      counters.add('handshakesUnexpected')
      return undefined
    }
    if (!this.#handshakeRate.take(rateKey(endpoint.host), turn.now)) {
      counters.add('handshakesLimited')
      return undefined
    }
    const verified = this.#verify(packet, authdata, challenge)
    if (typeof verified === 'string') {
      counters.add(verified)
      return undefined
    }
    this.#challenges.remove(key)
    counters.add('handshakesAccepted')
    const session = this.#sessions.obtain(authdata.sourceId, endpoint)
    session.learn(verified.record)
    if (session.accept(verified.keys)) this.#attempts.endButKeepOpening(session)
    this.#sessions.established(session)
    return { session, keys: verified.keys, plaintext: verified.plaintext, held: challenge.held }
  }

  /** The peer has used keys that we had given up: the session goes on with them. */
  resume(session: Session): void {
    this.#attempts.endButKeepOpening(session)
    session.resume()
    this.#sessions.established(session)
  }

  /** @returns the counter of the reason if the handshake does not verify */
  #verify(
    packet: Packet,
    authdata: HandshakeAuthdata,
    challenge: Challenge,
  ): VerifiedHandshake | 'handshakeRecordInvalid' | 'handshakeSignatureInvalid' | 'handshakeMessageInvalid' {
    const { crypto, own, localId } = this.#context
    const record = this.#recordOf(authdata, challenge)
    if (record === undefined) return 'handshakeRecordInvalid'
    const digest = idDigest(challenge.data, authdata.ephemeralKey, localId, crypto)
    if (!crypto.verify(authdata.signature, digest, record.publicKey)) return 'handshakeSignatureInvalid'
    const secret = own.sharedPoint(authdata.ephemeralKey)
    if (secret === undefined) return 'handshakeSignatureInvalid'
    const { initiatorKey, recipientKey } = deriveKeys(secret, authdata.sourceId, localId, challenge.data, crypto)
    const [plaintext] = crypto.open([
      { key: initiatorKey, nonce: packet.nonce, associatedData: packet.head, data: packet.message },
    ])
    if (plaintext === undefined) return 'handshakeMessageInvalid'
    const keys = new SessionKeys({ writeKey: recipientKey, readKey: initiatorKey, isConfirmed: true })
    return { record, keys, plaintext }
  }

  #newChallenge(
    sourceId: Uint8Array,
    nonce: Uint8Array,
    sessionRecord: NodeRecord | undefined,
    held: readonly Packet[],
  ): Challenge {
    const { limits, turn } = this.#context
    const record = newerRecord(sessionRecord, this.#known.newest(toHex(sourceId)))
    return {
      ...makeWhoareyou(this.#context, sourceId, nonce, record?.seq ?? 0n),
      nonce: nonce.slice(),
      record,
      expiresAt: turn.now + limits.challengeTimeoutMs,
      held: [...held],
    }
  }

  /** The record to verify the peer with: the one that it sent, if valid, or the one that we know. */
  #recordOf(authdata: HandshakeAuthdata, challenge: Challenge): NodeRecord | undefined {
    if (authdata.record === undefined) return challenge.record
    const decoded = this.#decoder.decode(authdata.record)
    if (!decoded.ok || !equalBytes(decoded.value.nodeId, authdata.sourceId)) return undefined
    return newerRecord(challenge.record, decoded.value)
  }
}
