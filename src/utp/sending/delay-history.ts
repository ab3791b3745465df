const BASE_MINUTES = 13
const MINUTE_MS = 60_000
const FILTER_SAMPLES = 3

/**
 * One-way delay in microseconds, measured between two clocks that are not synchronized: only the distance from the
 * smallest delay of the last minutes has a meaning. That base is the minimum of 13 minutes (libutp,
 * `DELAY_BASE_HISTORY`), so that a route that became slower and a clock that drifts are forgotten. The present delay is
 * the minimum of 3 samples, so that one late packet has no effect.
 */
export class DelayHistory {
  readonly #minutes = new Float64Array(BASE_MINUTES)
  readonly #recent = new Float64Array(FILTER_SAMPLES)
  /**
   * Samples are 32-bit differences of foreign clocks. All arithmetic is relative to the first sample, so that they may
   * wrap.
   */
  #origin = -1
  #base = 0
  #minute = 0
  #minuteEndsAt = 0
  #recentAt = 0

  get isEmpty(): boolean {
    return this.#origin < 0
  }

  /** The smallest sample of the last minutes, relative to the first sample. */
  get base(): number {
    return this.#base
  }

  /** @param sample 32 bits, not 0 */
  add(sample: number, now: number): void {
    if (this.#origin < 0) {
      this.#origin = sample
      this.#minuteEndsAt = now + MINUTE_MS
    }
    const relative = (sample - this.#origin) | 0
    if (now >= this.#minuteEndsAt) {
      this.#minuteEndsAt = now + MINUTE_MS
      this.#minute = (this.#minute + 1) % BASE_MINUTES
      this.#minutes[this.#minute] = relative
      let least = relative
      for (const minute of this.#minutes) if (minute < least) least = minute
      this.#base = least
    } else if (relative < (this.#minutes[this.#minute] as number)) {
      this.#minutes[this.#minute] = relative
      if (relative < this.#base) this.#base = relative
    }
    this.#recent[this.#recentAt] = relative
    this.#recentAt = (this.#recentAt + 1) % FILTER_SAMPLES
  }

  /** Microseconds of delay above the base. */
  queuing(): number {
    let least = this.#recent[0] as number
    for (let at = 1; at < FILTER_SAMPLES; at++) {
      const sample = this.#recent[at] as number
      if (sample < least) least = sample
    }
    return Math.max(0, least - this.#base)
  }

  /** Raises the base. */
  shift(micros: number): void {
    for (let at = 0; at < BASE_MINUTES; at++) this.#minutes[at] = (this.#minutes[at] as number) + micros
    this.#base += micros
  }
}
