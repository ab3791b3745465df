/** Something that waits for a moment. The heap keeps both fields; -1 says that it waits for nothing. */
export interface Timed {
  dueAt: number
  heapIndex: number
}

/**
 * What is due next, among many that wait: a binary heap whose items know their place, so that what is settled early leaves at
 * once. To add and to remove cost O(log n), to look O(1).
 */
export class DeadlineHeap<Item extends Timed> {
  readonly #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  /** The next moment at which something is due; Infinity for none. */
  next(): number {
    return this.#items[0]?.dueAt ?? Number.POSITIVE_INFINITY
  }

  /** Lets an item wait until `dueAt`; one that waits already is moved. */
  set(item: Item, dueAt: number): void {
    item.dueAt = dueAt
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.length
      this.#items.push(item)
    }
    this.#sift(item)
  }

  remove(item: Item): void {
    const at = item.heapIndex
    if (at < 0) return
    item.heapIndex = -1
    const last = this.#items.pop()!
    if (last === item) return
    this.#items[at] = last
    last.heapIndex = at
    this.#sift(last)
  }

  /** Takes out the next item that is due, if one is. */
  takeDue(now: number): Item | undefined {
    const first = this.#items[0]
    if (first === undefined || first.dueAt > now) return undefined
    this.remove(first)
    return first
  }

  #sift(item: Item): void {
    const items = this.#items
    let at = item.heapIndex
    while (at > 0) {
      const above = (at - 1) >> 1
      if (items[above]!.dueAt <= item.dueAt) break
      this.#place(items[above]!, at)
      at = above
    }
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      if (below + 1 < items.length && items[below + 1]!.dueAt < items[below]!.dueAt) below++
      if (items[below]!.dueAt >= item.dueAt) break
      this.#place(items[below]!, at)
      at = below
    }
    this.#place(item, at)
  }

  #place(item: Item, at: number): void {
    this.#items[at] = item
    item.heapIndex = at
  }
}
