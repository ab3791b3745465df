import type { RecoverableSignature } from './cryptography.ts'

/**
 * The curve, by itself: what `nodeCryptography` needs from a secp256k1 library. Keys have 33 bytes (compressed), private keys and
 * digests 32, signatures 64 (r and s). Nothing throws on what came from the network; a bad private key is a bug or a user's
 * error, and throws KEY_INVALID.
 */
export interface Secp256k1 {
  /** The library, for `spimpl` to print. */
  readonly name: 'libsecp256k1' | 'noble'
  publicKey(privateKey: Uint8Array): Uint8Array
  uncompress(publicKey: Uint8Array): Uint8Array | undefined
  sign(digest: Uint8Array, privateKey: Uint8Array): RecoverableSignature
  verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  recover(signature: Uint8Array, recovery: number, digest: Uint8Array): Uint8Array | undefined
  sharedPoint(publicKey: Uint8Array, privateKey: Uint8Array): Uint8Array | undefined
}
