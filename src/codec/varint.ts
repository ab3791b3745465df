import { ok, type Result, refused, SpimplError } from '../errors.ts'

/** The maximum length of a varint in bytes: 32 bits, 7 in each byte. */
export const MAX_VARINT_BYTES = 5

const MAX_UINT32 = 0xffff_ffff

/**
 * Unsigned LEB128 of a uint32, the length prefix of content over uTP (portal-wire-protocol.md, "Content Streaming").
 */
export function encodeVarint(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > MAX_UINT32) {
    throw new SpimplError('VARINT_INVALID', `expected an integer of 0 to ${MAX_UINT32}, got ${value}`)
  }
  const out = new Uint8Array(varintLength(value))
  let rest = value
  for (let at = 0; at < out.length; at++) {
    out[at] = at === out.length - 1 ? rest : (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  return out
}

/** The length of what `encodeVarint` returns: 1 to 5 bytes. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return value < 0x1000_0000 ? 4 : 5
}

/** Decodes a varint at an offset. Strict: at most 32 bits, and no longer than its value needs. */
export function decodeVarint(
  bytes: Uint8Array,
  at = 0,
): Result<{ readonly value: number; readonly next: number }, 'VARINT_INVALID'> {
  let value = 0
  for (let index = 0; index < MAX_VARINT_BYTES; index++) {
    const byte = bytes[at + index]
    if (byte === undefined) return refused('VARINT_INVALID', 'the bytes end within the varint')
    // A product, because a shift by 28 would lose the bits above the 32nd and become negative.
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte >= 0x80) continue
    if (byte === 0 && index > 0) return refused('VARINT_INVALID', 'the varint is longer than its value needs')
    if (value > MAX_UINT32) return refused('VARINT_INVALID', 'the varint is above 32 bits')
    return ok({ value, next: at + index + 1 })
  }
  return refused('VARINT_INVALID', `the varint is longer than ${MAX_VARINT_BYTES} bytes`)
}
