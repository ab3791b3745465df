import { SpimplError } from '../errors.ts'

/** The radius of a node that wants all content: 2^256 - 1. */
export const MAX_RADIUS = (1n << 256n) - 1n

/**
 * How a store chooses the radius that it announces.
 *
 * `auto` starts at the maximum; when the store is full, the radius shrinks to the furthest item kept. `max` and `fixed`
 * announce what the user chose, whatever the store holds; a full store still evicts its furthest items. Items outside a
 * smaller radius stay until their room is needed: no option deletes content.
 */
export type RadiusSetting =
  | { readonly type: 'auto' }
  | { readonly type: 'max' }
  | { readonly type: 'fixed'; readonly radius: bigint }

/**
 * The metric of the Portal network: xor of two ids of 32 bytes.
 *
 * @throws SpimplError `USAGE` for other lengths, because the order of all stored keys depends on it
 */
export function distanceBetween(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length !== 32 || b.length !== 32) {
    throw new SpimplError('USAGE', `expected two ids of 32 bytes, got ${a.length} and ${b.length}`)
  }
  const out = new Uint8Array(32)
  for (let at = 0; at < 32; at++) out[at] = a[at]! ^ b[at]!
  return out
}

/** A distance as a number: 32 bytes, big-endian. */
export function toBigInt(distance: Uint8Array): bigint {
  const view = new DataView(distance.buffer, distance.byteOffset, distance.byteLength)
  return (
    (view.getBigUint64(0) << 192n) |
    (view.getBigUint64(8) << 128n) |
    (view.getBigUint64(16) << 64n) |
    view.getBigUint64(24)
  )
}
