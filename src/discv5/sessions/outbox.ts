import type { CipherJob } from '../../crypto/cryptography.ts'
import type { Datagram, Endpoint } from '../../transport/datagram.ts'
import type { PendingRequest } from '../asking/requests.ts'
import type { Context } from '../context.ts'
import {
  AUTHDATA_AT,
  FLAG_ORDINARY,
  MASKING_IV_BYTES,
  maskPacket,
  NODE_ID_BYTES,
  NONCE_BYTES,
  ORDINARY_HEADER_BYTES,
  TAG_BYTES,
  writeHeader,
} from '../wire/packet.ts'
import type { SentLog } from './sent-log.ts'
import type { Session, SessionKeys } from './session.ts'

/** A message to seal. */
interface Sealing {
  readonly session: Session
  readonly keys: SessionKeys
  readonly plaintext: Uint8Array
  readonly request: PendingRequest | undefined
}

const RANDOM_NONCE_BYTES = NONCE_BYTES - 4
const RANDOM_BYTES = MASKING_IV_BYTES + RANDOM_NONCE_BYTES

/**
 * What one turn sends. Messages of established sessions are collected, sealed in one call, and leave, together with the packets of
 * handshakes and in the order in which all this was asked for, as one batch.
 */
export class Outbox {
  readonly #context: Context
  readonly #sentLog: SentLog
  #datagrams: (Datagram | undefined)[] = []
  #sealings: Sealing[] = []

  constructor(context: Context, sentLog: SentLog) {
    this.#context = context
    this.#sentLog = sentLog
  }

  /** A packet that is complete. Its buffer changes owner. */
  packet(endpoint: Endpoint, bytes: Uint8Array): void {
    this.#datagrams.push({ endpoint, bytes })
  }

  /** A message under the keys that the session has now. */
  message(session: Session, keys: SessionKeys, plaintext: Uint8Array, request: PendingRequest | undefined): void {
    this.#sealings.push({ session, keys, plaintext, request })
    this.#datagrams.push(undefined)
  }

  /** Seals what waits and hands out the batch; empty where there is nothing to send. */
  flush(): readonly Datagram[] {
    if (this.#datagrams.length === 0) return []
    const batch = this.#datagrams
    this.#datagrams = []
    this.#seal(batch)
    const { counters } = this.#context
    counters.packetsSent += batch.length
    // Every gap was filled by #seal.
    const complete = batch as Datagram[]
    for (const { bytes } of complete) counters.bytesSent += bytes.length
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
    for (const [index, { session, keys, plaintext, request }] of sealings.entries()) {
      const out = buffer.subarray(at, at + ORDINARY_HEADER_BYTES + plaintext.length + TAG_BYTES)
      at += out.length
      const randomAt = index * RANDOM_BYTES
      const nonce = nextNonce(keys, random.subarray(randomAt, randomAt + RANDOM_NONCE_BYTES))
      writeHeader(
        out,
        random.subarray(randomAt + RANDOM_NONCE_BYTES, randomAt + RANDOM_BYTES),
        FLAG_ORDINARY,
        nonce,
        NODE_ID_BYTES,
      )
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
    let next = 0
    for (const [index, out] of packets.entries()) {
      const { session } = sealings[index]!
      out.set(sealed[index]!, ORDINARY_HEADER_BYTES)
      maskPacket(out, ORDINARY_HEADER_BYTES, session.nodeId, crypto)
      while (batch[next] !== undefined) next++
      batch[next] = { endpoint: session.endpoint, bytes: out }
    }
  }
}

/** The next nonce of a key: how many messages it has sealed, and random bytes (discv5-theory.md, Session Cache). */
export function nextNonce(keys: SessionKeys, random: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  const count = keys.sealed++
  nonce[0] = count >>> 24
  nonce[1] = count >>> 16
  nonce[2] = count >>> 8
  nonce[3] = count
  nonce.set(random, 4)
  return nonce
}
