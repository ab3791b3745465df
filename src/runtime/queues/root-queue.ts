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

/** A class that was passed over so often by more urgent ones has the next turn. */
const AGING_TURNS = 32

/** The clock is read so that this much time at most passes between two readings, when items are short. */
const CLOCK_GRAIN_MS = 0.02
/** After short items so many run before the clock is read again: should they be long, a drain overruns its budget by as many. */
const MAX_STRIDE = 16

/** 2^43 ids are enough for a million messages a second over 278 years; 1,024 lanes fit into a double. */
const MESSAGE_IDS_PER_LANE = 2 ** 43
const LANE_RANGES = 1_024

/** What can be ready on a queue: a queue, or an actor, which is a serial queue with a mailbox. */
export interface Drainable {
  /** Index of the class of service, 0 the most urgent. */
  readonly band: number
  /** The queue it runs on. */
  readonly target: Target
  /** Asynchronous items that run on it, or on a queue below it, and have not settled. */
  inFlight: number
  /** Runs a turn of its items. @returns whether it still has items that may run now */
  drain(root: RootQueue): boolean
  /** Makes itself ready on its target, if it has items that may run and is not ready already. */
  schedule(): void
}

/** Where a queue can stand: on another queue, or on a root. */
export interface Target {
  readonly root: RootQueue
  /** The queue above; `undefined` for a root. */
  readonly target: Target | undefined
  inFlight: number
  enqueue(ready: Drainable): void
  schedule(): void
}

/**
 * What this JavaScript thread runs just now. One object for the thread (a worker has its own), read by `assertCurrent`, by
 * `tell` for the cause of a message, and by what refuses to wait for itself.
 */
export const execution: {
  /** The innermost queue or actor that drains. */
  current: Drainable | undefined
  /** The message being handled, 0 for none: the cause of those that are sent now. */
  messageId: number
} = { current: undefined, messageId: 0 }

/**
 * The root of a tree of queues: one JavaScript thread. Everything that is ready on the thread waits here, by class of
 * service, and runs in turns, until the budget of a drain is used.
 */
export class RootQueue implements Target {
  readonly label: string
  readonly executor: Executor
  readonly target = undefined
  readonly timers: TimerWheel
  inFlight = 0
  /** The last message id that was given on this thread; each lane counts in a range of its own. */
  lastMessageId: number
  /** Counts what may forbid a queue to go on in its turn (a hold, a suspension): whoever sees it change ends its turn. */
  disturbances = 0
  /** The moment of the last look at the clock: at most some 20 microseconds old while short items run. */
  nowMs: number
  /** Items a queue may run in one turn. */
  readonly itemsPerTurn: number
  private readonly budget: DrainBudget
  private readonly choose: ((count: number) => number) | undefined
  private readonly bands: Ring<Drainable>[] = qualitiesOfService.map(() => new Ring<Drainable>(16))
  private readonly passedOver = new Int32Array(qualitiesOfService.length)
  private readyBands = 0
  /** What is ready when nothing else is, as in a conversation of two: it needs no place in line. */
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
  /** The budget of this drain is used: whoever has a turn ends it. */
  spent = false

  constructor(executor: Executor, { label = 'root', budget = defaultDrainBudget, lane = 0 } = {}) {
    this.label = label
    // Beyond 1,023 lanes, the dead ones included, they count in the ranges of the first.
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

  /** Whether anything is ready or drains. */
  get busy(): boolean {
    return this.draining || this.lone !== undefined || this.readyBands !== 0
  }

  /** How long the thread may wait for others without keeping anything of this root from its turn: 0 when something is ready. */
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

  /** Sets or moves a timer to a moment of the executor's clock; `Infinity` is never, and cancels it. */
  setTimer(timer: Timer, atMs: number): void {
    if (!(atMs < Number.POSITIVE_INFINITY)) {
      if (Number.isNaN(atMs)) throw new SpimplError('CONFIG_INVALID', 'expected a moment for a timer, got NaN')
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

  /** Called by the executor. */
  drain(): boolean {
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

  /** Called by a queue for each item it ran. @returns true when the budget is used and the turn must end */
  ran(): boolean {
    return --this.untilCheck <= 0 && this.check()
  }

  /**
   * Setting a libuv timer costs more than an alarm that comes too soon: one that was moved to later is left to fire. But
   * when none is pending the alarm must go, because it would keep the process alive.
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

  /** The clock costs as much as a short message, so it is read once for `stride` of them: many if short, one if long. */
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

  /** Takes what has the next turn out of its line. */
  private takeReady(): Drainable {
    const band = this.chooseBand()
    const ring = this.bands[band]!
    const next = this.choose === undefined ? ring.shift()! : ring.removeAt(this.choose(ring.size))!
    if (ring.size === 0) this.readyBands &= ~(1 << band)
    return next
  }

  /** The most urgent class that has work, unless a lesser one was passed over for too long. */
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
