import { SpimplError } from '../errors.ts'
import type { Randomness } from '../ports/randomness.ts'

/**
 * The children that restart when one fails: that one, all of them, or that one and those that were started after it,
 * because they depend on it.
 */
export type SupervisionStrategy = 'one-for-one' | 'one-for-all' | 'rest-for-one'

/**
 * A `permanent` child restarts after any end, a `transient` one only after a failure, a `temporary` one never, even if
 * its siblings restart.
 */
export type RestartKind = 'permanent' | 'transient' | 'temporary'

/** How a parent supervises its children. */
export interface Supervision {
  /** Default `one-for-one`. */
  readonly strategy?: SupervisionStrategy
  /** The parent itself fails (`RESTART_INTENSITY`) at more restarts than this within the time. Default 10 in 10 s. */
  readonly intensity?: { readonly restarts: number; readonly withinMs: number }
  /** The delay before a restart, which doubles with each restart within the intensity's time. Default: no delay. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number; readonly jitter?: number }
}

const defaultIntensity = { restarts: 10, withinMs: 10_000 }

export type SupervisionDecision =
  | { readonly type: 'restart'; readonly strategy: SupervisionStrategy; readonly delayMs: number }
  | { readonly type: 'remove' }
  | { readonly type: 'escalate'; readonly restarts: number }

/** The supervision policy of one parent: plain state, without a timer or a clock. */
export class SupervisionPolicy {
  readonly #supervision: Supervision
  readonly #randomness: Randomness
  #restartsMs: number[] = []

  constructor(supervision: Supervision, randomness: Randomness) {
    this.#supervision = supervision
    this.#randomness = randomness
  }

  /** Decides about a child that has ended. */
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
   * Exponential, minus a random share of up to `jitter`, so that children that failed together do not restart together.
   */
  #delayMs(earlierRestarts: number): number {
    const { backoff } = this.#supervision
    if (backoff === undefined) return 0
    const fullMs = Math.min(backoff.minMs * 2 ** earlierRestarts, backoff.maxMs)
    const share = (backoff.jitter ?? 0) * (this.#randomness.below(1 << 20) / (1 << 20))
    return fullMs * (1 - share)
  }
}

/** The failure of a parent whose children restart too often. */
export function intensityExceeded(path: string, child: string, restarts: number, cause: unknown): SpimplError {
  const expected = `expected at most ${restarts} restarts under ${path}/, ${child} would restart once more`
  return new SpimplError('RESTART_INTENSITY', expected, { cause })
}
