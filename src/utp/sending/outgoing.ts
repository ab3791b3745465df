/**
 * What was written and has not been sent yet: references to the writer's buffers, cut into segments without a copy. Only a segment
 * that lies across two writes is copied together.
 */
export class Outgoing {
  /** Not cut off yet. */
  bytes = 0
  /** The segment that `cut` made. */
  chunk: Uint8Array = new Uint8Array(0)
  at = 0
  #chunks: Uint8Array[] = []
  #head = 0
  #headAt = 0

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.bytes += chunk.length
  }

  /** Cuts `length` bytes (at most `bytes`) off the front; they are at `chunk[at]`. */
  cut(length: number): void {
    const chunk = this.#chunks[this.#head] as Uint8Array
    if (chunk.length - this.#headAt >= length) {
      this.chunk = chunk
      this.at = this.#headAt
      this.#advance(length)
    } else {
      const merged = new Uint8Array(length)
      let filled = 0
      while (filled < length) {
        const from = this.#chunks[this.#head] as Uint8Array
        const take = Math.min(length - filled, from.length - this.#headAt)
        merged.set(from.subarray(this.#headAt, this.#headAt + take), filled)
        filled += take
        this.#advance(take)
      }
      this.chunk = merged
      this.at = 0
    }
    this.bytes -= length
  }

  clear(): void {
    this.#chunks = []
    this.#head = 0
    this.#headAt = 0
    this.bytes = 0
    this.chunk = new Uint8Array(0)
  }

  #advance(length: number): void {
    this.#headAt += length
    if (this.#headAt < (this.#chunks[this.#head] as Uint8Array).length) return
    this.#headAt = 0
    this.#head++
    // Amortised: each entry is moved at most once for each time that as many were consumed.
    if (this.#head >= 64 && 2 * this.#head >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head)
      this.#head = 0
    }
  }
}
