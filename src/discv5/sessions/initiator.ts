import { equalBytes } from '../../codec/bytes.ts'
import { newPrivateKey } from '../../identity/keys.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import type { Context } from '../context.ts'
import type { DeadlineHeap, Timed } from '../deadline-heap.ts'
import { deriveKeys, handshakeAuthdataBytes, idDigest, writeHandshakeAuthdata } from '../wire/handshake.ts'
import {
  AUTHDATA_AT,
  FLAG_HANDSHAKE,
  FLAG_ORDINARY,
  ID_NONCE_BYTES,
  MASKING_IV_BYTES,
  MAX_PACKET_BYTES,
  maskPacket,
  NODE_ID_BYTES,
  NONCE_BYTES,
  ORDINARY_HEADER_BYTES,
  type Packet,
  TAG_BYTES,
  writeHeader,
} from '../wire/packet.ts'
import { nextNonce, type Outbox } from './outbox.ts'
import { nonceHigh, type SentLog, type SentMessage } from './sent-log.ts'
import type { Outgoing, Session, SessionKeys } from './session.ts'
import { sameEndpoint } from './session-cache.ts'
import type { SessionEvents } from './session-events.ts'

/** Content of an opening packet: as long as a sealed PING, so that it looks like one. */
const OPENING_MESSAGE_BYTES = 28

/**
 * Challenges that are answered before the session is established. A peer that challenges each packet anew, as the specification
 * allows, holds the last of them; more than a few mean that somebody plays.
 */
const MAX_RESPONSES = 16

/**
 * The side of the handshake that begins: sends a packet that the peer cannot read, answers its WHOAREYOU with a handshake, and
 * repeats either, byte for byte, while nobody answers (discv5-theory.md, Handshake Steps 1 and 3).
 */
export class Initiator {
  readonly #context: Context
  readonly #outbox: Outbox
  readonly #sentLog: SentLog
  readonly #timers: DeadlineHeap<Timed>
  readonly #events: SessionEvents
  /** Sessions whose `opening` or `handshake` has a nonce that begins with these 6 bytes. */
  readonly #attempts = new Map<number, Session>()

  constructor(
    context: Context,
    parts: { readonly outbox: Outbox; readonly sentLog: SentLog; readonly timers: DeadlineHeap<Timed> },
    events: SessionEvents,
  ) {
    this.#context = context
    this.#outbox = parts.outbox
    this.#sentLog = parts.sentLog
    this.#timers = parts.timers
    this.#events = events
  }

  /** Handshakes under way from our side. */
  get size(): number {
    return this.#attempts.size
  }

  /** Asks the peer for a challenge, with a packet of random content. */
  open(session: Session): void {
    const { randomness, localId, crypto, turn } = this.#context
    const nonce = randomness.bytes(NONCE_BYTES)
    const packet = new Uint8Array(ORDINARY_HEADER_BYTES + OPENING_MESSAGE_BYTES)
    writeHeader(packet, randomness.bytes(MASKING_IV_BYTES), FLAG_ORDINARY, nonce, NODE_ID_BYTES)
    packet.set(localId, AUTHDATA_AT)
    maskPacket(packet, ORDINARY_HEADER_BYTES, session.nodeId, crypto)
    packet.set(randomness.bytes(OPENING_MESSAGE_BYTES), ORDINARY_HEADER_BYTES)
    this.release(session)
    session.happened('open')
    session.responses = 0
    session.opening = { nonce, packet, sentAt: turn.now, order: this.#sentLog.nextOrder }
    this.#attempts.set(nonceHigh(nonce), session)
    // The packet is kept, and a buffer that is sent changes owner.
    this.#send(session, packet.slice(), 1)
  }

  /** A WHOAREYOU arrived. */
  challenged(challenge: Packet, endpoint: Endpoint): void {
    const { counters, turn } = this.#context
    counters.whoareyouReceived++
    const trying = this.#attempts.get(nonceHigh(challenge.nonce))
    if (trying !== undefined && sameEndpoint(trying.endpoint, endpoint)) {
      if (trying.handshake !== undefined && equalBytes(trying.handshake.nonce, challenge.nonce)) {
        this.#repeatHandshake(trying)
        return
      }
      if (trying.opening !== undefined && equalBytes(trying.opening.nonce, challenge.nonce)) {
        this.#respond(trying, challenge, undefined, trying.opening.order)
        return
      }
    }
    const sent = this.#sentLog.find(challenge.nonce, turn.now)
    if (sent?.session.cached && sameEndpoint(sent.session.endpoint, endpoint)) {
      this.#respond(sent.session, challenge, sent, sent.order)
    } else counters.whoareyouUnexpected++
  }

  /** The peer has used the keys of our handshake. */
  confirmed(session: Session): void {
    this.release(session)
    if (session.state !== 'handshaking') return
    session.happened('confirm')
    this.#events.established(session)
  }

  /** The wait of an opening, a handshake or a challenge is over. */
  expire(session: Session): void {
    const { limits, counters } = this.#context
    const attempt = session.handshake ?? session.opening
    const wanted = session.state === 'handshaking' || (session.state === 'opening' && session.queue.length > 0)
    if (wanted && attempt !== undefined && session.attempts < limits.handshakeAttempts) {
      if (session.state === 'handshaking') counters.handshakesRepeated++
      this.#send(session, attempt.packet.slice(), session.attempts + 1)
      return
    }
    this.release(session)
    if (session.state === 'established') return
    // Unproven keys are of no use; the old ones, if any, may still read what the peer sends.
    if (session.keys?.proven === false) session.keys = undefined
    session.happened('expire')
    counters.sessionsFailed++
    this.#events.failed(session)
  }

  /**
   * The peer's own handshake brought keys: nothing is repeated. The opening keeps its nonce, whose challenge may still come: a
   * peer that gives up its keys for a packet that they do not open, as nim-eth does, names that packet for all that follow.
   */
  overtaken(session: Session): void {
    const { opening } = session
    this.release(session)
    if (opening === undefined) return
    session.opening = opening
    this.#attempts.set(nonceHigh(opening.nonce), session)
  }

  /** Stops repeating, and forgets what was repeated: the session is established, failed or evicted. */
  release(session: Session): void {
    for (const attempt of [session.opening, session.handshake]) {
      if (attempt === undefined) continue
      const high = nonceHigh(attempt.nonce)
      if (this.#attempts.get(high) === session) this.#attempts.delete(high)
    }
    session.opening = undefined
    session.handshake = undefined
    session.attempts = 0
    this.#timers.remove(session)
  }

  #send(session: Session, packet: Uint8Array, attempts: number): void {
    const { limits, turn } = this.#context
    session.attempts = attempts
    this.#timers.set(session, turn.now + limits.handshakeRetryMs * 2 ** (attempts - 1))
    this.#outbox.packet(session.endpoint, packet)
  }

  /** The same challenge came again: the handshake was lost, or something else of ours overtook it. */
  #repeatHandshake(session: Session): void {
    const { limits, counters, turn } = this.#context
    const { handshake } = session
    if (handshake === undefined) return
    const early = turn.now - handshake.sentAt < limits.handshakeRetryMs / 4
    if (early || session.attempts >= limits.handshakeAttempts) {
      counters.whoareyouUnexpected++
      return
    }
    counters.handshakesRepeated++
    handshake.sentAt = turn.now
    this.#send(session, handshake.packet.slice(), session.attempts + 1)
    if (!session.ready) return
    // Both sides had opened at once, so messages have left under these keys, which the peer did not have.
    this.#requeue(session, handshake.order)
    this.#events.drain(session)
  }

  /**
   * Answers a challenge.
   *
   * @param sent the message that the peer could not read; undefined where it was our opening
   * @param order the number of the first message that it could not read
   */
  #respond(session: Session, challenge: Packet, sent: SentMessage | undefined, order: number): void {
    const { counters, own, turn } = this.#context
    const { record } = session
    if (record === undefined || session.responses >= MAX_RESPONSES) {
      counters.whoareyouUnexpected++
      return
    }
    session.responses++
    if (session.state === 'established') counters.sessionsLost++
    if (session.keys?.proven === true) session.otherKeys = session.keys
    this.#requeue(session, order)
    const known = enrSeq(challenge)
    // 0 says that the peer has none, even where ours has that number (discv5-wire.md, Handshake Message Packet).
    const localRecord = known === 0n || own.current.seq > known ? own.current.bytes : undefined
    const headBytes = AUTHDATA_AT + handshakeAuthdataBytes(localRecord?.length ?? 0)
    const message = this.#choose(session, MAX_PACKET_BYTES - headBytes - TAG_BYTES, sent)
    const packet = this.#handshakePacket(session, record.publicKey, challenge, localRecord, message.plaintext)
    if (packet === undefined) return
    this.release(session)
    session.happened('respond')
    session.handshake = { nonce: challenge.nonce.slice(), packet, sentAt: turn.now, order: this.#sentLog.nextOrder }
    this.#attempts.set(nonceHigh(challenge.nonce), session)
    counters.handshakesSent++
    this.#send(session, packet.slice(), 1)
  }

  /**
   * Puts what the peer could not read back into the queue: every request in flight, and the rest from `order` on, the first
   * of it as far as it may wait.
   */
  #requeue(session: Session, order: number): void {
    const { counters, limits, turn } = this.#context
    const lost: { readonly order: number; readonly outgoing: Outgoing }[] = []
    for (const request of session.inFlight) {
      if (request.queued) continue
      lost.push({ order: request.sent?.order ?? -1, outgoing: { plaintext: request.plaintext, request } })
      request.queued = true
      this.#sentLog.settled(request)
      counters.requestsResent++
    }
    const unread = this.#sentLog.takeSince(session, order, turn.now)
    for (const sent of unread.splice(0, Math.max(0, limits.queuedPerPeer - session.queue.length))) {
      lost.push({ order: sent.order, outgoing: { plaintext: sent.plaintext, request: undefined } })
      counters.oneWayResent++
    }
    counters.oneWayDropped += unread.length
    lost.sort((a, b) => a.order - b.order)
    session.queue.unshift(...lost.map(entry => entry.outgoing))
  }

  /**
   * Takes from the queue what the handshake carries: a request, since only an answer proves the keys, that fits. The one that the
   * peer challenged first, else the first that fits, else a PING: 1,000 bytes do not fit beside a handshake and a record.
   */
  #choose(session: Session, room: number, sent: SentMessage | undefined): Outgoing {
    const fits = ({ request, plaintext }: Outgoing): boolean => request !== undefined && plaintext.length <= room
    const challenged = sent?.request
    let at = challenged === undefined ? -1 : session.queue.findIndex(o => o.request === challenged && fits(o))
    if (at < 0) at = session.queue.findIndex(fits)
    if (at < 0) return this.#events.ping(session)
    const [chosen] = session.queue.splice(at, 1)
    chosen!.request!.queued = false
    return chosen!
  }

  /** Makes new keys and the packet that brings them; undefined where the peer's key is no point, which its record has ruled out. */
  #handshakePacket(
    session: Session,
    publicKey: Uint8Array,
    challenge: Packet,
    localRecord: Uint8Array | undefined,
    plaintext: Uint8Array,
  ): Uint8Array | undefined {
    const { crypto, randomness, own, localId } = this.#context
    const ephemeral = newPrivateKey(randomness, crypto)
    const ephemeralKey = crypto.publicKey(ephemeral)
    const secret = crypto.sharedPoint(publicKey, ephemeral)
    if (secret === undefined) return undefined
    const derived = deriveKeys(secret, localId, session.nodeId, challenge.head, crypto)
    const keys: SessionKeys = {
      writeKey: derived.initiatorKey,
      readKey: derived.recipientKey,
      sealed: 0,
      proven: false,
    }
    session.keys = keys
    const signature = own.signDigest(idDigest(challenge.head, ephemeralKey, session.nodeId, crypto))
    const authdataBytes = handshakeAuthdataBytes(localRecord?.length ?? 0)
    const headBytes = AUTHDATA_AT + authdataBytes
    const packet = new Uint8Array(headBytes + plaintext.length + TAG_BYTES)
    const nonce = nextNonce(keys, randomness.bytes(NONCE_BYTES - 4))
    writeHeader(packet, randomness.bytes(MASKING_IV_BYTES), FLAG_HANDSHAKE, nonce, authdataBytes)
    writeHandshakeAuthdata(packet, AUTHDATA_AT, { sourceId: localId, signature, ephemeralKey, record: localRecord })
    const associatedData = packet.subarray(0, headBytes)
    const [sealed] = crypto.seal([{ key: keys.writeKey, nonce, associatedData, data: plaintext }])
    packet.set(sealed!, headBytes)
    maskPacket(packet, headBytes, session.nodeId, crypto)
    return packet
  }
}

/** The seq of our record that the peer has: a uint64, 0 for none. */
function enrSeq(challenge: Packet): bigint {
  const { authdata } = challenge
  return new DataView(authdata.buffer, authdata.byteOffset).getBigUint64(ID_NONCE_BYTES)
}
