import type { Randomness } from 'spimpl-runtime'

/** Bytes of a node id or content id. */
const ID_BYTES = 32
/** The log distance of two ids that differ in the first bit. */
export const MAX_DISTANCE = 8 * ID_BYTES

/**
 * Log2 of the XOR distance, rounded up: 0 for equal ids, 256 for ids that differ in the first bit (discv5-theory.md,
 * "Nodes, Records and Distances"). Both ids have 32 bytes.
 */
export function logDistance(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < ID_BYTES; at++) {
    const difference = a[at]! ^ b[at]!
    if (difference !== 0) return (ID_BYTES - at) * 8 - (Math.clz32(difference) - 24)
  }
  return 0
}

/** The XOR distance: 32 bytes, big-endian, in a fresh buffer. `compareBytes` orders distances. */
export function xorDistance(a: Uint8Array, b: Uint8Array): Uint8Array {
  const distance = new Uint8Array(ID_BYTES)
  for (let at = 0; at < ID_BYTES; at++) distance[at] = a[at]! ^ b[at]!
  return distance
}

/** Negative if `a` is closer to the target than `b`, positive if `b` is closer, 0 for equal ids. Allocates nothing. */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < ID_BYTES; at++) {
    // Equal bytes have equal distances, so the first byte in which the ids differ decides.
    if (a[at] !== b[at]) return (a[at]! ^ target[at]!) - (b[at]! ^ target[at]!)
  }
  return 0
}

/** A random id whose log distance to `id` is exactly `distance` (0 to 256): the target of a bucket refresh. */
export function randomIdAtDistance(id: Uint8Array, distance: number, randomness: Randomness): Uint8Array {
  if (!Number.isInteger(distance) || distance < 0 || distance > ID_BYTES * 8) {
    throw new RangeError(`expected a log distance of 0 to 256, got ${distance}`)
  }
  const out = id.slice()
  if (distance === 0) return out
  const at = ID_BYTES - Math.ceil(distance / 8)
  const bit = 1 << ((distance - 1) % 8)
  const random = randomness.bytes(ID_BYTES - at)
  // Above `bit` the ids agree, in `bit` they differ, and the bits below are random.
  out[at] = (id[at]! & ~(2 * bit - 1)) | (~id[at]! & bit) | (random[0]! & (bit - 1))
  out.set(random.subarray(1), at + 1)
  return out
}
