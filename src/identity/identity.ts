import type { Cryptography } from '../crypto/cryptography.ts'
import type { Result } from '../errors.ts'

/**
 * Identity schemes (EIP-778): how a record is signed, verified and mapped to a node id. The network uses `v4`. To use
 * another one, pass it to `PublishableRecord`, and to decoders in a map of schemes.
 */

/** The identity behind a record. */
export interface Identity {
  /** In the encoding of the scheme; 33 bytes (compressed) for v4. */
  readonly publicKey: Uint8Array
  /** The address in the DHT, 32 bytes. */
  readonly nodeId: Uint8Array
}

/** The parts of a record that a scheme verifies. All bytes are views. */
export interface RecordClaim {
  readonly signature: Uint8Array
  /** The RLP list [seq, k, v, ...] that the signature covers. */
  readonly content: Uint8Array
  /** The value of a key; undefined if there is none or it is a list. */
  field(key: string): Uint8Array | undefined
}

/** How records of one scheme name, sign and prove their node (EIP-778, the key `id`). */
export interface IdentityScheme {
  /** The value of the key `id`, in ASCII. */
  readonly name: string
  /** The maximum length of a signature in bytes, so that a record's size is known before it is signed. */
  readonly signatureBytes: number
  /** The entries that a record of this key must have besides `id`. Throws KEY_INVALID. */
  entries(privateKey: Uint8Array, crypto: Cryptography): Readonly<Record<string, Uint8Array>>
  sign(content: Uint8Array, privateKey: Uint8Array, crypto: Cryptography): Uint8Array
  /** The identity that a record claims; never throws. */
  identify(claim: RecordClaim, crypto: Cryptography): Result<Identity, 'ENR_FIELD_INVALID'>
  /** Whether this identity made the signature; never throws. */
  verify(claim: RecordClaim, identity: Identity, crypto: Cryptography): boolean
}

/** Schemes by name. */
export type IdentitySchemes = ReadonlyMap<string, IdentityScheme>
