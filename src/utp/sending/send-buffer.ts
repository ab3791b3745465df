const EMPTY = new Uint8Array(0)
/** Below this many consumed chunks the list is not compacted. */
const COMPACT_FROM = 64

/**
 * Written bytes that were not sent yet: references to the writer's buffers, cut into segments without a copy. Only a
 * segment that spans two writes is copied.
 *
 *     chunks   [ read ][ re|unsent ][ unsent ]
 *                head ^    ^ headAt
 */
export class SendBuffer {
  #bytes = 0
  #chunk: Uint8Array = EMPTY
  #at = 0
  #chunks: Uint8Array[] = []
  #head = 0
  #headAt = 0

  /** Bytes that no segment has taken yet. */
  get bytes(): number {
    return this.#bytes
  }

  /** The segment that `cut` made starts in `chunk` at `at`. */
  get chunk(): Uint8Array {
    return this.#chunk
  }

  get at(): number {
    return this.#at
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
  }

  /** Cuts `length` bytes (at most `bytes`) off the front. */
  cut(length: number): void {
    const chunk = this.#chunks[this.#head] as Uint8Array
    if (chunk.length - this.#headAt >= length) {
      this.#chunk = chunk
      this.#at = this.#headAt
      this.#advance(length)
    } else {
      this.#chunk = this.#merge(length)
      this.#at = 0
    }
    this.#bytes -= length
  }

  clear(): void {
    this.#chunks = []
    this.#head = 0
    this.#headAt = 0
    this.#bytes = 0
    this.#chunk = EMPTY
  }

  #merge(length: number): Uint8Array {
    const merged = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      const from = this.#chunks[this.#head] as Uint8Array
      const taken = Math.min(length - filled, from.length - this.#headAt)
      merged.set(from.subarray(this.#headAt, this.#headAt + taken), filled)
      filled += taken
      this.#advance(taken)
    }
    return merged
  }

  #advance(length: number): void {
    this.#headAt += length
    if (this.#headAt < (this.#chunks[this.#head] as Uint8Array).length) return
    this.#headAt = 0
    this.#head++
    // Amortised: an entry moves at most once for each time that as many were consumed.
    if (this.#head >= COMPACT_FROM && 2 * this.#head >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head)
      this.#head = 0
    }
  }
}
