import { concatBytes } from '../../codec/bytes.ts'
import type { Cryptography } from '../../crypto/cryptography.ts'
import { HANDSHAKE_HEAD_BYTES, NODE_ID_BYTES } from './packet.ts'

/** The cryptography of the handshake with the `v4` identity scheme (discv5-theory.md, Handshake Steps). */

const ID_SIGNATURE_BYTES = 64
const EPHEMERAL_KEY_BYTES = 33

const ID_SIGNATURE_TEXT = new TextEncoder().encode('discovery v5 identity proof')
const KEY_AGREEMENT_TEXT = new TextEncoder().encode('discovery v5 key agreement')

/** Keys of one handshake, 16 bytes each. The initiator is the node that sends the handshake packet. */
export interface HandshakeKeys {
  readonly initiatorKey: Uint8Array
  readonly recipientKey: Uint8Array
}

/** The content of a handshake packet's authdata. All bytes are views. */
export interface HandshakeAuthdata {
  readonly sourceId: Uint8Array
  readonly signature: Uint8Array
  readonly ephemeralKey: Uint8Array
  /** The initiator's encoded record, not verified; undefined if it was left out. */
  readonly record: Uint8Array | undefined
}

/**
 * The digest whose signature proves the identity: of the challenge data, the ephemeral key and the recipient's node id.
 */
export function idDigest(
  challengeData: Uint8Array,
  ephemeralKey: Uint8Array,
  recipientId: Uint8Array,
  crypto: Cryptography,
): Uint8Array {
  return crypto.sha256(concatBytes(ID_SIGNATURE_TEXT, challengeData, ephemeralKey, recipientId))
}

/**
 * The session keys.
 *
 * @param secret the shared point (33 bytes) of the ephemeral key and the recipient's static key
 */
export function deriveKeys(
  secret: Uint8Array,
  initiatorId: Uint8Array,
  recipientId: Uint8Array,
  challengeData: Uint8Array,
  crypto: Cryptography,
): HandshakeKeys {
  const info = concatBytes(KEY_AGREEMENT_TEXT, initiatorId, recipientId)
  const keys = crypto.hkdfSha256(secret, challengeData, info, 32)
  return { initiatorKey: keys.subarray(0, 16), recipientKey: keys.subarray(16, 32) }
}

/** Parses the authdata of a handshake packet; undefined if the sizes are not those of the `v4` scheme. */
export function readHandshakeAuthdata(authdata: Uint8Array): HandshakeAuthdata | undefined {
  const keyAt = HANDSHAKE_HEAD_BYTES + ID_SIGNATURE_BYTES
  const recordAt = keyAt + EPHEMERAL_KEY_BYTES
  if (authdata.length < recordAt) return undefined
  if (authdata[NODE_ID_BYTES] !== ID_SIGNATURE_BYTES) return undefined
  if (authdata[NODE_ID_BYTES + 1] !== EPHEMERAL_KEY_BYTES) return undefined
  return {
    sourceId: authdata.subarray(0, NODE_ID_BYTES),
    signature: authdata.subarray(HANDSHAKE_HEAD_BYTES, keyAt),
    ephemeralKey: authdata.subarray(keyAt, recordAt),
    record: authdata.length > recordAt ? authdata.subarray(recordAt) : undefined,
  }
}

/** The length of the authdata with a record of `recordBytes` (0 for none). */
export function handshakeAuthdataBytes(recordBytes: number): number {
  return HANDSHAKE_HEAD_BYTES + ID_SIGNATURE_BYTES + EPHEMERAL_KEY_BYTES + recordBytes
}

/** Writes authdata into `out` at `at`. */
export function writeHandshakeAuthdata(out: Uint8Array, at: number, authdata: HandshakeAuthdata): void {
  out.set(authdata.sourceId, at)
  out[at + NODE_ID_BYTES] = ID_SIGNATURE_BYTES
  out[at + NODE_ID_BYTES + 1] = EPHEMERAL_KEY_BYTES
  const signatureAt = at + HANDSHAKE_HEAD_BYTES
  out.set(authdata.signature, signatureAt)
  out.set(authdata.ephemeralKey, signatureAt + ID_SIGNATURE_BYTES)
  if (authdata.record !== undefined) out.set(authdata.record, signatureAt + ID_SIGNATURE_BYTES + EPHEMERAL_KEY_BYTES)
}
