import { ok, type Result, refused } from '../errors.ts'

const DIGITS = /^0x[0-9a-fA-F]*$/

/** Lower-case hex with the prefix 0x; `0x` for no bytes. */
export function toHex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/**
 * Decodes hex strictly: the prefix 0x is required, and the number of digits is even.
 *
 * @example
 * unwrap(fromHex('0x0aff')) // Uint8Array [10, 255]
 */
export function fromHex(text: string): Result<Uint8Array, 'HEX_INVALID'> {
  if (!DIGITS.test(text)) return refused('HEX_INVALID', `expected hex digits after 0x, got ${excerpt(text)}`)
  if (text.length % 2 !== 0) {
    return refused('HEX_INVALID', `expected an even number of hex digits, got ${text.length - 2}`)
  }
  // Not from Buffer's shared pool, because the caller may transfer these bytes to another thread.
  const buffer = Buffer.allocUnsafeSlow(text.length / 2 - 1)
  buffer.write(text.slice(2), 'hex')
  return ok(new Uint8Array(buffer.buffer))
}

const EXCERPT_CHARACTERS = 20

function excerpt(text: string): string {
  return JSON.stringify(text.length > EXCERPT_CHARACTERS ? `${text.slice(0, EXCERPT_CHARACTERS)}...` : text)
}
