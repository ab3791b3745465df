import { invariant } from 'spimpl-runtime/core'
import { NONCE_BYTES } from '../wire/packet.ts'

/**
 * Messages that one key may seal: the 4-byte counter in the nonce must not repeat (discv5-theory.md, Session Cache).
 */
const MAX_SEALED_PER_KEY = 2 ** 32

/** Bytes of a nonce that follow its counter. */
export const RANDOM_NONCE_BYTES = NONCE_BYTES - 4

/** The keys of one handshake, from our side. */
export class SessionKeys {
  /** 16 bytes. */
  readonly writeKey: Uint8Array
  /** 16 bytes. */
  readonly readKey: Uint8Array
  #sealed: number
  #isConfirmed: boolean

  /** @param options.sealed messages that `writeKey` has sealed; 0 by default */
  constructor(options: {
    readonly writeKey: Uint8Array
    readonly readKey: Uint8Array
    readonly isConfirmed: boolean
    readonly sealed?: number
  }) {
    this.writeKey = options.writeKey
    this.readKey = options.readKey
    this.#isConfirmed = options.isConfirmed
    this.#sealed = options.sealed ?? 0
  }

  /** Whether the peer is known to have these keys, because it has used them. */
  get isConfirmed(): boolean {
    return this.#isConfirmed
  }

  /** Whether `writeKey` has sealed as many messages as it may. */
  get isExhausted(): boolean {
    return this.#sealed >= MAX_SEALED_PER_KEY
  }

  confirm(): void {
    this.#isConfirmed = true
  }

  /** Takes the counter of the next message that `writeKey` seals. */
  nextCounter(): number {
    invariant(!this.isExhausted, 'a nonce counter below 2^32')
    return this.#sealed++
  }
}

/** A nonce: 4 bytes of counter, then 8 random bytes (discv5-theory.md, Session Cache). */
export function nonceOf(counter: number, random: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  nonce[0] = counter >>> 24
  nonce[1] = counter >>> 16
  nonce[2] = counter >>> 8
  nonce[3] = counter
  nonce.set(random, 4)
  return nonce
}

/**
 * The keys of one session. Two pairs can be alive: both sides opened at once and each handshake made keys, or one side
 * asks for new keys while the old ones still work. We send with one pair and read with both.
 *
 *     verb             sending pair   reading pair
 *     adopt(k)         k              the former sending pair, if the peer has used it; else as before
 *     readAlso(k)      as before      k
 *     swapTo(k)        k              the former sending pair
 *     giveUp           none           the former sending pair
 *     dropUnconfirmed  none, if the peer has not used it
 */
export class SessionKeyring {
  #sending: SessionKeys | undefined
  #reading: SessionKeys | undefined

  /** The pair that we send with; undefined before a handshake and after `giveUp`. */
  get sending(): SessionKeys | undefined {
    return this.#sending
  }

  /** The pair to open a packet with first. */
  get first(): SessionKeys | undefined {
    return this.#sending ?? this.#reading
  }

  /** The pair to open a packet with if `tried` does not open it. */
  after(tried: SessionKeys): SessionKeys | undefined {
    return tried === this.#sending ? this.#reading : this.#sending
  }

  /** Sends with new keys. Keys that the peer has never used are dropped, because it will not use them any more. */
  adopt(keys: SessionKeys): void {
    if (this.#sending?.isConfirmed === true) this.#reading = this.#sending
    this.#sending = keys
  }

  /** Reads with keys of the peer's handshake while we go on sending with our own. */
  readAlso(keys: SessionKeys): void {
    this.#reading = keys
  }

  /** Sends with keys that the peer has used instead of those that we send with. */
  swapTo(keys: SessionKeys): void {
    this.#reading = this.#sending
    this.#sending = keys
  }

  /** Stops sending with the keys. What the peer still seals under them is read. */
  giveUp(): void {
    this.#reading = this.#sending
    this.#sending = undefined
  }

  /** Stops sending with keys that the peer has never used, because our handshake failed. */
  dropUnconfirmed(): void {
    if (this.#sending?.isConfirmed === false) this.#sending = undefined
  }
}
