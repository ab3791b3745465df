/** A bounded table by block number that evicts the least recently used entry. */
export class RecentHeaders<Kept> {
  readonly #capacity: number
  /** In the order of use, the least recently used first. */
  readonly #kept = new Map<bigint, Kept>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#kept.size
  }

  /** Looks without counting as a use. */
  get(number: bigint): Kept | undefined {
    return this.#kept.get(number)
  }

  /**
   * A use: the header is the most recently used one now. Above the capacity, the least recently used one is evicted.
   */
  keep(number: bigint, kept: Kept): void {
    this.#kept.delete(number)
    this.#kept.set(number, kept)
    if (this.#kept.size <= this.#capacity) return
    const oldest = this.#kept.keys().next()
    if (!oldest.done) this.#kept.delete(oldest.value)
  }

  clear(): void {
    this.#kept.clear()
  }
}
