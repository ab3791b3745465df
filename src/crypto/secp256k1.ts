import type { RecoverableSignature } from './cryptography.ts'

/**
 * The functions that `nodeCryptography` needs of a secp256k1 library. Public keys have 33 bytes (compressed), private
 * keys and digests 32, signatures 64 (r and s). None of them throws on input from the network. An invalid private key
 * is a defect or an error of the user, and throws KEY_INVALID.
 */
export interface Secp256k1 {
  /** The name of the library, which `spimpl` prints. */
  readonly name: 'libsecp256k1' | 'noble'
  publicKey(privateKey: Uint8Array): Uint8Array
  uncompress(publicKey: Uint8Array): Uint8Array | undefined
  sign(digest: Uint8Array, privateKey: Uint8Array): RecoverableSignature
  verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  recover(signature: Uint8Array, recovery: number, digest: Uint8Array): Uint8Array | undefined
  sharedPoint(publicKey: Uint8Array, privateKey: Uint8Array): Uint8Array | undefined
}
