import type { CipherJob } from '../../crypto/cryptography.ts'
import type { Datagram, Endpoint } from '../../transport/datagram.ts'
import type { PendingRequest } from '../asking/pending-request.ts'
import type { Context } from '../context.ts'
import {
  AUTHDATA_AT,
  FLAG_ORDINARY,
  MASKING_IV_BYTES,
  maskPacket,
  NODE_ID_BYTES,
  ORDINARY_HEADER_BYTES,
  TAG_BYTES,
  writeHeader,
} from '../wire/packet.ts'
import type { SentLog } from './sent-log.ts'
import type { Session } from './session.ts'
import { nonceOf, RANDOM_NONCE_BYTES, type SessionKeys } from './session-keyring.ts'

/** A message to seal. */
interface Sealing {
  readonly session: Session
  readonly keys: SessionKeys
  readonly counter: number
  readonly plaintext: Uint8Array
  readonly request: PendingRequest | undefined
}

const RANDOM_BYTES = MASKING_IV_BYTES + RANDOM_NONCE_BYTES

/**
 * What one turn sends. Messages of sessions are collected and sealed in one call; they leave as one batch with the
 * packets of handshakes, in the order in which all of them were added.
 */
export class Outbox {
  readonly #context: Context
  readonly #sentLog: SentLog
  /** Undefined: the place of the next message to seal. */
  #datagrams: (Datagram | undefined)[] = []
  #sealings: Sealing[] = []

  constructor(context: Context, sentLog: SentLog) {
    this.#context = context
    this.#sentLog = sentLog
  }

  /** Adds a complete packet. Its buffer changes owner. */
  addPacket(endpoint: Endpoint, bytes: Uint8Array): void {
    this.#datagrams.push({ endpoint, bytes })
  }

  /** Adds a message to seal. If the keys have sealed as many messages as they may, it is lost like a datagram. */
  add(session: Session, keys: SessionKeys, plaintext: Uint8Array, request: PendingRequest | undefined): void {
    if (keys.isExhausted) return
    this.#sealings.push({ session, keys, counter: keys.nextCounter(), plaintext, request })
    this.#datagrams.push(undefined)
  }

  /** Seals what was added and returns the batch, empty if there is nothing to send. */
  flush(): readonly Datagram[] {
    if (this.#datagrams.length === 0) return []
    const batch = this.#datagrams
    this.#datagrams = []
    this.#seal(batch)
    // `#seal` has filled every place.
    const complete = batch as Datagram[]
    let sentBytes = 0
    for (const { bytes } of complete) sentBytes += bytes.length
    const { counters } = this.#context
    counters.add('packetsSent', complete.length)
    counters.add('bytesSent', sentBytes)
    return complete
  }

  #seal(batch: (Datagram | undefined)[]): void {
    const sealings = this.#sealings
    if (sealings.length === 0) return
    this.#sealings = []
    const { crypto, localId, randomness, turn } = this.#context
    let total = 0
    for (const { plaintext } of sealings) total += ORDINARY_HEADER_BYTES + plaintext.length + TAG_BYTES
    // One allocation for the batch, in which every packet has its exact place.
    const buffer = new Uint8Array(total)
    const random = randomness.bytes(RANDOM_BYTES * sealings.length)
    const packets: Uint8Array[] = []
    const jobs: CipherJob[] = []
    let at = 0
    for (const [index, { session, keys, counter, plaintext, request }] of sealings.entries()) {
      const out = buffer.subarray(at, at + ORDINARY_HEADER_BYTES + plaintext.length + TAG_BYTES)
      at += out.length
      const randomAt = index * RANDOM_BYTES
      const ivAt = randomAt + RANDOM_NONCE_BYTES
      const nonce = nonceOf(counter, random.subarray(randomAt, ivAt))
      writeHeader(out, random.subarray(ivAt, randomAt + RANDOM_BYTES), FLAG_ORDINARY, nonce, NODE_ID_BYTES)
      out.set(localId, AUTHDATA_AT)
      this.#sentLog.add(session, plaintext, request, nonce, turn.now)
      packets.push(out)
      jobs.push({
        key: keys.writeKey,
        nonce,
        associatedData: out.subarray(0, ORDINARY_HEADER_BYTES),
        data: plaintext,
      })
    }
    const sealed = crypto.seal(jobs)
    let place = 0
    for (const [index, out] of packets.entries()) {
      const { session } = sealings[index]!
      out.set(sealed[index]!, ORDINARY_HEADER_BYTES)
      maskPacket(out, ORDINARY_HEADER_BYTES, session.nodeId, crypto)
      while (batch[place] !== undefined) place++
      batch[place] = { endpoint: session.endpoint, bytes: out }
    }
  }
}
