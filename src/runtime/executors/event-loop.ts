import { type Clock, systemClock } from '../ports/clock.ts'
import { DrainedTime } from './drained-time.ts'
import type { Drainer, Executor } from './executor.ts'

/**
 * Wake-ups that may run before the event loop polls, unless their time is exhausted earlier. A wake-up runs as a
 * microtask, right after the callback that caused it; without this limit an endless chain of promises and messages
 * would keep libuv from its sockets.
 */
const MICROTASK_WAKEUPS = 64

const resolved = Promise.resolve()

/** Runs a root queue on Node's event loop: pure JavaScript, nothing to install. */
export class EventLoopExecutor implements Executor {
  readonly name = 'event-loop'
  readonly clock: Clock
  #drainer: Drainer | undefined
  #wakeupsSincePoll = 0
  readonly #time: DrainedTime
  #immediate: NodeJS.Immediate | undefined
  #alarm: NodeJS.Timeout | undefined
  /** When the alarm fires; never later than the wanted moment. */
  #alarmMs = Number.POSITIVE_INFINITY
  #wantedMs = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(clock: Clock = systemClock) {
    this.clock = clock
    this.#time = new DrainedTime(clock)
  }

  attach(drainer: Drainer): void {
    this.#drainer = drainer
  }

  wake(): void {
    if (this.#stopped || this.#immediate !== undefined) return
    if (this.#wakeupsSincePoll++ < MICROTASK_WAKEUPS && !this.#time.spent) void resolved.then(this.#onMicrotask)
    else this.#immediate = setImmediate(this.#onImmediate)
  }

  wakeAt(atMs: number): void {
    this.#wantedMs = atMs
    if (this.#stopped) return
    if (atMs === Number.POSITIVE_INFINITY) {
      // Setting and clearing a libuv timer costs more than a question and its answer: let it fire, but do not keep the
      // process alive.
      this.#alarm?.unref()
      return
    }
    if (this.#alarm !== undefined) {
      if (this.#alarmMs <= atMs) {
        this.#alarm.ref()
        return
      }
      clearTimeout(this.#alarm)
    }
    this.#setAlarm()
  }

  stop(): void {
    this.#stopped = true
    if (this.#alarm !== undefined) clearTimeout(this.#alarm)
    if (this.#immediate !== undefined) clearImmediate(this.#immediate)
    this.#alarm = undefined
    this.#immediate = undefined
  }

  #drain(): void {
    if (this.#stopped) return
    const left = this.#drainer!.drain()
    this.#time.drained(this.#drainer!.startedMs)
    if (left && this.#immediate === undefined) this.#immediate = setImmediate(this.#onImmediate)
  }

  readonly #onMicrotask = (): void => {
    if (this.#immediate === undefined) this.#drain()
  }

  readonly #onImmediate = (): void => {
    this.#immediate = undefined
    this.#wakeupsSincePoll = 0
    this.#time.polled()
    this.#drain()
  }

  #setAlarm(): void {
    this.#alarmMs = this.#wantedMs
    // The longest delay Node takes is 2^31 - 1 ms.
    const delayMs = Math.min(Math.max(Math.ceil(this.#wantedMs - this.clock.now()), 1), 0x7fff_ffff)
    this.#alarm = setTimeout(this.#onAlarm, delayMs)
  }

  readonly #onAlarm = (): void => {
    this.#alarm = undefined
    if (this.#stopped || this.#wantedMs === Number.POSITIVE_INFINITY) return
    // The wanted moment has moved, or Node fired a fraction early, because it counts whole milliseconds of a cached
    // time.
    if (this.clock.now() < this.#wantedMs) {
      this.#setAlarm()
      return
    }
    this.#wakeupsSincePoll = 0
    this.#time.polled()
    this.#drain()
  }
}
