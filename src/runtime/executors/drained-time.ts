import type { Clock } from '../ports/clock.ts'

/** How long drains may take together before the event loop polls. */
const AT_ONCE_MS = 2
/** A drain that takes so long is followed by one whose time is taken too. */
const LONG_MS = 0.1
/** Of short ones one in so many, because to read the clock costs as much as they do. */
const SHORT_DRAINS = 8

/** How long the drains took since the event loop polled, as far as is known. */
export class DrainedTime {
  readonly #clock: Clock
  #totalMs = 0
  #untilTaken = 1
  #drains = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The event loop has to poll. */
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
