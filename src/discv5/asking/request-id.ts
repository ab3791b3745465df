import type { Randomness } from 'spimpl-runtime/core'

/** Bytes of the ids that we choose, of at most 8. An id of 6 bytes is exact as a number. */
export const REQUEST_ID_BYTES = 6

// The first two bits distinguish our kinds of ids. The first byte is never 0, because some clients read ids as integers
// and send them back without their leading zeros.
const KIND_MASK = 0xc0
const AWAITED = 0x40
const ONE_WAY = 0x80

/** A random id for a request that awaits its answer. */
export function awaitedId(randomness: Randomness): Uint8Array {
  return idOf(AWAITED, randomness)
}

/** A random id for a request whose answer nobody awaits. */
export function oneWayId(randomness: Randomness): Uint8Array {
  return idOf(ONE_WAY, randomness)
}

/** Whether a response answers a one-way request of ours. */
export function isOneWayId(id: Uint8Array): boolean {
  return id.length === REQUEST_ID_BYTES && (id[0]! & KIND_MASK) === ONE_WAY
}

function idOf(kind: number, randomness: Randomness): Uint8Array {
  const id = randomness.bytes(REQUEST_ID_BYTES)
  id[0] = (id[0]! & ~KIND_MASK) | kind
  return id
}
