import { invariant } from '../cores/invariant.ts'
import { SpimplError } from '../errors.ts'
import type { Executor } from '../executors/executor.ts'
import { bandOf, type QualityOfService, qualitiesOfService } from './quality-of-service.ts'
import { Ring } from './ring.ts'
import { type Timer, TimerWheel } from './timer-wheel.ts'

/** How much a root queue runs before it lets the event loop poll for I/O. */
export interface DrainBudget {
  /** Items of all queues in one drain. */
  readonly items: number
  /** Microseconds of one drain. */
  readonly microseconds: number
  /** Items of one queue before the next ready queue has its turn. */
  readonly itemsPerTurn: number
}

export const defaultDrainBudget: DrainBudget = { items: 16_384, microseconds: 2_000, itemsPerTurn: 256 }

/** A class that more urgent ones have passed over this often gets the next turn. */
const AGING_TURNS = 32

/** The most time between two readings of the clock while items are short. */
const CLOCK_GRAIN_MS = 0.02
/**
 * Items between two readings of the clock after short ones: if these are long, a drain overruns its budget by as many.
 */
const MAX_STRIDE = 16

/** 2^43 ids are enough for a million messages a second over 100 days; the ranges of 1,024 lanes fit into a double. */
const MESSAGE_IDS_PER_LANE = 2 ** 43
const LANE_RANGES = 1_024

/** An entry that can be ready on a queue: another queue, or an actor, which is a serial queue with a mailbox. */
export interface Drainable {
  /** Index of the class of service, 0 the most urgent. */
  readonly band: number
  /** The queue it runs on. */
  readonly target: Target
  /** Items of it, or of a queue that targets it, whose promises have not settled. */
  inFlight: number
  /** Runs a turn of its items. @returns whether it still has items that may run now */
  drain(root: RootQueue): boolean
  /** Becomes ready on its target, if it has items that may run and is not ready already. */
  schedule(): void
}

/** The target of a queue: another queue, or a root. */
export interface Target {
  readonly root: RootQueue
  /** Its own target; `undefined` for a root. */
  readonly target: Target | undefined
  inFlight: number
  enqueue(ready: Drainable): void
  schedule(): void
}

/**
 * What this JavaScript thread is running. One object for each thread, read by `assertCurrent`, by `tell` for the cause
 * of a message, and by the checks against waiting for oneself.
 */
export const execution: {
  /** The innermost queue or actor that drains. */
  current: Drainable | undefined
  /** The message being handled, 0 for none: the cause of those that are sent now. */
  messageId: number
} = { current: undefined, messageId: 0 }

/**
 * The root of a tree of queues: one JavaScript thread. Ready queues and actors of the thread wait here, by class of
 * service, and run in turns until the budget of a drain is exhausted.
 */
export class RootQueue implements Target {
  readonly label: string
  readonly executor: Executor
  readonly target = undefined
  readonly timers: TimerWheel
  inFlight = 0
  /** The last message id of this thread; each lane counts in a range of its own. */
  lastMessageId: number
  /**
   * Counts events that may forbid a queue to go on (a hold, a suspension): a queue that sees it change ends its turn.
   */
  disturbances = 0
  /** The last reading of the clock: about 20 microseconds old at most while short items run. */
  nowMs: number
  /** Items a queue may run in one turn. */
  readonly itemsPerTurn: number
  private readonly budget: DrainBudget
  private readonly choose: ((count: number) => number) | undefined
  private readonly bands: Ring<Drainable>[] = qualitiesOfService.map(() => new Ring<Drainable>(16))
  private readonly passedOver = new Int32Array(qualitiesOfService.length)
  private readyBands = 0
  /** The only ready entry, as in a conversation of two actors: it needs no place in a ring. */
  private lone: Drainable | undefined = undefined
  private awake = false
  private draining = false
  private armedMs = Number.POSITIVE_INFINITY
  private stride = 1
  private untilCheck = 1
  private itemsLeft = 0
  private sliceEndMs = 0
  /** When the last drain began. */
  startedMs = 0
  /** The budget of this drain is exhausted: the current turn must end. */
  spent = false

  constructor(executor: Executor, { label = 'root', budget = defaultDrainBudget, lane = 0 } = {}) {
    this.label = label
    // Lanes beyond 1,023, dead ones included, share the ranges of the first ones.
    this.lastMessageId = lane === 0 ? 0 : (1 + ((lane - 1) % (LANE_RANGES - 1))) * MESSAGE_IDS_PER_LANE
    this.executor = executor
    this.budget = budget
    this.itemsPerTurn = budget.itemsPerTurn
    this.choose = executor.choose
    this.nowMs = executor.clock.now()
    this.timers = new TimerWheel(this.nowMs)
    executor.attach(this)
  }

  get root(): RootQueue {
    return this
  }

  /** Something is ready, or drains. */
  get busy(): boolean {
    return this.draining || this.lone !== undefined || this.readyBands !== 0
  }

  /**
   * How long the thread may wait for another one without delaying anything of this root: 0 while something is ready.
   */
  get leisureMs(): number {
    return this.busy ? 0 : this.timers.nextMs() - this.executor.clock.now()
  }

  enqueue(ready: Drainable): void {
    if (this.readyBands === 0 && this.lone === undefined) this.lone = ready
    else this.enqueueBehind(ready)
    if (!this.awake && !this.draining) {
      this.awake = true
      this.executor.wake()
    }
  }

  private enqueueBehind(ready: Drainable): void {
    const { lone } = this
    if (lone !== undefined) {
      this.lone = undefined
      this.bands[lone.band]!.push(lone)
      this.readyBands |= 1 << lone.band
    }
    this.bands[ready.band]!.push(ready)
    this.readyBands |= 1 << ready.band
  }

  schedule(): void {}

  /** Sets or moves a timer to a moment of the executor's clock; `Infinity` cancels it. */
  setTimer(timer: Timer, atMs: number): void {
    if (!(atMs < Number.POSITIVE_INFINITY)) {
      if (Number.isNaN(atMs))
        throw new SpimplError('CONFIG_INVALID', 'expected a moment in milliseconds for a timer, got NaN')
      this.cancelTimer(timer)
      return
    }
    this.timers.set(timer, atMs)
    if (atMs < this.armedMs && !this.draining) this.arm(Math.ceil(atMs))
  }

  cancelTimer(timer: Timer): boolean {
    const cancelled = this.timers.cancel(timer)
    if (!this.draining && this.timers.size === 0) this.rearm()
    return cancelled
  }

  /** Called by the executor, never while it runs. @returns whether work is left */
  drain(): boolean {
    invariant(!this.draining, 'one drain of a root at a time')
    this.awake = false
    this.draining = true
    this.spent = false
    this.itemsLeft = this.budget.items
    this.look()
    this.startedMs = this.nowMs
    this.sliceEndMs = this.nowMs + this.budget.microseconds / 1000
    if (this.timers.size > 0) this.timers.advance(this.nowMs)
    while (!this.spent) {
      let next = this.lone
      if (next !== undefined) this.lone = undefined
      else if (this.readyBands !== 0) next = this.takeReady()
      else break
      if (next.drain(this)) this.enqueue(next)
    }
    this.draining = false
    this.rearm()
    this.awake = this.lone !== undefined || this.readyBands !== 0
    return this.awake
  }

  /** Called by a queue for each item it ran. @returns true if the budget is exhausted and the turn must end */
  ran(): boolean {
    return --this.untilCheck <= 0 && this.check()
  }

  /**
   * Setting a libuv timer costs more than an alarm that comes too soon, so an alarm is not moved to a later moment.
   * Without a pending timer it must be disarmed, because it would keep the process alive.
   */
  private rearm(): void {
    if (this.nowMs >= this.armedMs) this.armedMs = Number.POSITIVE_INFINITY
    const nextMs = this.timers.nextMs()
    if (nextMs < this.armedMs || (nextMs === Number.POSITIVE_INFINITY && this.armedMs !== nextMs)) this.arm(nextMs)
  }

  private look(): void {
    this.nowMs = this.executor.clock.now()
    this.untilCheck = this.stride
  }

  /**
   * A reading of the clock costs as much as a short item, so it is read once for `stride` items: many if short, one if
   * long.
   */
  private check(): boolean {
    const before = this.nowMs
    this.itemsLeft -= this.stride
    this.nowMs = this.executor.clock.now()
    if (this.nowMs - before > CLOCK_GRAIN_MS) this.stride = Math.max(this.stride >> 2, 1)
    else if (this.stride < MAX_STRIDE) this.stride *= 2
    this.untilCheck = this.stride
    if (this.itemsLeft <= 0 || this.nowMs >= this.sliceEndMs) this.spent = true
    return this.spent
  }

  /** Takes the entry that has the next turn out of its ring. */
  private takeReady(): Drainable {
    const band = this.chooseBand()
    const ring = this.bands[band]!
    const next = this.choose === undefined ? ring.shift() : ring.removeAt(this.choose(ring.size))
    invariant(next !== undefined, 'a band that is marked as ready to hold an entry')
    if (ring.size === 0) this.readyBands &= ~(1 << band)
    return next
  }

  /** The most urgent class that has work, unless a less urgent one was passed over too often. */
  private chooseBand(): number {
    const urgent = 31 - Math.clz32(this.readyBands & -this.readyBands)
    if (this.readyBands === 1 << urgent) return urgent
    for (let band = urgent + 1; band < this.bands.length; band++) {
      if ((this.readyBands & (1 << band)) === 0) continue
      if (++this.passedOver[band]! < AGING_TURNS * (band - urgent)) continue
      this.passedOver[band] = 0
      return band
    }
    return urgent
  }

  private arm(atMs: number): void {
    this.armedMs = atMs
    this.executor.wakeAt(atMs)
  }
}

/** The band of a queue of this class on a root. */
export function rootBand(qos: QualityOfService | undefined): number {
  return bandOf(qos ?? 'default')
}
