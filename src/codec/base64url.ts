import { ok, type Result, refused } from '../errors.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const CHARACTERS = /^[A-Za-z0-9_-]*$/

/** Base64 with the URL-safe alphabet (RFC 4648, section 5) and no padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/**
 * Decodes strictly: the URL-safe alphabet only, no padding, and unused bits are zero (RFC 4648, section 3.5), so that a
 * value has one text.
 */
export function fromBase64Url(text: string): Result<Uint8Array, 'BASE64URL_INVALID'> {
  if (!CHARACTERS.test(text)) {
    return refused('BASE64URL_INVALID', 'expected A-Z, a-z, 0-9, - and _ without padding, got another character')
  }
  const rest = text.length % 4
  if (rest === 1) return refused('BASE64URL_INVALID', `expected characters that encode whole bytes, got ${text.length}`)
  if (rest !== 0) {
    const unused = ALPHABET.indexOf(text[text.length - 1]!) & (rest === 2 ? 0x0f : 0x03)
    if (unused !== 0) return refused('BASE64URL_INVALID', 'expected the unused bits of the last character to be zero')
  }
  // Not from Buffer's shared pool, because the caller may transfer these bytes to another thread.
  const buffer = Buffer.allocUnsafeSlow(Math.floor((text.length * 3) / 4))
  buffer.write(text, 'base64url')
  return ok(new Uint8Array(buffer.buffer))
}
