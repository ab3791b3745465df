/** The score cannot exceed this, so that a change is noticed soon. */
const MAX_SCORE = 16
/** A miss costs as much as this many hits earn. */
const MISS = 2
/** Occasions that pass between two probes; doubled by each probe that does not pay. */
const MIN_PAUSE = 8
const MAX_PAUSE = 1024
/** A probe is two tries: during the first, the scheduler may move one of the two threads. */
const PROBE_TRIES = 2

/**
 * Decides whether a thread spins for an answer before it sleeps: yes while spinning has mostly paid lately. Otherwise
 * it is probed from time to time, the more rarely the longer it has not paid.
 */
export class SpinPolicy {
  #score = 0
  #tries = PROBE_TRIES
  #pause = MIN_PAUSE
  #passed = 0

  /** Spinning is on: it pays, or is being probed. */
  get isOn(): boolean {
    return this.#score > 0 || this.#tries > 0
  }

  /** An answer may come: an occasion to spin. @returns whether to spin */
  shouldSpin(): boolean {
    if (this.isOn) return true
    if (++this.#passed < this.#pause) return false
    this.#passed = 0
    this.#tries = PROBE_TRIES
    return true
  }

  /** @param hasPaid whether the answer came while the thread was spinning */
  record(hasPaid: boolean): void {
    if (hasPaid) {
      this.#score = Math.min(this.#score + 1, MAX_SCORE)
      this.#tries = 0
      this.#pause = MIN_PAUSE
    } else if (this.#score > 0) {
      this.#score = Math.max(this.#score - MISS, 0)
    } else if (this.#tries > 0 && --this.#tries === 0) {
      this.#pause = Math.min(this.#pause * 2, MAX_PAUSE)
    }
  }
}
