import { SpimplError } from '../errors.ts'
import type { RootQueue } from '../queues/root-queue.ts'
import { Timer } from '../queues/timer-wheel.ts'

/** An actor that can be stopped. */
export interface Stoppable {
  readonly path: string
  /** It is stopping, for a restart or for good. */
  readonly isGoingDown: boolean
  /** Its children, the youngest first. */
  youngestFirst(): readonly Stoppable[]
  requestStop(by: 'parent'): void
  /** Goes on without the promises that its handlers and hooks wait for. */
  stopWaiting(): void
  reportLate(error: SpimplError): void
}

/** @throws SpimplError `CONFIG_INVALID` for a negative deadline */
export function checkStopDeadline(stopDeadlineMs = 0): void {
  if (stopDeadlineMs >= 0) return
  throw new SpimplError('CONFIG_INVALID', `expected a stopDeadlineMs of at least 0, got ${stopDeadlineMs}`)
}

/** How long an actor may take to stop, for a restart or for good: OTP's `shutdown`. */
export class StopDeadline extends Timer {
  readonly #actor: Stoppable
  readonly #root: RootQueue
  readonly #deadlineMs: number
  #hasPassed = false

  /** @param actor one that is going down */
  constructor(actor: Stoppable, deadlineMs: number, root: RootQueue) {
    super()
    this.#actor = actor
    this.#root = root
    this.#deadlineMs = deadlineMs
    root.setTimer(this, root.executor.clock.now() + deadlineMs)
  }

  cancel(): void {
    this.#root.cancelTimer(this)
  }

  override fire(): void {
    const late = abandon(this.#actor)
    // Hooks that need a turn of their queue get some turns.
    if (this.#actor.isGoingDown) this.#root.setTimer(this, this.#root.executor.clock.now())
    if (this.#hasPassed) return
    this.#hasPassed = true
    const expected = `expected ${this.#actor.path} to stop within ${this.#deadlineMs} ms`
    for (const actor of late) {
      actor.reportLate(new SpimplError('ACTOR_LATE', `${expected}, ${actor.path} has not and is abandoned`))
    }
  }
}

/**
 * Lets an actor that is going down, and every actor below it, wait for nothing more. Descendants that were not told to
 * stop are told now; those that stop at once were not late.
 * @returns the late ones
 */
export function abandon(actor: Stoppable, late: Stoppable[] = []): readonly Stoppable[] {
  for (const child of actor.youngestFirst()) {
    child.requestStop('parent')
    abandon(child, late)
  }
  if (!actor.isGoingDown) return late
  late.push(actor)
  actor.stopWaiting()
  return late
}
