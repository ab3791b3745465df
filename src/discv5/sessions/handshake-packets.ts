import { newPrivateKey } from '../../identity/keys.ts'
import type { Context } from '../context.ts'
import { deriveKeys, handshakeAuthdataBytes, idDigest, writeHandshakeAuthdata } from '../wire/handshake.ts'
import {
  AUTHDATA_AT,
  FLAG_HANDSHAKE,
  FLAG_ORDINARY,
  FLAG_WHOAREYOU,
  ID_NONCE_BYTES,
  MASKING_IV_BYTES,
  MAX_PACKET_BYTES,
  maskPacket,
  NODE_ID_BYTES,
  NONCE_BYTES,
  ORDINARY_HEADER_BYTES,
  type Packet,
  TAG_BYTES,
  WHOAREYOU_BYTES,
  writeHeader,
} from '../wire/packet.ts'
import { nonceOf, RANDOM_NONCE_BYTES, SessionKeys } from './session-keyring.ts'

/** The three packets of a handshake (discv5-theory.md, Handshake Steps): opening packet, WHOAREYOU, handshake. */

/** Content of an opening packet: as long as a sealed PING, so that it looks like one. */
const OPENING_MESSAGE_BYTES = 28

/** A packet with random content, which the peer cannot read and therefore challenges. */
export function makeOpening(
  { randomness, localId, crypto }: Context,
  nodeId: Uint8Array,
): { readonly nonce: Uint8Array; readonly packet: Uint8Array } {
  const nonce = randomness.bytes(NONCE_BYTES)
  const packet = new Uint8Array(ORDINARY_HEADER_BYTES + OPENING_MESSAGE_BYTES)
  writeHeader(packet, randomness.bytes(MASKING_IV_BYTES), FLAG_ORDINARY, nonce, NODE_ID_BYTES)
  packet.set(localId, AUTHDATA_AT)
  maskPacket(packet, ORDINARY_HEADER_BYTES, nodeId, crypto)
  packet.set(randomness.bytes(OPENING_MESSAGE_BYTES), ORDINARY_HEADER_BYTES)
  return { nonce, packet }
}

/**
 * A WHOAREYOU for the packet with this nonce.
 *
 * @param enrSeq of the newest record that we have of the peer; 0 for none
 * @returns the packet as it is sent, and unmasked: the challenge data that the handshake signs
 */
export function makeWhoareyou(
  { randomness, crypto }: Context,
  nodeId: Uint8Array,
  nonce: Uint8Array,
  enrSeq: bigint,
): { readonly packet: Uint8Array; readonly data: Uint8Array } {
  const packet = new Uint8Array(WHOAREYOU_BYTES)
  writeHeader(packet, randomness.bytes(MASKING_IV_BYTES), FLAG_WHOAREYOU, nonce, WHOAREYOU_BYTES - AUTHDATA_AT)
  packet.set(randomness.bytes(ID_NONCE_BYTES), AUTHDATA_AT)
  new DataView(packet.buffer).setBigUint64(AUTHDATA_AT + ID_NONCE_BYTES, enrSeq)
  const data = packet.slice()
  maskPacket(packet, WHOAREYOU_BYTES, nodeId, crypto)
  return { packet, data }
}

/** The seq of our record that the sender of a WHOAREYOU has: a uint64, 0 for none. */
export function whoareyouSeq({ authdata }: Packet): bigint {
  return new DataView(authdata.buffer, authdata.byteOffset).getBigUint64(ID_NONCE_BYTES)
}

/** The largest message that fits beside a handshake with this record of ours. */
export function handshakeRoom(record: Uint8Array | undefined): number {
  return MAX_PACKET_BYTES - AUTHDATA_AT - handshakeAuthdataBytes(record?.length ?? 0) - TAG_BYTES
}

/**
 * New keys, and the handshake packet that brings them to the peer.
 *
 * @param options.record our record, unless the peer has it
 * @returns undefined if the peer's public key is no point of the curve
 */
export function makeHandshake(
  { crypto, randomness, own, localId }: Context,
  options: {
    readonly nodeId: Uint8Array
    readonly publicKey: Uint8Array
    readonly challenge: Packet
    readonly record: Uint8Array | undefined
    readonly plaintext: Uint8Array
  },
): { readonly packet: Uint8Array; readonly keys: SessionKeys } | undefined {
  const { nodeId, publicKey, challenge, record, plaintext } = options
  const ephemeral = newPrivateKey(randomness, crypto)
  const ephemeralKey = crypto.publicKey(ephemeral)
  const secret = crypto.sharedPoint(publicKey, ephemeral)
  if (secret === undefined) return undefined
  const { initiatorKey, recipientKey } = deriveKeys(secret, localId, nodeId, challenge.head, crypto)
  const keys = new SessionKeys({ writeKey: initiatorKey, readKey: recipientKey, isConfirmed: false })
  const signature = own.signDigest(idDigest(challenge.head, ephemeralKey, nodeId, crypto))
  const authdataBytes = handshakeAuthdataBytes(record?.length ?? 0)
  const headBytes = AUTHDATA_AT + authdataBytes
  const packet = new Uint8Array(headBytes + plaintext.length + TAG_BYTES)
  const nonce = nonceOf(keys.nextCounter(), randomness.bytes(RANDOM_NONCE_BYTES))
  writeHeader(packet, randomness.bytes(MASKING_IV_BYTES), FLAG_HANDSHAKE, nonce, authdataBytes)
  writeHandshakeAuthdata(packet, AUTHDATA_AT, { sourceId: localId, signature, ephemeralKey, record })
  const associatedData = packet.subarray(0, headBytes)
  const [sealed] = crypto.seal([{ key: keys.writeKey, nonce, associatedData, data: plaintext }])
  packet.set(sealed!, headBytes)
  maskPacket(packet, headBytes, nodeId, crypto)
  return { packet, keys }
}
