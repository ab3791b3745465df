/** What is remembered of hits at most, so that a change is seen soon. */
const MAX_SCORE = 16
/** A miss costs as much as some hits bring. */
const MISS = 2
/** Occasions that pass between two probes; doubled by each probe that does not pay. */
const MIN_PAUSE = 8
const MAX_PAUSE = 1024
/** A probe is two tries: while the first lasts, the scheduler may move one of the two threads. */
const PROBE_TRIES = 2

/**
 * Whether it pays to wait a little: yes while it mostly has lately. Else it is tried now and then, the more rarely the
 * longer it has not paid.
 */
export class Patience {
  private score = 0
  private tries = PROBE_TRIES
  private pause = MIN_PAUSE
  private passed = 0

  /** Whether it is to be tried now. */
  get trying(): boolean {
    return this.score > 0 || this.tries > 0
  }

  /** There is something to wait for. @returns whether it is to be tried */
  occasion(): boolean {
    if (this.trying) return true
    if (++this.passed < this.pause) return false
    this.passed = 0
    this.tries = PROBE_TRIES
    return true
  }

  /** @param paid whether what was waited for came. @returns the same */
  learn(paid: boolean): boolean {
    if (paid) {
      this.score = Math.min(this.score + 1, MAX_SCORE)
      this.tries = 0
      this.pause = MIN_PAUSE
    } else if (this.score > 0) {
      this.score = Math.max(this.score - MISS, 0)
    } else if (this.tries > 0 && --this.tries === 0) {
      this.pause = Math.min(this.pause * 2, MAX_PAUSE)
    }
    return paid
  }
}
