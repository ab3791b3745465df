import type { Endpoint } from '../../transport/datagram.ts'
import type { Context } from '../context.ts'
import { sameEndpoint } from '../wire/address.ts'
import type { Attempt } from './attempt.ts'
import type { Outbox } from './outbox.ts'
import { nonceHigh } from './sent-log.ts'
import type { Session } from './session.ts'

/** Opening packets and handshakes of ours that await their answer: finds them by their nonce and sends them again. */
export class Attempts {
  readonly #context: Context
  readonly #outbox: Outbox
  /** Sessions by the first 6 bytes of the nonce of their opening packet or handshake. */
  readonly #byNonce = new Map<number, Session>()

  constructor(context: Context, outbox: Outbox) {
    this.#context = context
    this.#outbox = outbox
  }

  /** Sends an opening packet or a handshake that the session has just begun. */
  begin(session: Session, attempt: Attempt): void {
    this.#byNonce.set(nonceHigh(attempt.nonce), session)
    this.send(session, attempt)
  }

  /** The session with an attempt that a challenge with this nonce answers. Compare the rest of the nonce. */
  find(nonce: Uint8Array, endpoint: Endpoint): Session | undefined {
    const session = this.#byNonce.get(nonceHigh(nonce))
    return session !== undefined && sameEndpoint(session.endpoint, endpoint) ? session : undefined
  }

  /** Sends an attempt and waits for its answer, twice as long each time. */
  send(session: Session, attempt: Attempt): void {
    const { deadlines, limits, turn } = this.#context
    attempt.sent()
    deadlines.set(session.retry, turn.now + limits.handshakeRetryMs * 2 ** (attempt.timesSent - 1))
    // A copy: the attempt keeps its packet, and the buffer of a datagram changes owner.
    this.#outbox.addPacket(session.endpoint, attempt.packet.slice())
  }

  mayRetry(attempt: Attempt): boolean {
    return attempt.timesSent < this.#context.limits.handshakeAttempts
  }

  /** Ends the attempts of a session, because it was established, failed or evicted. */
  end(session: Session): void {
    const { deadlines } = this.#context
    for (const attempt of [session.opening, session.handshake]) {
      if (attempt === undefined) continue
      const high = nonceHigh(attempt.nonce)
      if (this.#byNonce.get(high) === session) this.#byNonce.delete(high)
    }
    session.endAttempts()
    deadlines.clear(session.retry)
    deadlines.clear(session.challengeExpiry)
  }

  /**
   * Ends the attempts because the peer's own handshake brought keys. The opening packet keeps its nonce, because its
   * challenge may still arrive: a peer that drops its keys when a packet comes that they do not open, as nim-eth does,
   * names that packet in the challenges of all packets that follow.
   */
  endButKeepOpening(session: Session): void {
    const { opening } = session
    this.end(session)
    if (opening === undefined) return
    session.keepOpening(opening)
    this.#byNonce.set(nonceHigh(opening.nonce), session)
  }
}
