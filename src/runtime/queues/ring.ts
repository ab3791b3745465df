/**
 * A first-in-first-out queue in one circular array whose length is a power of two: an item allocates nothing, and no
 * item moves when another leaves. It doubles when it is full; a caller that bounds it checks `size` before it pushes.
 *
 *     index    0   1   2   3   4   5   6   7
 *     slots  | d | e |   |   |   | a | b | c |
 *                      ^           ^
 *                      push        head: shift      size 5
 */
export class Ring<T> {
  private slots: (T | undefined)[]
  private head = 0
  size = 0

  constructor(initialSlots = 8) {
    this.slots = new Array<T | undefined>(initialSlots).fill(undefined)
  }

  push(item: T): void {
    if (this.size === this.slots.length) this.grow()
    this.slots[(this.head + this.size) & (this.slots.length - 1)] = item
    this.size++
  }

  /** Adds an item in front of all others. */
  unshift(item: T): void {
    if (this.size === this.slots.length) this.grow()
    this.head = (this.head - 1) & (this.slots.length - 1)
    this.slots[this.head] = item
    this.size++
  }

  /** Takes the oldest item; `undefined` if there is none. */
  shift(): T | undefined {
    if (this.size === 0) return undefined
    const at = this.head
    const item = this.slots[at]
    this.slots[at] = undefined
    this.head = (at + 1) & (this.slots.length - 1)
    this.size--
    return item
  }

  /** The item `index` places behind the oldest, which stays. */
  at(index: number): T | undefined {
    return index < this.size ? this.slots[(this.head + index) & (this.slots.length - 1)] : undefined
  }

  /** Takes the item at `index`; the items before it move up by one and keep their order. Costs O(index). */
  removeAt(index: number): T | undefined {
    if (index >= this.size) return undefined
    const mask = this.slots.length - 1
    const taken = this.slots[(this.head + index) & mask]
    for (let at = index; at > 0; at--) {
      this.slots[(this.head + at) & mask] = this.slots[(this.head + at - 1) & mask]
    }
    this.slots[this.head] = undefined
    this.head = (this.head + 1) & mask
    this.size--
    return taken
  }

  clear(): void {
    this.slots.fill(undefined)
    this.head = 0
    this.size = 0
  }

  private grow(): void {
    const { slots, head, size } = this
    const larger = new Array<T | undefined>(slots.length * 2).fill(undefined)
    for (let at = 0; at < size; at++) larger[at] = slots[(head + at) & (slots.length - 1)]
    this.slots = larger
    this.head = 0
  }
}
