import { equalBytes } from '../../codec/bytes.ts'
import type { CipherJob } from '../../crypto/cryptography.ts'
import type { Datagram, Endpoint } from '../../transport/datagram.ts'
import type { Receiver } from '../asking/receiver.ts'
import type { Context } from '../context.ts'
import { decodeMessage, UNSUPPORTED } from '../wire/message.ts'
import { FLAG_ORDINARY, FLAG_WHOAREYOU, type Packet, unmaskPacket } from '../wire/packet.ts'
import type { Initiator } from './initiator.ts'
import type { Recipient } from './recipient.ts'
import type { Session } from './session.ts'
import type { SessionKeys } from './session-keyring.ts'
import type { Sessions } from './sessions.ts'

/** An ordinary packet that a pair of keys of its session may open. */
interface Opening {
  readonly session: Session
  readonly packet: Packet
  readonly keys: SessionKeys
  readonly endpoint: Endpoint
}

/**
 * Opens a batch of datagrams. Ordinary packets of known sessions are opened in one call. A handshake or a WHOAREYOU may
 * change a session, so the packets before it are opened first: the order of arrival holds for every peer.
 */
export class Inbox {
  readonly #context: Context
  readonly #sessions: Sessions
  readonly #initiator: Initiator
  readonly #recipient: Recipient
  readonly #receiver: Receiver
  #openings: Opening[] = []
  #jobs: CipherJob[] = []

  constructor(
    context: Context,
    parts: {
      readonly sessions: Sessions
      readonly initiator: Initiator
      readonly recipient: Recipient
      readonly receiver: Receiver
    },
  ) {
    this.#context = context
    this.#sessions = parts.sessions
    this.#initiator = parts.initiator
    this.#recipient = parts.recipient
    this.#receiver = parts.receiver
  }

  receive(batch: readonly Datagram[]): void {
    const { counters, localId, crypto } = this.#context
    let receivedBytes = 0
    for (const { bytes, endpoint } of batch) {
      receivedBytes += bytes.length
      const packet = unmaskPacket(bytes, localId, crypto)
      if (typeof packet === 'string') counters.add(packet)
      else if (packet.flag === FLAG_ORDINARY) this.#ordinary(packet, endpoint)
      else {
        this.#open()
        if (packet.flag === FLAG_WHOAREYOU) this.#initiator.challenged(packet, endpoint)
        else this.#handshake(packet, endpoint)
      }
    }
    counters.add('packetsReceived', batch.length)
    counters.add('bytesReceived', receivedBytes)
    this.#open()
  }

  #ordinary(packet: Packet, endpoint: Endpoint): void {
    const { counters, localId } = this.#context
    const sourceId = packet.authdata
    if (equalBytes(sourceId, localId)) {
      counters.add('packetsFromSelf')
      return
    }
    const session = this.#sessions.find(sourceId, endpoint)
    const keys = session?.keyring.first
    if (session === undefined || keys === undefined) {
      counters.add('packetsUndecryptable')
      this.#recipient.challenge(packet, endpoint, session)
      return
    }
    this.#openings.push({ session, packet, keys, endpoint })
    this.#jobs.push(openJob(packet, keys))
  }

  #handshake(packet: Packet, endpoint: Endpoint): void {
    const accepted = this.#recipient.accept(packet, endpoint)
    if (accepted === undefined) return
    const { session, keys, plaintext, held } = accepted
    this.#deliver(session, plaintext)
    if (held.length === 0) return
    const unread: Packet[] = []
    for (const [index, opened] of this.#context.crypto.open(held.map(one => openJob(one, keys))).entries()) {
      if (opened !== undefined) this.#opened(session, keys, opened)
      else unread.push(held[index]!)
    }
    this.#recipient.challengeUnread(unread, endpoint, session)
  }

  /** Opens the collected packets and delivers their messages in order. */
  #open(): void {
    if (this.#openings.length === 0) return
    const openings = this.#openings
    const opened = this.#context.crypto.open(this.#jobs)
    this.#openings = []
    this.#jobs = []
    for (const [index, opening] of openings.entries()) {
      const plaintext = opened[index]
      if (plaintext !== undefined) this.#opened(opening.session, opening.keys, plaintext)
      else this.#unopened(opening)
    }
  }

  /** The first pair of keys does not open a packet: the other may, or one side has lost the session. */
  #unopened({ session, packet, keys, endpoint }: Opening): void {
    const other = session.keyring.after(keys)
    if (other !== undefined) {
      const [plaintext] = this.#context.crypto.open([openJob(packet, other)])
      if (plaintext !== undefined) {
        this.#opened(session, other, plaintext)
        return
      }
    }
    this.#context.counters.add('packetsUndecryptable')
    // The session stays: anybody can send bytes that no key opens.
    this.#recipient.challenge(packet, endpoint, session)
  }

  #opened(session: Session, keys: SessionKeys, plaintext: Uint8Array): void {
    if (!keys.isConfirmed || keys !== session.keyring.sending) this.#peerUsed(session, keys)
    this.#deliver(session, plaintext)
  }

  /** The peer has used keys for the first time, or other keys than those that we send with. */
  #peerUsed(session: Session, keys: SessionKeys): void {
    const use = session.peerUsed(keys)
    if (use === 'confirmed') this.#initiator.confirmed(session)
    else if (use === 'swapped' && !session.isEstablished) this.#recipient.resume(session)
  }

  #deliver(session: Session, plaintext: Uint8Array): void {
    const message = decodeMessage(plaintext)
    if (message.ok) this.#receiver.receive(session, message.value)
    else this.#context.counters.add(message.detail === UNSUPPORTED ? 'messageUnsupported' : 'messageMalformed')
  }
}

function openJob(packet: Packet, keys: SessionKeys): CipherJob {
  return { key: keys.readKey, nonce: packet.nonce, associatedData: packet.head, data: packet.message }
}
