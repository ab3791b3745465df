import { invariant } from 'spimpl-runtime/core'

const RADIUS_BYTES = 32

/** 2^256 - 1: a node that wants everything. */
export const MAX_RADIUS = (1n << 256n) - 1n

/** The 32 bytes of a radius, big-endian as ids are. A number outside of 256 bits is clamped. */
export function radiusBytes(radius: bigint): Uint8Array {
  const bytes = new Uint8Array(RADIUS_BYTES)
  let rest = radius > MAX_RADIUS ? MAX_RADIUS : radius < 0n ? 0n : radius
  for (let at = RADIUS_BYTES - 1; rest > 0n; at--) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

/**
 * `distance(node, content) <= radius` of history-network.md, byte by byte, because gossip evaluates it for every node
 * of the table.
 *
 * @param radius 32 bytes, big-endian
 */
export function covers(radius: Uint8Array, nodeId: Uint8Array, contentId: Uint8Array): boolean {
  for (let at = 0; at < RADIUS_BYTES; at++) {
    const distance = nodeId[at]! ^ contentId[at]!
    if (distance !== radius[at]!) return distance < radius[at]!
  }
  return true
}

/** The number that `radiusBytes` encoded. */
export function radiusOf(bytes: Uint8Array): bigint {
  let radius = 0n
  for (const byte of bytes) radius = (radius << 8n) | BigInt(byte)
  return radius
}

/** Our own radius. */
export class OwnRadius {
  #value = 0n
  #bytes: Uint8Array = new Uint8Array(RADIUS_BYTES)

  constructor(radius: bigint) {
    this.change(radius)
  }

  get value(): bigint {
    return this.#value
  }

  change(radius: bigint): void {
    invariant(radius >= 0n && radius <= MAX_RADIUS, 'a radius from 0 to 2^256 - 1')
    this.#value = radius
    this.#bytes = radiusBytes(radius)
  }

  /** Whether the content lies within the radius of the node with this id. */
  covers(nodeId: Uint8Array, contentId: Uint8Array): boolean {
    return covers(this.#bytes, nodeId, contentId)
  }
}
