import { seededRandomness } from 'spimpl-runtime'
import { nodeCryptography as crypto } from '../../../src/crypto/node-cryptography.ts'
import {
  deriveKeys,
  handshakeAuthdataBytes,
  idDigest,
  writeHandshakeAuthdata,
} from '../../../src/discv5/wire/handshake.ts'
import { decodeMessage, encodeMessage, type Message } from '../../../src/discv5/wire/message.ts'
import {
  AUTHDATA_AT,
  FLAG_HANDSHAKE,
  FLAG_ORDINARY,
  FLAG_WHOAREYOU,
  maskPacket,
  type Packet,
  unmaskPacket,
  writeHeader,
} from '../../../src/discv5/wire/packet.ts'
import type { NodeRecord } from '../../../src/identity/node-record.ts'
import { endpointEntries, PublishableRecord } from '../../../src/identity/publishable-record.ts'
import type { Endpoint } from '../../../src/transport/datagram.ts'

interface Keys {
  readonly writeKey: Uint8Array
  readonly readKey: Uint8Array
}

/** A peer that makes any packet that a test asks for, valid or invalid. */
export class RawPeer {
  readonly own: PublishableRecord
  readonly endpoint: Endpoint
  keys: Keys | undefined
  readonly #randomness

  constructor(seed: number, port: number) {
    this.#randomness = seededRandomness(seed)
    this.endpoint = { host: '127.0.0.1', port }
    this.own = new PublishableRecord({
      privateKey: this.#randomness.bytes(32),
      crypto,
      entries: endpointEntries(this.endpoint),
    })
  }

  get record(): NodeRecord {
    return this.own.current
  }

  /** An ordinary packet. Without keys its content is random. */
  ordinary(to: NodeRecord, message?: Message, nonce = this.#randomness.bytes(12)): Uint8Array {
    const plaintext = message === undefined ? undefined : encodeMessage(message)
    return this.#packet(FLAG_ORDINARY, nonce, to, this.record.nodeId, plaintext, this.keys?.writeKey)
  }

  /** A WHOAREYOU for a packet with this nonce. */
  whoareyou(
    to: NodeRecord,
    nonce: Uint8Array,
    enrSeq = 0n,
  ): { readonly packet: Uint8Array; readonly data: Uint8Array } {
    const authdata = new Uint8Array(24)
    authdata.set(this.#randomness.bytes(16))
    new DataView(authdata.buffer).setBigUint64(16, enrSeq)
    const packet = new Uint8Array(63)
    writeHeader(packet, this.#randomness.bytes(16), FLAG_WHOAREYOU, nonce, 24)
    packet.set(authdata, AUTHDATA_AT)
    const data = packet.slice()
    maskPacket(packet, 63, to.nodeId, crypto)
    return { packet, data }
  }

  /** A handshake that answers a challenge, with the defects that the caller chooses. */
  handshake(
    to: NodeRecord,
    challengeData: Uint8Array,
    message: Message,
    wrong: {
      readonly record?: Uint8Array | undefined
      readonly signer?: PublishableRecord
      readonly key?: Uint8Array
    } = {},
  ): Uint8Array {
    const ephemeral = this.#randomness.bytes(32)
    const ephemeralKey = crypto.publicKey(ephemeral)
    const secret = crypto.sharedPoint(to.publicKey, ephemeral)!
    const { initiatorKey, recipientKey } = deriveKeys(secret, this.record.nodeId, to.nodeId, challengeData, crypto)
    const record = 'record' in wrong ? wrong.record : this.record.bytes
    const authdata = new Uint8Array(handshakeAuthdataBytes(record?.length ?? 0))
    const signature = (wrong.signer ?? this.own).signDigest(idDigest(challengeData, ephemeralKey, to.nodeId, crypto))
    writeHandshakeAuthdata(authdata, 0, { sourceId: this.record.nodeId, signature, ephemeralKey, record })
    this.keys = { writeKey: initiatorKey, readKey: recipientKey }
    const nonce = this.#randomness.bytes(12)
    return this.#packet(FLAG_HANDSHAKE, nonce, to, authdata, encodeMessage(message), wrong.key ?? initiatorKey)
  }

  unmask(bytes: Uint8Array): Packet {
    const packet = unmaskPacket(bytes.slice(), this.record.nodeId, crypto)
    if (typeof packet === 'string') throw new Error(packet)
    return packet
  }

  /** The message of an ordinary packet under the keys of this peer. */
  read(bytes: Uint8Array): Message | undefined {
    const packet = this.unmask(bytes)
    if (this.keys === undefined || packet.flag !== FLAG_ORDINARY) return undefined
    const job = { key: this.keys.readKey, nonce: packet.nonce, associatedData: packet.head, data: packet.message }
    const [plaintext] = crypto.open([job])
    const message = plaintext === undefined ? undefined : decodeMessage(plaintext)
    return message?.ok ? message.value : undefined
  }

  /**
   * Accepts a handshake packet that a core sent to this peer: derives the keys and reads the message that it carries.
   */
  accept(bytes: Uint8Array, challengeData: Uint8Array, from: NodeRecord): Message | undefined {
    const packet = this.unmask(bytes)
    const ephemeralKey = packet.authdata.subarray(34 + 64, 34 + 64 + 33)
    const secret = this.own.sharedPoint(ephemeralKey)!
    const { initiatorKey, recipientKey } = deriveKeys(secret, from.nodeId, this.record.nodeId, challengeData, crypto)
    this.keys = { writeKey: recipientKey, readKey: initiatorKey }
    const job = { key: initiatorKey, nonce: packet.nonce, associatedData: packet.head, data: packet.message }
    const [plaintext] = crypto.open([job])
    const message = plaintext === undefined ? undefined : decodeMessage(plaintext)
    return message?.ok ? message.value : undefined
  }

  #packet(
    flag: number,
    nonce: Uint8Array,
    to: NodeRecord,
    authdata: Uint8Array,
    plaintext: Uint8Array | undefined,
    key: Uint8Array | undefined,
  ): Uint8Array {
    const headBytes = AUTHDATA_AT + authdata.length
    const head = new Uint8Array(headBytes)
    writeHeader(head, this.#randomness.bytes(16), flag, nonce, authdata.length)
    head.set(authdata, AUTHDATA_AT)
    const message =
      plaintext === undefined || key === undefined
        ? this.#randomness.bytes(44)
        : crypto.seal([{ key, nonce, associatedData: head, data: plaintext }])[0]!
    const packet = new Uint8Array(headBytes + message.length)
    packet.set(head)
    packet.set(message, headBytes)
    maskPacket(packet, headBytes, to.nodeId, crypto)
    return packet
  }
}
