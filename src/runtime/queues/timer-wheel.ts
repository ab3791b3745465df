import { invariant } from '../cores/invariant.ts'

const LEVEL_BITS = 6
const SLOTS = 1 << LEVEL_BITS
const LEVELS = 6
/** Ticks of a slot of each level: a table, because `**` with variable operands calls the C library. */
const UNITS = Array.from({ length: LEVELS }, (_, level) => 2 ** (LEVEL_BITS * level))
const SPAN_TICKS = 2 ** (LEVEL_BITS * LEVELS)

/** A timer. `fire` of a subclass must be short: it only enqueues. */
export abstract class Timer {
  /** The moment at which it is due, in milliseconds of the executor's clock. */
  atMs = 0
  /** @internal */
  next: Timer | undefined = undefined
  /** @internal */
  previous: Timer | undefined = undefined
  /** @internal Number of its slot over all levels; -1 while it is not pending. */
  slot = -1

  get pending(): boolean {
    return this.slot >= 0
  }

  abstract fire(nowMs: number): void
}

class TimerList extends Timer {
  constructor() {
    super()
    this.next = this
    this.previous = this
  }

  override fire(): void {}
}

/**
 * A hierarchical timing wheel (Varghese and Lauck, 1987): setting, moving and cancelling a timer costs the same whether
 * ten or ten million are pending. Six levels of 64 slots, one tick a millisecond. The level of a timer is that of the
 * highest bit in which its due tick differs from the current tick, so timers of one tick fire in the order in which
 * they were set.
 *
 *     tick 130 = 2 * 64 + 2      0   1   2   3   4   5         63
 *     level 0, slots of  1 ms  |   |   | ^ |   | T |   | ... |   |   a slot that the tick reaches fires: T at 132 ms
 *     level 1, slots of 64 ms  |   |   | ^ | U |   |   | ... |   |   a slot that begins moves to level 0: U at 192 ms
 *     ...
 *     level 5, slots of 2^30 ms (12 days), 2^36 ms (2 years) in all
 *
 * A slot is a doubly linked list, and one bit of `occupied` says whether it is empty.
 */
export class TimerWheel {
  private tick: number
  private readonly slots: (TimerList | undefined)[] = new Array(SLOTS * LEVELS).fill(undefined)
  /** One bit for each slot that holds timers: two words of 32 bits for each level. */
  private readonly occupied = new Int32Array(LEVELS * 2)
  /** How many timers are pending. */
  size = 0
  /** The tick at which the first occupied slot begins, until that slot is vacated: every drain asks for it. */
  private firstTick = Number.POSITIVE_INFINITY
  private firstKnown = true

  constructor(nowMs: number) {
    this.tick = Math.floor(nowMs)
  }

  /** Sets or moves a timer. It never fires early, and at most one tick late. */
  set(timer: Timer, atMs: number): void {
    if (timer.slot >= 0) this.unlink(timer)
    timer.atMs = atMs
    this.link(timer, this.tick + 1)
    this.size++
  }

  cancel(timer: Timer): boolean {
    if (timer.slot < 0) return false
    this.unlink(timer)
    return true
  }

  /** The moment at which `advance` has work: not later than the earliest timer. `Infinity` for an empty wheel. */
  nextMs(): number {
    if (this.firstKnown) return this.firstTick
    this.firstTick = this.size === 0 ? Number.POSITIVE_INFINITY : this.findFirst()
    this.firstKnown = true
    return this.firstTick
  }

  private findFirst(): number {
    for (let level = 0; level < LEVELS; level++) {
      const unit = UNITS[level]!
      const index = Math.floor(this.tick / unit) % SLOTS
      const slot = this.nextOccupied(level, index)
      if (slot < 0) continue
      const block = Math.floor(this.tick / (unit * SLOTS)) * unit * SLOTS
      return block + slot * unit
    }
    return Number.POSITIVE_INFINITY
  }

  /**
   * Fires due timers. A timer that is set while another fires, for a moment that has passed, fires in the next call.
   * @returns how many fired
   */
  advance(nowMs: number): number {
    const target = Math.floor(nowMs)
    let fired = 0
    while (this.size > 0) {
      const next = this.nextMs()
      if (next > target) break
      this.tick = next
      fired += this.expire(nowMs)
    }
    if (target > this.tick) this.tick = target
    return fired
  }

  /** Every pending timer, in no particular order. */
  *[Symbol.iterator](): IterableIterator<Timer> {
    for (const list of this.slots) {
      if (list === undefined) continue
      for (let at = list.next!; at !== list; at = at.next!) yield at
    }
  }

  /** Empties the slots that begin at the current tick, upper levels first, and fires the timers of level 0. */
  private expire(nowMs: number): number {
    for (let level = LEVELS - 1; level > 0; level--) {
      const unit = UNITS[level]!
      if (this.tick % unit !== 0) continue
      const list = this.takeSlot(level, Math.floor(this.tick / unit) % SLOTS)
      for (let timer = list; timer !== undefined; ) {
        const following: Timer | undefined = timer.next
        timer.next = undefined
        this.link(timer, this.tick)
        timer = following
      }
    }
    const first = this.takeSlot(0, this.tick % SLOTS)
    if (first === undefined) return 0
    if (first.next === undefined) return this.fireOne(first, nowMs)
    // These timers are out of the wheel while they wait for their turn, but an earlier one may cancel or move them.
    const batch: Timer[] = []
    for (let due: Timer | undefined = first; due !== undefined; due = due.next) batch.push(due)
    let fired = 0
    for (const timer of batch) if (timer.slot === FIRING) fired += this.fireOne(timer, nowMs)
    return fired
  }

  private fireOne(timer: Timer, nowMs: number): number {
    timer.slot = -1
    timer.next = undefined
    timer.previous = undefined
    this.size--
    timer.fire(nowMs)
    return 1
  }

  private link(timer: Timer, earliestTick: number): void {
    const due = Math.max(Math.ceil(timer.atMs), earliestTick)
    // A timer beyond the span waits in the last slot, and is placed again when that slot begins.
    const tick = Math.min(due, Math.floor(this.tick / SPAN_TICKS) * SPAN_TICKS + SPAN_TICKS - 1)
    let level = 0
    let unit = SLOTS
    while (level < LEVELS - 1 && Math.floor(tick / unit) !== Math.floor(this.tick / unit)) {
      level++
      unit *= SLOTS
    }
    const ticksInSlot = unit / SLOTS
    const ordinal = Math.floor(tick / ticksInSlot)
    if (ordinal * ticksInSlot < this.firstTick) this.firstTick = ordinal * ticksInSlot
    const index = ordinal % SLOTS
    const slot = level * SLOTS + index
    let list = this.slots[slot]
    if (list === undefined) {
      list = new TimerList()
      this.slots[slot] = list
    }
    const last = list.previous!
    timer.previous = last
    timer.next = list
    last.next = timer
    list.previous = timer
    timer.slot = slot
    this.occupied[level * 2 + (index >> 5)]! |= 1 << (index & 31)
  }

  private unlink(timer: Timer): void {
    invariant(this.size > 0, 'a count above 0 in a wheel from which a timer is taken')
    this.size--
    const slot = timer.slot
    timer.slot = -1
    if (slot === FIRING) return
    timer.previous!.next = timer.next
    timer.next!.previous = timer.previous
    timer.next = undefined
    timer.previous = undefined
    const list = this.slots[slot]!
    if (list.next === list) this.vacate(slot)
  }

  /** Takes the timers out of a slot as a chain that ends in `undefined`, marked as about to fire. */
  private takeSlot(level: number, index: number): Timer | undefined {
    const slot = level * SLOTS + index
    const list = this.slots[slot]
    if (list === undefined || list.next === list) return undefined
    const first = list.next!
    list.previous!.next = undefined
    list.next = list
    list.previous = list
    this.vacate(slot)
    for (let timer: Timer | undefined = first; timer !== undefined; timer = timer.next) timer.slot = FIRING
    return first
  }

  private vacate(slot: number): void {
    this.firstKnown = false
    const level = slot >> LEVEL_BITS
    const index = slot & (SLOTS - 1)
    this.occupied[level * 2 + (index >> 5)]! &= ~(1 << (index & 31))
  }

  /** The first occupied slot of a level from `index` on; -1 if there is none. */
  private nextOccupied(level: number, index: number): number {
    for (let word = index >> 5; word < 2; word++) {
      let bits = this.occupied[level * 2 + word]!
      if (word === index >> 5) bits &= -1 << (index & 31)
      if (bits !== 0) return word * 32 + 31 - Math.clz32(bits & -bits)
    }
    return -1
  }
}

/** The slot of a timer that was taken out to fire and waits for its turn within one tick. */
const FIRING = 1 << 20
