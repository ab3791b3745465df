import type { Cryptography } from '../crypto/cryptography.ts'
import type { Result } from '../errors.ts'

/**
 * Identity schemes (EIP-778): how a record is signed, checked and tied to an address in the DHT. `v4` is the one that the network
 * speaks; a user registers another by handing decoders and `PublishableRecord` a map that has it too.
 */

/** Who a record speaks for. */
export interface Identity {
  /** As the scheme writes it; 33 bytes (compressed) for v4. */
  readonly publicKey: Uint8Array
  /** The address in the DHT, 32 bytes. */
  readonly nodeId: Uint8Array
}

/** What a scheme sees of a record that claims to be signed with it. All bytes are views. */
export interface RecordClaim {
  readonly signature: Uint8Array
  /** The RLP list [seq, k, v, ...] that the signature is made over. */
  readonly content: Uint8Array
  /** The value of a key, where it is a string and not a list. */
  field(key: string): Uint8Array | undefined
}

/** How records of one scheme name, sign and prove their node (EIP-778, the key `id`). */
export interface IdentityScheme {
  /** What the key `id` says, in ASCII. */
  readonly name: string
  /** The most bytes that a signature of the scheme takes, so that a record's size is known before it is signed. */
  readonly signatureBytes: number
  /** The entries that a record of this key must have, besides `id`. Throws KEY_INVALID. */
  entries(privateKey: Uint8Array, crypto: Cryptography): Readonly<Record<string, Uint8Array>>
  sign(content: Uint8Array, privateKey: Uint8Array, crypto: Cryptography): Uint8Array
  /** Whom the record claims to speak for; never throws. */
  identify(claim: RecordClaim, crypto: Cryptography): Result<Identity, 'ENR_FIELD_INVALID'>
  /** Whether that identity made the signature; never throws. */
  verify(claim: RecordClaim, identity: Identity, crypto: Cryptography): boolean
}

/** Schemes by name. */
export type IdentitySchemes = ReadonlyMap<string, IdentityScheme>
