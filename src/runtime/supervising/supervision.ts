import { SpimplError } from '../errors.ts'
import type { Randomness } from '../ports/randomness.ts'

/**
 * Which children restart when one fails: it alone, all of them, or it and those that were started after it (because
 * they stand on it).
 */
export type SupervisionStrategy = 'one-for-one' | 'one-for-all' | 'rest-for-one'

/**
 * `permanent` restarts whatever ended it, `transient` only after a failure, `temporary` never, also when it goes down
 * with its siblings.
 */
export type RestartKind = 'permanent' | 'transient' | 'temporary'

/** What a parent declares for its children. */
export interface Supervision {
  /** Default `one-for-one`. */
  readonly strategy?: SupervisionStrategy
  /** More restarts than this within the time, and the parent itself fails (`RESTART_INTENSITY`). Default 10 in 10 s. */
  readonly intensity?: { readonly restarts: number; readonly withinMs: number }
  /** Waiting before a restart: doubles with each restart within the intensity's time. Default none for the first. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number; readonly jitter?: number }
}

const defaultIntensity = { restarts: 10, withinMs: 10_000 }

export type SupervisionDecision =
  | { readonly type: 'restart'; readonly strategy: SupervisionStrategy; readonly delayMs: number }
  | { readonly type: 'remove' }
  | { readonly type: 'escalate'; readonly restarts: number }

/** The supervision policy of one parent: plain state, no timer and no clock of its own. */
export class SupervisionPolicy {
  readonly #supervision: Supervision
  readonly #randomness: Randomness
  #restartsMs: number[] = []

  constructor(supervision: Supervision, randomness: Randomness) {
    this.#supervision = supervision
    this.#randomness = randomness
  }

  /** What to do about a child that ended. */
  decide(ended: 'failed' | 'stopped', kind: RestartKind, nowMs: number): SupervisionDecision {
    if (kind === 'temporary' || (kind === 'transient' && ended === 'stopped')) return { type: 'remove' }
    const { restarts, withinMs } = this.#supervision.intensity ?? defaultIntensity
    this.#restartsMs = this.#restartsMs.filter(atMs => nowMs - atMs < withinMs)
    if (this.#restartsMs.length >= restarts) return { type: 'escalate', restarts: this.#restartsMs.length }
    const delayMs = this.#delayMs(this.#restartsMs.length)
    this.#restartsMs.push(nowMs)
    return { type: 'restart', strategy: this.#supervision.strategy ?? 'one-for-one', delayMs }
  }

  /**
   * Exponential, with jitter that takes away up to its share, so that those who failed together do not return together.
   */
  #delayMs(earlierRestarts: number): number {
    const { backoff } = this.#supervision
    if (backoff === undefined) return 0
    const fullMs = Math.min(backoff.minMs * 2 ** earlierRestarts, backoff.maxMs)
    const share = (backoff.jitter ?? 0) * (this.#randomness.below(1 << 20) / (1 << 20))
    return fullMs * (1 - share)
  }
}

/** What a parent fails with whose children restart too often. */
export function intensityExceeded(path: string, child: string, restarts: number, cause: unknown): SpimplError {
  const expected = `expected at most ${restarts} restarts under ${path}/, ${child} would be one more`
  return new SpimplError('RESTART_INTENSITY', expected, { cause })
}
