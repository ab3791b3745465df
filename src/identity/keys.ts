import type { Randomness } from 'spimpl-runtime'
import { fromHex } from '../codec/hex.ts'
import type { Cryptography } from '../crypto/cryptography.ts'
import { SpimplError } from '../errors.ts'

/** A new secp256k1 private key (32 bytes). For real keys pass the system's randomness. */
export function newPrivateKey(randomness: Randomness, crypto: Cryptography): Uint8Array {
  for (;;) {
    const key = randomness.bytes(32)
    // One in 2^128 candidates exceeds the order of the curve.
    if (isPrivateKey(key, crypto)) return key
  }
}

/** Whether these bytes are a valid private key. */
export function isPrivateKey(key: Uint8Array, crypto: Cryptography): boolean {
  try {
    crypto.publicKey(key)
    return true
  } catch {
    return false
  }
}

/**
 * Parses a private key from user input: 64 hex digits, with or without 0x.
 *
 * @throws SpimplError `KEY_INVALID`, whose message never contains the key, because messages end up in logs
 */
export function parsePrivateKey(text: string, crypto: Cryptography): Uint8Array {
  const digits = text.trim()
  const bytes = fromHex(digits.startsWith('0x') ? digits : `0x${digits}`)
  if (!bytes.ok || bytes.value.length !== 32) {
    throw new SpimplError('KEY_INVALID', `expected a private key of 64 hex digits, got ${digits.length} characters`)
  }
  crypto.publicKey(bytes.value)
  return bytes.value
}
