/** A token bucket for each key, such as an address, in a table that forgets the least recently seen key. */
export class RateLimit {
  readonly #perMs: number
  readonly #burst: number
  readonly #capacity: number
  /** Least recently seen first. */
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  /**
   * @param perSecond the long-term rate
   * @param capacity keys that are remembered
   * @param burst how many may pass at once after a pause; by default as many as pass in 2 seconds
   */
  constructor(perSecond: number, capacity: number, burst = 2 * perSecond) {
    this.#perMs = perSecond / 1000
    this.#burst = Math.max(1, burst)
    this.#capacity = capacity
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes a token. @returns false if the rate of the key is exceeded */
  take(key: string, now: number): boolean {
    const known = this.#buckets.get(key)
    const bucket = known ?? { tokens: this.#burst, at: now }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMs)
    bucket.at = now
    if (known !== undefined) this.#buckets.delete(key)
    else if (this.#buckets.size >= this.#capacity) {
      const oldest = this.#buckets.keys().next()
      if (!oldest.done) this.#buckets.delete(oldest.value)
    }
    this.#buckets.set(key, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}
