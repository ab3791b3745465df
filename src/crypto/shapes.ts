import { SpimplError } from '../errors.ts'

/** The outer shapes of what goes to the curve: a library that is handed another one throws, and the network must not make it. */

export const isCompressedPoint = (bytes: Uint8Array): boolean =>
  bytes.length === 33 && (bytes[0] === 0x02 || bytes[0] === 0x03)

export const isSignature = (bytes: Uint8Array): boolean => bytes.length === 64

export const isDigest = (bytes: Uint8Array): boolean => bytes.length === 32

/**
 * The one input of the curve that is never the network's. `inRange` is the library's own comparison with the order of the curve.
 * @throws SpimplError `KEY_INVALID`
 */
export function checkPrivateKey(privateKey: Uint8Array, inRange: (privateKey: Uint8Array) => boolean): void {
  if (privateKey.length !== 32) {
    throw new SpimplError('KEY_INVALID', `expected a private key of 32 bytes, got ${privateKey.length}`)
  }
  if (!inRange(privateKey)) {
    throw new SpimplError('KEY_INVALID', 'expected a private key between 1 and the order of secp256k1')
  }
}
