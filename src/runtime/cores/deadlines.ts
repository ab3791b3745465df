import { invariant } from './invariant.ts'

/**
 * One named moment for which a core waits: `name` says why, `subject` is the object that waits. It belongs to at most
 * one {@link Deadlines}, which keeps its place.
 *
 * @example
 * class PendingRequest {
 *   readonly timeout = new Deadline('request-timeout', this)
 * }
 */
export class Deadline<Name extends string = string, Subject = unknown> {
  readonly name: Name
  readonly subject: Subject
  /** Milliseconds of the core's clock; Infinity while it is not set. Written by `Deadlines` alone. */
  at = Number.POSITIVE_INFINITY
  /** Its index in the heap, -1 while it is not set. Written by `Deadlines` alone. */
  heapIndex = -1

  constructor(name: Name, subject: Subject) {
    this.name = name
    this.subject = subject
  }

  get isSet(): boolean {
    return this.heapIndex >= 0
  }
}

/**
 * All deadlines of a core: a binary heap whose entries know their index, so that a cancelled one leaves at once. `set`
 * and `clear` cost O(log n), `next` O(1). A core lists its entries as one union, and handles all of them in one `switch
 * (due.name)`.
 *
 *     index   0        1   2        3  4  5  6        entry i waits at least as long as
 *     due     12 ms    15  40       31 16 44 90       its parent (i - 1) >> 1
 */
export class Deadlines<Entry extends Deadline> {
  readonly #heap: Entry[] = []

  /** How many are set. */
  get size(): number {
    return this.#heap.length
  }

  /** The earliest moment; Infinity for none. */
  next(): number {
    const first = this.#heap[0]
    return first === undefined ? Number.POSITIVE_INFINITY : first.at
  }

  /**
   * Lets an entry wait until `at`; one that waits already is moved. Infinity clears it. A moment that is set already
   * costs nothing.
   */
  set(entry: Entry, at: number): void {
    if (at === entry.at) return
    if (at === Number.POSITIVE_INFINITY) {
      this.clear(entry)
      return
    }
    entry.at = at
    if (entry.heapIndex < 0) {
      entry.heapIndex = this.#heap.length
      this.#heap.push(entry)
    }
    this.#sift(entry)
  }

  /** Nothing happens for an entry that is not set. */
  clear(entry: Entry): void {
    const index = entry.heapIndex
    if (index < 0) return
    invariant(this.#heap[index] === entry, 'a deadline at its index of its own heap')
    entry.heapIndex = -1
    entry.at = Number.POSITIVE_INFINITY
    const last = this.#heap.pop()!
    if (last === entry) return
    this.#heap[index] = last
    last.heapIndex = index
    this.#sift(last)
  }

  /** Takes out the earliest entry that is due, if any. Call it until it returns undefined. */
  takeDue(now: number): Entry | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.at > now) return undefined
    this.clear(first)
    return first
  }

  #sift(entry: Entry): void {
    const heap = this.#heap
    let index = entry.heapIndex
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.at <= entry.at) break
      this.#place(heap[parent]!, index)
      index = parent
    }
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
      if (heap[child]!.at >= entry.at) break
      this.#place(heap[child]!, index)
      index = child
    }
    this.#place(entry, index)
  }

  #place(entry: Entry, index: number): void {
    this.#heap[index] = entry
    entry.heapIndex = index
  }
}
