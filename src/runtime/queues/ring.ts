/**
 * A first-in-first-out queue in one circular array whose length is a power of two: no allocation for an item, and nothing
 * moves when one leaves. It grows when full; whoever bounds it looks at `size` before pushing.
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

  /** Puts an item before all others. */
  unshift(item: T): void {
    if (this.size === this.slots.length) this.grow()
    this.head = (this.head - 1) & (this.slots.length - 1)
    this.slots[this.head] = item
    this.size++
  }

  /** Takes the oldest item; `undefined` when there is none. */
  shift(): T | undefined {
    if (this.size === 0) return undefined
    const at = this.head
    const item = this.slots[at]
    this.slots[at] = undefined
    this.head = (at + 1) & (this.slots.length - 1)
    this.size--
    return item
  }

  /** Looks at the item `index` places behind the oldest. */
  at(index: number): T | undefined {
    return index < this.size ? this.slots[(this.head + index) & (this.slots.length - 1)] : undefined
  }

  /** Takes the item at `index`; those before it keep their order and move up by one. Its cost is `index`. */
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
