/** Counts for each peer or subnet. A key whose count is 0 takes no room. */
export class Tally {
  readonly #counts = new Map<string, number>()

  /** How many `key` has. */
  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  /** @param by how many more; negative for fewer */
  add(key: string, by: number): void {
    const count = this.of(key) + by
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }

  /** Keys with a count above 0. */
  get size(): number {
    return this.#counts.size
  }
}
