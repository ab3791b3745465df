/** A copy with one byte replaced. */
export function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = byte
  return copy
}

/** The first and last 12 positions, where headers and the end are, and `count` spread evenly over the rest. */
export function samplePositions(length: number, count: number): number[] {
  const positions = new Set<number>()
  for (let at = 0; at < 12; at++) positions.add(at).add(length - 1 - at)
  for (let step = 1; step <= count; step++) positions.add(Math.floor((length * step) / (count + 1)))
  return [...positions].filter(at => at >= 0 && at < length)
}

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
