import type { Clock } from '../ports/clock.ts'

/** The time that drains may take together before the event loop polls. */
const AT_ONCE_MS = 2
/** After a drain of at least this length the next one is timed too. */
const LONG_MS = 0.1
/** One of this many short drains is timed, because reading the clock costs as much as such a drain. */
const SHORT_DRAINS = 8

/** An estimate of the time that drains have taken since the event loop polled. */
export class DrainedTime {
  readonly #clock: Clock
  #totalMs = 0
  #untilTaken = 1
  #drains = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The time is exhausted: the event loop must poll. */
  get spent(): boolean {
    return this.#totalMs >= AT_ONCE_MS
  }

  polled(): void {
    this.#totalMs = 0
  }

  /** A drain that began at this moment has ended. */
  drained(startedMs: number): void {
    this.#drains++
    if (--this.#untilTaken > 0) return
    const tookMs = this.#clock.now() - startedMs
    this.#totalMs += tookMs * this.#drains
    this.#drains = 0
    this.#untilTaken = tookMs > LONG_MS ? 1 : SHORT_DRAINS
  }
}
