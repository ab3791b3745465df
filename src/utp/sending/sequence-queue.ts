import { invariant } from 'spimpl-runtime/core'

/**
 * Sequence numbers in the order of an event, each with the moment of that event. The owner keeps the ring as large as
 * the window, so that it never overflows.
 *
 *        head            tail
 *         v               v
 *     [ ][ 7 ][ 9 ][ 8 ][ ][ ]      head and tail only grow; slot = index & mask
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

  get isEmpty(): boolean {
    return this.#head === this.#tail
  }

  get isFull(): boolean {
    return this.#tail - this.#head > this.#mask
  }

  push(sequence: number, moment: number): void {
    invariant(!this.isFull, 'a queue of sequence numbers with a free slot')
    const slot = this.#tail++ & this.#mask
    this.#sequences[slot] = sequence
    this.#moments[slot] = moment
  }

  firstSequence(): number {
    return this.#sequences[this.#head & this.#mask] as number
  }

  firstMoment(): number {
    return this.#moments[this.#head & this.#mask] as number
  }

  shift(): void {
    invariant(!this.isEmpty, 'a queue of sequence numbers with an entry')
    this.#head++
  }

  clear(): void {
    this.#head = this.#tail
  }

  /** Keeps the entries for which `isKept` returns true, in their order. */
  retain(isKept: (sequence: number, moment: number) => boolean): void {
    let kept = this.#head
    for (let index = this.#head; index < this.#tail; index++) {
      const sequence = this.#sequences[index & this.#mask] as number
      const moment = this.#moments[index & this.#mask] as number
      if (!isKept(sequence, moment)) continue
      this.#sequences[kept & this.#mask] = sequence
      this.#moments[kept & this.#mask] = moment
      kept++
    }
    this.#tail = kept
  }

  /** Doubles the ring. */
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
