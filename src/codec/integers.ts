import { SpimplError } from '../errors.ts'

/**
 * An unsigned integer in the form of RLP: big-endian without leading zeros, no bytes for zero. A number must be a safe
 * integer; a bigint may have any size.
 */
export function uintBytes(value: number | bigint): Uint8Array {
  if (typeof value === 'bigint') return bigUintBytes(value)
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new SpimplError('RLP_INVALID', `expected a safe integer of 0 or more, got ${value}`)
  }
  let length = 0
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) length++
  const out = new Uint8Array(length)
  let rest = value
  for (let at = length - 1; at >= 0; at--) {
    out[at] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return out
}

function bigUintBytes(value: bigint): Uint8Array {
  if (value < 0n) throw new SpimplError('RLP_INVALID', `expected an integer of 0 or more, got ${value}`)
  if (value === 0n) return new Uint8Array(0)
  const digits = value.toString(16)
  const buffer = Buffer.allocUnsafeSlow(Math.ceil(digits.length / 2))
  buffer.write(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  return new Uint8Array(buffer.buffer)
}

/** The big-endian integer of the 6 bytes at `at`: exact as a number, and cheaper as a map key than a string. */
export function readUint48(bytes: Uint8Array, at: number): number {
  const upper = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
  const lower = (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!
  return upper * 0x1_00_00_00 + lower
}
