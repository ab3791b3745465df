import { Deadline, invariant, Lifecycle } from 'spimpl-runtime/core'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import type { Attempt } from './attempt.ts'
import { SessionKeyring, type SessionKeys } from './session-keyring.ts'
import { type SessionEvent, type SessionState, sessionTable } from './session-machine.ts'

/**
 * Challenges that we answer before the session is established. A peer that challenges each packet anew, as the
 * specification allows, keeps the last of them; more than a few are an attack.
 */
const MAX_RESPONSES = 16

/** Unanswered requests in a row after which the keys are given up, because the peer may have lost them silently. */
const MAX_UNANSWERED = 3

/**
 * What the use of a pair of keys by the peer means: nothing new, that it has the keys of our handshake, or that we send
 * with them from now on instead of others.
 */
export type KeyUse = 'known' | 'confirmed' | 'swapped'

/**
 * What we share with one node at one endpoint. Keys are bound to the endpoint, so that nobody uses a session from
 * elsewhere. Only the session itself changes its fields; its verbs name what happened.
 */
export class Session {
  /** Identifies the session in tables: node id and endpoint. */
  readonly key: string
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  readonly nodeIdHex: string
  readonly endpoint: Endpoint
  readonly keyring = new SessionKeyring()
  readonly retry: Deadline<'handshake-retry', Session> = new Deadline('handshake-retry', this)
  readonly challengeExpiry: Deadline<'challenge-expiry', Session> = new Deadline('challenge-expiry', this)
  readonly #lifecycle = new Lifecycle<SessionState, SessionEvent>(sessionTable)
  #record: NodeRecord | undefined
  #opening: Attempt | undefined
  #handshake: Attempt | undefined
  /** Challenges answered since the session was last established. */
  #responses = 0
  /** Requests in a row that were not answered. */
  #unanswered = 0
  #markedLiveAt = Number.NEGATIVE_INFINITY
  #isCached = true

  constructor(key: string, nodeId: Uint8Array, nodeIdHex: string, endpoint: Endpoint) {
    this.key = key
    this.nodeId = nodeId
    this.nodeIdHex = nodeIdHex
    this.endpoint = endpoint
  }

  get state(): SessionState {
    return this.#lifecycle.state
  }

  /** Whether a message can be sealed and sent now. */
  get isEstablished(): boolean {
    return this.#lifecycle.state === 'established'
  }

  /** Whether an opening packet or a handshake of ours awaits its answer. */
  get isOpening(): boolean {
    return this.state === 'opening' || this.state === 'handshaking'
  }

  /** The newest record that we have of the node; always present once a session was established. */
  get record(): NodeRecord | undefined {
    return this.#record
  }

  /** The packet with random content that asks for a challenge. */
  get opening(): Attempt | undefined {
    return this.#opening
  }

  /** The handshake packet that answered a challenge, until the peer has used its keys. */
  get handshake(): Attempt | undefined {
    return this.#handshake
  }

  /** False once the session is evicted: nobody sends through it any more. */
  get isCached(): boolean {
    return this.#isCached
  }

  /** When the node was last marked live in the routing table. */
  get markedLiveAt(): number {
    return this.#markedLiveAt
  }

  /** A record of the node arrived; the newest is kept. @returns whether this is it */
  learn(record: NodeRecord): boolean {
    if (this.#record !== undefined && this.#record.seq >= record.seq) return false
    this.#record = record
    return true
  }

  /** We asked the peer for a challenge. */
  open(opening: Attempt): void {
    this.#opening = opening
    this.#responses = 0
    this.#move('open')
  }

  /** We challenged the peer. */
  challenge(): void {
    this.#move('challenge')
  }

  /** Counts an answer to a challenge. @returns whether another one is allowed before the session is established */
  takeResponse(): boolean {
    if (this.#responses >= MAX_RESPONSES) return false
    this.#responses++
    return true
  }

  /** We answered a challenge with a handshake, which brings these keys. */
  respond(handshake: Attempt, keys: SessionKeys): void {
    this.keyring.adopt(keys)
    this.#handshake = handshake
    this.#move('respond')
  }

  /**
   * The peer's handshake was verified.
   *
   * @returns whether we send with its keys. If both sides opened at once and each has sent a handshake, we do not: a
   * peer with room for one pair of keys holds those of the handshake that it received last, which is ours
   */
  accept(keys: SessionKeys): boolean {
    const isCrossing = this.state === 'handshaking' && this.keyring.sending?.isConfirmed === false
    if (isCrossing) this.keyring.readAlso(keys)
    else this.keyring.adopt(keys)
    this.#established('accept')
    return !isCrossing
  }

  /** The peer sealed a packet with these keys. */
  peerUsed(keys: SessionKeys): KeyUse {
    keys.confirm()
    if (keys === this.keyring.sending) return 'confirmed'
    // During a handshake of ours the peer uses the old keys until the handshake reaches it.
    if (this.state === 'handshaking' || this.keyring.sending?.isConfirmed === true) return 'known'
    this.keyring.swapTo(keys)
    return 'swapped'
  }

  /** The peer has the keys of our handshake. @returns whether that establishes the session */
  confirm(): boolean {
    if (this.state !== 'handshaking') return false
    this.#established('confirm')
    return true
  }

  /** The peer used keys that we had given up, and so do we. */
  resume(): void {
    this.#established('accept')
  }

  /** Nobody answered our handshake or our challenge. */
  fail(): void {
    this.keyring.dropUnconfirmed()
    this.#move('expire')
  }

  /** Stops sending with the keys: the peer may have lost them, or they have sealed as many messages as they may. */
  giveUpKeys(): void {
    this.keyring.giveUp()
    this.#unanswered = 0
    this.#move('exhaust')
  }

  /** Forgets the opening packet and the handshake. */
  endAttempts(): void {
    this.#opening = undefined
    this.#handshake = undefined
  }

  /** Remembers an opening packet that is not sent again, but whose challenge may still arrive. */
  keepOpening(opening: Attempt): void {
    this.#opening = opening
  }

  /** The peer answered a request. */
  answered(): void {
    this.#unanswered = 0
  }

  /** The peer did not answer a request in time. After several in a row the keys are given up. */
  unanswered(): void {
    if (++this.#unanswered >= MAX_UNANSWERED && this.isEstablished) this.giveUpKeys()
  }

  /** The node was marked live in the routing table. */
  markedLive(now: number): void {
    this.#markedLiveAt = now
  }

  /** The session is evicted. */
  leaveCache(): void {
    this.#isCached = false
  }

  #established(event: 'accept' | 'confirm'): void {
    this.#responses = 0
    this.#move(event)
  }

  #move(event: SessionEvent): void {
    this.#lifecycle.send(event)
    invariant(!this.isEstablished || this.keyring.sending !== undefined, 'an established session to have a sending key')
  }
}
