import { randomFillSync } from 'node:crypto'

/**
 * The randomness port: every component that needs random bytes is given one, so that a seed replays a whole network.
 */
export interface Randomness {
  /** A fresh buffer of `length` random bytes; the caller owns it. */
  bytes(length: number): Uint8Array
  /** An integer in [0, bound), bound at most 2^32. */
  below(bound: number): number
}

const POOL_BYTES = 4096

/** The system's generator, read in blocks because a call into OpenSSL costs more than the bytes. */
export function systemRandomness(): Randomness {
  const pool = new Uint8Array(POOL_BYTES)
  const view = new DataView(pool.buffer)
  let used = POOL_BYTES
  const take = (length: number): number => {
    if (used + length > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    const at = used
    used += length
    return at
  }
  return {
    bytes(length) {
      if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length))
      const at = take(length)
      const out = pool.slice(at, at + length)
      pool.fill(0, at, at + length)
      return out
    },
    below: bound => Math.floor((view.getUint32(take(4)) / 0x1_0000_0000) * bound),
  }
}

/**
 * A generator that a seed determines: for simulations and tests, never for keys.
 * The state update is xoshiro128** (Blackman and Vigna, 2018), seeded through splitmix32.
 */
export function seededRandomness(seed: number): Randomness {
  let mix = seed >>> 0
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  let a = splitmix()
  let b = splitmix()
  let c = splitmix()
  let d = splitmix()
  const next = (): number => {
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }
  return {
    bytes(length) {
      const out = new Uint8Array(length)
      for (let at = 0; at < length; at += 4) {
        const word = next()
        for (let byte = 0; byte < 4 && at + byte < length; byte++) out[at + byte] = word >>> (8 * byte)
      }
      return out
    },
    below: bound => Math.floor((next() / 0x1_0000_0000) * bound),
  }
}
