import { SpimplError } from '../errors.ts'

/**
 * The sizes and prefixes that a curve library expects. It throws on others, so input from the network is checked first.
 */

export const isCompressedPoint = (bytes: Uint8Array): boolean =>
  bytes.length === 33 && (bytes[0] === 0x02 || bytes[0] === 0x03)

export const isSignature = (bytes: Uint8Array): boolean => bytes.length === 64

export const isDigest = (bytes: Uint8Array): boolean => bytes.length === 32

/**
 * Checks the one input of the curve that never comes from the network.
 *
 * @param inRange the library's comparison with the order of the curve
 * @throws SpimplError `KEY_INVALID`
 */
export function checkPrivateKey(privateKey: Uint8Array, inRange: (privateKey: Uint8Array) => boolean): void {
  if (privateKey.length !== 32) {
    throw new SpimplError('KEY_INVALID', `expected a private key of 32 bytes, got ${privateKey.length}`)
  }
  if (!inRange(privateKey)) {
    throw new SpimplError('KEY_INVALID', 'expected a private key from 1 to below the order of secp256k1')
  }
}
