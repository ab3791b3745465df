import fc from 'fast-check'
import { concatBytes } from '../../../src/codec/bytes.ts'

/** A copy with one byte replaced. */
export function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = byte
  return copy
}

/** The first and last 12 positions, which hold the headers and the end, and `count` spread evenly over the rest. */
export function samplePositions(length: number, count: number): number[] {
  const positions = new Set<number>()
  for (let at = 0; at < 12; at++) positions.add(at).add(length - 1 - at)
  for (let step = 1; step <= count; step++) positions.add(Math.floor((length * step) / (count + 1)))
  return [...positions].filter(at => at >= 0 && at < length)
}

/** One way to damage content that no bit flip is: each gives other bytes than it took. */
export const damages: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc
  .record({
    kind: fc.constantFrom('insert', 'delete', 'repeat', 'truncate', 'append'),
    at: fc.nat(),
    byte: fc.nat(255),
  })
  .map(({ kind, at, byte }) => bytes => {
    const position = at % bytes.length
    const [before, after] = [bytes.subarray(0, position), bytes.subarray(position)]
    switch (kind) {
      case 'insert':
        return concatBytes(before, Uint8Array.of(byte), after)
      case 'delete':
        return concatBytes(before, after.subarray(1))
      case 'repeat':
        return concatBytes(before, after.subarray(0, 32), after)
      case 'truncate':
        return before
      default:
        return concatBytes(bytes, Uint8Array.of(byte))
    }
  })

/** The same buffer, with one bit after the other flipped; the bit is flipped back before the next. */
export function* everyBitFlip(bytes: Uint8Array): Generator<Uint8Array> {
  const copy = bytes.slice()
  for (let at = 0; at < copy.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      copy[at]! ^= 1 << bit
      yield copy
      copy[at]! ^= 1 << bit
    }
  }
}
