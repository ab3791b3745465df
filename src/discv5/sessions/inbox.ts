import { equalBytes } from '../../codec/bytes.ts'
import type { CipherJob } from '../../crypto/cryptography.ts'
import type { Datagram, Endpoint } from '../../transport/datagram.ts'
import type { Context } from '../context.ts'
import { decodeMessage, type Message, UNSUPPORTED } from '../wire/message.ts'
import { FLAG_ORDINARY, FLAG_WHOAREYOU, type Packet, unmaskPacket } from '../wire/packet.ts'
import type { Initiator } from './initiator.ts'
import type { Recipient } from './recipient.ts'
import type { Session, SessionKeys } from './session.ts'
import type { SessionCache } from './session-cache.ts'

/** An ordinary packet that a key of its session may open. */
interface Opening {
  readonly session: Session
  readonly packet: Packet
  readonly keys: SessionKeys
  readonly endpoint: Endpoint
}

/**
 * Takes a batch of datagrams apart. Ordinary packets of known sessions are opened in one call; a handshake or a WHOAREYOU may
 * change a session, so what came before it is opened before it. The order of arrival holds for every peer.
 */
export class Inbox {
  readonly #context: Context
  readonly #cache: SessionCache
  readonly #initiator: Initiator
  readonly #recipient: Recipient
  readonly #deliver: (session: Session, message: Message) => void
  #openings: Opening[] = []
  #jobs: CipherJob[] = []

  constructor(
    context: Context,
    parts: { readonly cache: SessionCache; readonly initiator: Initiator; readonly recipient: Recipient },
    deliver: (session: Session, message: Message) => void,
  ) {
    this.#context = context
    this.#cache = parts.cache
    this.#initiator = parts.initiator
    this.#recipient = parts.recipient
    this.#deliver = deliver
  }

  receive(batch: readonly Datagram[]): void {
    const { counters, localId, crypto } = this.#context
    for (const { bytes, endpoint } of batch) {
      counters.packetsReceived++
      counters.bytesReceived += bytes.length
      const packet = unmaskPacket(bytes, localId, crypto)
      if (typeof packet === 'string') counters[packet]++
      else if (packet.flag === FLAG_ORDINARY) this.#ordinary(packet, endpoint)
      else {
        this.#open()
        if (packet.flag === FLAG_WHOAREYOU) this.#initiator.challenged(packet, endpoint)
        else this.#handshake(packet, endpoint)
      }
    }
    this.#open()
  }

  #ordinary(packet: Packet, endpoint: Endpoint): void {
    const { counters, localId } = this.#context
    const sourceId = packet.authdata
    if (equalBytes(sourceId, localId)) {
      counters.packetsFromSelf++
      return
    }
    const session = this.#cache.find(sourceId, endpoint)
    const keys = session?.keys ?? session?.otherKeys
    if (session === undefined || keys === undefined) {
      counters.packetsUndecryptable++
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
    this.#decode(session, plaintext)
    if (held.length === 0) return
    const unread: Packet[] = []
    for (const [index, opened] of this.#context.crypto.open(held.map(one => openJob(one, keys))).entries()) {
      if (opened !== undefined) this.#opened(session, keys, opened)
      else unread.push(held[index]!)
    }
    this.#recipient.challengeUnread(unread, endpoint, session)
  }

  /** Opens what waits, and delivers it in order. */
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

  /** The keys we send with do not open it: the others may, or somebody lost the session. */
  #unopened({ session, packet, keys, endpoint }: Opening): void {
    const other = session.keys === keys ? session.otherKeys : session.keys
    if (other !== undefined) {
      const [plaintext] = this.#context.crypto.open([openJob(packet, other)])
      if (plaintext !== undefined) {
        this.#opened(session, other, plaintext)
        return
      }
    }
    this.#context.counters.packetsUndecryptable++
    // The session stays: anybody can send bytes that no key opens.
    this.#recipient.challenge(packet, endpoint, session)
  }

  #opened(session: Session, keys: SessionKeys, plaintext: Uint8Array): void {
    if (!keys.proven || keys !== session.keys) this.#proven(session, keys)
    this.#decode(session, plaintext)
  }

  /** The peer has used keys for the first time, or others than those we send with. */
  #proven(session: Session, keys: SessionKeys): void {
    keys.proven = true
    if (keys === session.keys) {
      this.#initiator.confirmed(session)
      return
    }
    // A handshake of ours is under way; the peer still uses the old keys until it has it.
    if (session.state === 'handshaking' || session.keys?.proven === true) return
    // The peer uses the keys of its own handshake, or never lost the keys that we gave up: so do we.
    session.otherKeys = session.keys
    session.keys = keys
    if (session.state !== 'established') this.#recipient.resume(session)
  }

  #decode(session: Session, plaintext: Uint8Array): void {
    const message = decodeMessage(plaintext)
    if (message.ok) this.#deliver(session, message.value)
    else if (message.detail === UNSUPPORTED) this.#context.counters.messageUnsupported++
    else this.#context.counters.messageMalformed++
  }
}

function openJob(packet: Packet, keys: SessionKeys): CipherJob {
  return { key: keys.readKey, nonce: packet.nonce, associatedData: packet.head, data: packet.message }
}
