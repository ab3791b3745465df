import type { RootQueue } from '../queues/root-queue.ts'
import { Timer } from '../queues/timer-wheel.ts'
import type { RestartKind } from './supervision.ts'

/** A child in a restart. It belongs to the latest restart that it was given to; earlier ones go on without it. */
export interface Restartable {
  readonly restartKind: RestartKind
  join(batch: RestartBatch): void
  /** Stops it for good. */
  requestStop(by: 'parent'): void
  /** Stops it for this restart; does nothing if it belongs to another one, has stopped or is stopping. */
  stopFor(batch: RestartBatch): void
  /** Begins its next life, if it waits for this restart to do so. */
  startFor(batch: RestartBatch): void
  /** A sibling that needs it is still stopping in another restart. */
  readonly isInUse: boolean
  /** It waits for this restart, but a sibling that it needs is not up. */
  lacksNeeds(batch: RestartBatch): boolean
  /** Whether this restart has to wait until it has stopped. */
  isStoppingFor(batch: RestartBatch): boolean
  /** Whether this restart has to wait until it has started. */
  isStartingFor(batch: RestartBatch): boolean
}

/**
 * One restart of one or several siblings. They stop from the youngest to the oldest, each when the one before it has
 * stopped; after the back-off they start from the oldest to the youngest, each when the one before it has started.
 */
export class RestartBatch extends Timer {
  readonly #children: readonly Restartable[]
  readonly #root: RootQueue
  readonly #delayMs: number
  /** Children that have yet to stop: the first ones of the list. */
  #toStop: number
  /** Children that have started. */
  #started = 0
  #isAdvancing = false
  #allStopped = false

  /** @param children the oldest first */
  constructor(children: readonly Restartable[], delayMs: number, root: RootQueue) {
    super()
    this.#children = children
    this.#root = root
    this.#delayMs = delayMs
    this.#toStop = children.length
    for (const child of children) child.join(this)
  }

  /** All its children have stopped: a child that starts now starts for this restart. */
  get isStarting(): boolean {
    return this.#allStopped
  }

  /** Takes the next step; called whenever one of its children has stopped, started or ended. */
  advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    if (this.#allStopped) this.#startNext()
    else this.#stopNext()
    this.#isAdvancing = false
  }

  /** The back-off is over. */
  override fire(): void {
    this.#startNext()
  }

  #stopNext(): void {
    for (; this.#toStop > 0; this.#toStop--) {
      const child = this.#children[this.#toStop - 1]!
      if (child.isInUse) return
      // As in OTP, a temporary child stops with its siblings and does not return.
      if (child.restartKind === 'temporary') child.requestStop('parent')
      else child.stopFor(this)
      if (child.isStoppingFor(this)) return
    }
    this.#allStopped = true
    if (this.#delayMs > 0) this.#root.setTimer(this, this.#root.executor.clock.now() + this.#delayMs)
    else this.#startNext()
  }

  #startNext(): void {
    if (this.pending) return
    for (; this.#started < this.#children.length; this.#started++) {
      const child = this.#children[this.#started]!
      if (child.lacksNeeds(this)) return
      child.startFor(this)
      if (child.isStartingFor(this)) return
    }
  }
}
