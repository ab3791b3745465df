/**
 * Sequence numbers in the order in which something happened to them, each with its moment: a ring that its owner keeps as large as the
 * window, so that it never runs over.
 */
export class SequenceQueue {
  #sequences: Float64Array
  #moments: Float64Array
  #mask: number
  #head = 0
  #tail = 0

  /** @param slots a power of two */
  constructor(slots: number) {
    this.#sequences = new Float64Array(slots)
    this.#moments = new Float64Array(slots)
    this.#mask = slots - 1
  }

  get empty(): boolean {
    return this.#head === this.#tail
  }

  get full(): boolean {
    return this.#tail - this.#head > this.#mask
  }

  push(sequence: number, moment: number): void {
    const at = this.#tail++ & this.#mask
    this.#sequences[at] = sequence
    this.#moments[at] = moment
  }

  firstSequence(): number {
    return this.#sequences[this.#head & this.#mask] as number
  }

  firstMoment(): number {
    return this.#moments[this.#head & this.#mask] as number
  }

  shift(): void {
    this.#head++
  }

  clear(): void {
    this.#head = this.#tail
  }

  /** Keeps those entries of which `wanted` is true. */
  tidy(wanted: (sequence: number, moment: number) => boolean): void {
    let kept = this.#head
    for (let index = this.#head; index < this.#tail; index++) {
      const sequence = this.#sequences[index & this.#mask] as number
      const moment = this.#moments[index & this.#mask] as number
      if (!wanted(sequence, moment)) continue
      this.#sequences[kept & this.#mask] = sequence
      this.#moments[kept & this.#mask] = moment
      kept++
    }
    this.#tail = kept
  }

  /** Makes room for twice as many. */
  grow(): void {
    const mask = 2 * this.#mask + 1
    const sequences = new Float64Array(mask + 1)
    const moments = new Float64Array(mask + 1)
    for (let index = this.#head; index < this.#tail; index++) {
      sequences[index & mask] = this.#sequences[index & this.#mask] as number
      moments[index & mask] = this.#moments[index & this.#mask] as number
    }
    this.#sequences = sequences
    this.#moments = moments
    this.#mask = mask
  }
}
