import { equalBytes } from '../../codec/bytes.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import type { Requests } from '../asking/requests.ts'
import type { Context } from '../context.ts'
import { sameEndpoint } from '../wire/address.ts'
import type { Packet } from '../wire/packet.ts'
import { Attempt } from './attempt.ts'
import type { Attempts } from './attempts.ts'
import type { Backlog, WaitingMessage } from './backlog.ts'
import { handshakeRoom, makeHandshake, makeOpening, whoareyouSeq } from './handshake-packets.ts'
import type { SentLog, SentMessage } from './sent-log.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/**
 * The side of the handshake that begins: sends a packet that the peer cannot read, answers its WHOAREYOU with a
 * handshake, and repeats either until it is answered (discv5-theory.md, Handshake Steps 1 and 3).
 */
export class Initiator {
  readonly #context: Context
  readonly #sessions: Sessions
  readonly #attempts: Attempts
  readonly #backlog: Backlog
  readonly #requests: Requests
  readonly #sentLog: SentLog

  constructor(
    context: Context,
    parts: {
      readonly sessions: Sessions
      readonly attempts: Attempts
      readonly backlog: Backlog
      readonly requests: Requests
      readonly sentLog: SentLog
    },
  ) {
    this.#context = context
    this.#sessions = parts.sessions
    this.#attempts = parts.attempts
    this.#backlog = parts.backlog
    this.#requests = parts.requests
    this.#sentLog = parts.sentLog
  }

  /** Asks the peer for a challenge, with a packet of random content. */
  open(session: Session): void {
    const { nonce, packet } = makeOpening(this.#context, session.nodeId)
    this.#attempts.end(session)
    const opening = this.#attempt(nonce, packet)
    session.open(opening)
    this.#attempts.begin(session, opening)
  }

  /** A WHOAREYOU arrived. */
  challenged(challenge: Packet, endpoint: Endpoint): void {
    const { counters, turn } = this.#context
    const { nonce } = challenge
    counters.add('whoareyouReceived')
    const attempting = this.#attempts.find(nonce, endpoint)
    if (attempting?.handshake !== undefined && equalBytes(attempting.handshake.nonce, nonce)) {
      this.#repeatHandshake(attempting, attempting.handshake)
      return
    }
    if (attempting?.opening !== undefined && equalBytes(attempting.opening.nonce, nonce)) {
      this.#respond(attempting, challenge, undefined, attempting.opening.order)
      return
    }
    const sent = this.#sentLog.find(nonce, turn.now)
    if (sent?.session.isCached && sameEndpoint(sent.session.endpoint, endpoint)) {
      this.#respond(sent.session, challenge, sent, sent.order)
    } else counters.add('whoareyouUnexpected')
  }

  /** The peer has used the keys of our handshake. */
  confirmed(session: Session): void {
    this.#attempts.end(session)
    if (session.confirm()) this.#sessions.established(session)
  }

  /** An opening packet or a handshake was not answered in time. */
  retry(session: Session): void {
    const { handshake, opening } = session
    const attempt = handshake ?? opening
    const isWanted =
      session.state === 'handshaking' || (session.state === 'opening' && this.#backlog.sizeOf(session) > 0)
    if (isWanted && attempt !== undefined && this.#attempts.mayRetry(attempt)) {
      if (session.state === 'handshaking') this.#context.counters.add('handshakesRepeated')
      this.#attempts.send(session, attempt)
    } else this.expire(session)
  }

  /** Ends the wait of a session: for an answer to its attempts, or for the handshake that answers our challenge. */
  expire(session: Session): void {
    this.#attempts.end(session)
    if (!session.isEstablished) this.#sessions.failed(session)
  }

  #attempt(nonce: Uint8Array, packet: Uint8Array): Attempt {
    return new Attempt({ nonce, packet, order: this.#sentLog.nextOrder, now: this.#context.turn.now })
  }

  /** The challenge of our handshake arrived again: the handshake was lost, or another packet of ours overtook it. */
  #repeatHandshake(session: Session, handshake: Attempt): void {
    const { limits, counters, turn } = this.#context
    const isEarly = turn.now - handshake.challengedAt < limits.handshakeRetryMs / 4
    if (isEarly || !this.#attempts.mayRetry(handshake)) {
      counters.add('whoareyouUnexpected')
      return
    }
    counters.add('handshakesRepeated')
    handshake.challengedAgain(turn.now)
    this.#attempts.send(session, handshake)
    if (!session.isEstablished) return
    // Both sides had opened at once, so messages were sent under these keys, which the peer did not have.
    this.#requeue(session, handshake.order)
    this.#backlog.drain(session)
  }

  /**
   * Answers a challenge.
   *
   * @param sent the message that the peer could not read; undefined if it was our opening packet
   * @param order the number of the first message that it could not read
   */
  #respond(session: Session, challenge: Packet, sent: SentMessage | undefined, order: number): void {
    const { counters, own } = this.#context
    const { record, nodeId } = session
    if (record === undefined || !session.takeResponse()) {
      counters.add('whoareyouUnexpected')
      return
    }
    if (session.isEstablished) counters.add('sessionsLost')
    this.#requeue(session, order)
    const known = whoareyouSeq(challenge)
    // 0 means that the peer has no record of ours, even if its seq is 0 (discv5-wire.md, Handshake Message Packet).
    const ownRecord = known === 0n || own.current.seq > known ? own.current.bytes : undefined
    const plaintext = this.#choose(session, handshakeRoom(ownRecord), sent)
    const { publicKey } = record
    const made = makeHandshake(this.#context, { nodeId, publicKey, challenge, record: ownRecord, plaintext })
    if (made === undefined) return
    this.#attempts.end(session)
    const handshake = this.#attempt(challenge.nonce.slice(), made.packet)
    session.respond(handshake, made.keys)
    counters.add('handshakesSent')
    this.#attempts.begin(session, handshake)
  }

  /**
   * Puts messages that the peer could not read back into the backlog: every request in flight, and the other messages
   * from `order` on, the oldest of them as far as there is room.
   */
  #requeue(session: Session, order: number): void {
    const { counters, limits, turn } = this.#context
    const lost: { readonly order: number; readonly message: WaitingMessage }[] = []
    for (const request of this.#requests.ofSession(session)) {
      if (this.#backlog.has(request)) continue
      lost.push({ order: this.#sentLog.orderOf(request), message: { plaintext: request.plaintext, request } })
      this.#sentLog.forget(request)
      counters.add('requestsResent')
    }
    const unread = this.#sentLog.takeSince(session, order, turn.now)
    const room = Math.max(0, limits.queuedPerPeer - this.#backlog.sizeOf(session))
    for (const { order, plaintext } of unread.slice(0, room)) {
      lost.push({ order, message: { plaintext, request: undefined } })
      counters.add('oneWayResent')
    }
    counters.add('oneWayDropped', Math.max(0, unread.length - room))
    lost.sort((a, b) => a.order - b.order)
    this.#backlog.putBack(
      session,
      lost.map(({ message }) => message),
    )
  }

  /**
   * Takes the message that the handshake carries from the backlog. It must be a request, because only an answer proves
   * the keys, and it must fit: 1,000 bytes do not, beside a handshake and a record. The request that the peer
   * challenged comes first, then the first that fits, then a PING.
   */
  #choose(session: Session, room: number, sent: SentMessage | undefined): Uint8Array {
    const fits = ({ request, plaintext }: WaitingMessage): boolean => request !== undefined && plaintext.length <= room
    const challenged = sent?.request
    const message =
      (challenged && this.#backlog.takeFirst(session, one => one.request === challenged && fits(one))) ??
      this.#backlog.takeFirst(session, fits) ??
      this.#requests.handshakePing(session)
    return message.plaintext
  }
}
