import { keccak256 } from '../../crypto/keccak.ts'

/** Length of a logs bloom. */
export const BLOOM_BYTES = 256

/** A power of two. Block 15537394 has 10,041 logs, and fewer distinct addresses and topics than this. */
const SLOTS = 16_384
const KEY_WORDS = 8

/**
 * Sets the three bits of an address (20 bytes) or a topic (32 bytes) in a logs bloom (yellow paper, 4.3.1).
 *
 * Few contracts make most logs, so the bits of hashed keys are cached: a table with one place for each slot, in which a
 * newer key replaces an older one. Its size never changes. Forced collisions only cost the hashes that the cache would
 * have saved.
 */
export class BloomHasher {
  readonly #keys = new Int32Array(SLOTS * KEY_WORDS)
  /** The words of the key in a slot; 0 if the slot is empty. An address and a topic are never the same key. */
  readonly #lengths = new Uint8Array(SLOTS)
  readonly #bits = new Uint16Array(SLOTS * 3)

  /** Empties the cache, so that the cost of a block does not depend on the blocks before it. */
  clear(): void {
    this.#lengths.fill(0)
  }

  /**
   * @param view of the buffer that holds the address or topic
   * @param at its offset in `view`
   * @param length 20 or 32
   * @param bloom the buffer whose 256 bytes from `bloomAt` on are the bloom
   */
  add(view: DataView, at: number, length: 20 | 32, bloom: Uint8Array, bloomAt: number): void {
    const words = length >>> 2
    let mixed: number = length
    for (let word = 0; word < words; word++) {
      mixed = Math.imul(mixed ^ view.getInt32(at + 4 * word, true), 0x9e3779b1)
      mixed ^= mixed >>> 15
    }
    const slot = mixed & (SLOTS - 1)
    if (!this.#has(slot, view, at, words)) this.#cache(slot, view, at, words)
    for (let index = slot * 3; index < slot * 3 + 3; index++) {
      const bit = this.#bits[index]!
      const byte = bloomAt + BLOOM_BYTES - 1 - (bit >>> 3)
      bloom[byte] = bloom[byte]! | (1 << (bit & 7))
    }
  }

  #has(slot: number, view: DataView, at: number, words: number): boolean {
    if (this.#lengths[slot] !== words) return false
    const keys = this.#keys
    const base = slot * KEY_WORDS
    for (let word = 0; word < words; word++) {
      if (keys[base + word] !== view.getInt32(at + 4 * word, true)) return false
    }
    return true
  }

  #cache(slot: number, view: DataView, at: number, words: number): void {
    const hash = keccak256(new Uint8Array(view.buffer, view.byteOffset + at, words * 4))
    this.#lengths[slot] = words
    for (let word = 0; word < words; word++) {
      this.#keys[slot * KEY_WORDS + word] = view.getInt32(at + 4 * word, true)
    }
    for (let pair = 0; pair < 3; pair++) {
      this.#bits[slot * 3 + pair] = ((hash[2 * pair]! << 8) | hash[2 * pair + 1]!) & 0x7ff
    }
  }
}
