import { fromHex, toHex } from '../codec/hex.ts'
import type { Cryptography } from '../crypto/cryptography.ts'
import { SpimplError } from '../errors.ts'

/** Bytes of an account's address. */
export const ADDRESS_BYTES = 20

/** The address of a public key (x and y, 64 bytes): the last 20 bytes of its keccak-256 (yellow paper, appendix F). */
export function addressOfPoint(point: Uint8Array, crypto: Cryptography): Uint8Array {
  return crypto.keccak256(point).slice(12)
}

/** The address of a compressed public key (33 bytes). Throws KEY_INVALID if the key is no point of the curve. */
export function addressOfPublicKey(publicKey: Uint8Array, crypto: Cryptography): Uint8Array {
  const point = crypto.uncompress(publicKey)
  if (point === undefined) throw new SpimplError('KEY_INVALID', 'expected a public key on secp256k1')
  return addressOfPoint(point, crypto)
}

/**
 * The text of an address with the checksum of EIP-55, which is the case of its letters.
 *
 * @example
 * formatChecksumAddress(unwrap(fromHex('0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed')), crypto)
 * // '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
 */
export function formatChecksumAddress(address: Uint8Array, crypto: Cryptography): string {
  if (address.length !== ADDRESS_BYTES) {
    throw new SpimplError('ADDRESS_INVALID', `expected an address of ${ADDRESS_BYTES} bytes, got ${address.length}`)
  }
  const digits = toHex(address).slice(2)
  const hash = crypto.keccak256(Buffer.from(digits, 'ascii'))
  let text = '0x'
  for (let at = 0; at < digits.length; at++) {
    const nibble = at % 2 === 0 ? hash[at >> 1]! >> 4 : hash[at >> 1]! & 0x0f
    text += nibble >= 8 ? digits[at]!.toUpperCase() : digits[at]!
  }
  return text
}

/**
 * Parses an address from user input. If its letters have both cases, they must match the checksum of EIP-55; letters of
 * one case carry no checksum.
 *
 * @throws SpimplError `ADDRESS_INVALID`, whose message contains the text
 */
export function parseAccountAddress(text: string, crypto: Cryptography): Uint8Array {
  const bytes = fromHex(text)
  if (!bytes.ok || bytes.value.length !== ADDRESS_BYTES) {
    throw new SpimplError('ADDRESS_INVALID', `expected 0x and 40 hex digits, got ${JSON.stringify(text.slice(0, 60))}`)
  }
  const digits = text.slice(2)
  if (digits !== digits.toLowerCase() && digits !== digits.toUpperCase()) {
    const expected = formatChecksumAddress(bytes.value, crypto)
    if (text !== expected) {
      throw new SpimplError('ADDRESS_INVALID', `expected the checksum of ${expected}, got ${text}`)
    }
  }
  return bytes.value
}
