import type { RootQueue } from '../queues/root-queue.ts'
import type { Life } from './life.ts'
import { StopDeadline, type Stoppable } from './stop-deadline.ts'

/** An actor as its stop uses it. */
export interface StoppingActor {
  readonly root: RootQueue
  readonly options: { readonly stopDeadlineMs?: number }
  /** It has a turn, or waits for the promise of a handler. */
  readonly isBusy: boolean
  /** It stands directly under a root queue and shares no queue with others. */
  readonly isUnderRoot: boolean
  schedule(): void
}

/** The lifecycle that is stopping. */
export interface StoppingLifecycle extends Stoppable {
  readonly life: Life | undefined
  youngestFirst(): readonly StoppingLifecycle[]
  readonly hasStopped: boolean
  /** Takes the next steps. */
  advance(): void
}

/**
 * The steps of one stop, for a restart or for good: the running handler finishes, the children stop (the youngest
 * first, one after the other), the hooks run. A step that takes time ends `advance`, and calls it again when it is
 * done.
 */
export class StopSequence {
  readonly #actor: StoppingActor
  readonly #lifecycle: StoppingLifecycle
  /** Its children when it began to stop them, the youngest first. */
  #children: readonly StoppingLifecycle[] | undefined = undefined
  #stoppedChildren = 0
  #awaitsHook = false
  #wantsTurn = false
  /** The actor has its turn and no handler runs. */
  #isOnTurn = false
  #isAdvancing = false
  #deadline: StopDeadline | undefined = undefined

  constructor(actor: StoppingActor, lifecycle: StoppingLifecycle) {
    this.#actor = actor
    this.#lifecycle = lifecycle
  }

  /** The actor needs a turn of its queue for its hooks. */
  get wantsTurn(): boolean {
    return this.#wantsTurn
  }

  /** @returns whether all steps are done */
  advance(): boolean {
    if (this.#isAdvancing) return false
    this.#isAdvancing = true
    // The end of a turn, or of a promise, calls again.
    const isComplete = !this.#actor.isBusy && !this.#awaitsHook && this.#stopChildren() && this.#runHooks()
    this.#isAdvancing = false
    if (isComplete) this.#deadline?.cancel()
    else this.#startDeadline()
    return isComplete
  }

  /** As `advance`, at the end of a turn of the actor. */
  advanceOnTurn(): void {
    this.#wantsTurn = false
    this.#isOnTurn = true
    this.#lifecycle.advance()
    this.#isOnTurn = false
  }

  /** Goes on without the promise of a hook. */
  stopWaiting(): void {
    this.#awaitsHook = false
  }

  #startDeadline(): void {
    const { options, root } = this.#actor
    if (options.stopDeadlineMs === undefined) return
    this.#deadline ??= new StopDeadline(this.#lifecycle, options.stopDeadlineMs, root)
  }

  #stopChildren(): boolean {
    this.#children ??= this.#lifecycle.youngestFirst()
    for (; this.#stoppedChildren < this.#children.length; this.#stoppedChildren++) {
      const child = this.#children[this.#stoppedChildren]!
      child.requestStop('parent')
      if (!child.hasStopped) return false
    }
    return true
  }

  #runHooks(): boolean {
    const { life } = this.#lifecycle
    if (life === undefined) return true
    if (life.hasHooks && !this.#mayRunHooks()) return false
    for (let hook = life.runHooks(); hook !== undefined; hook = life.runHooks()) {
      if (!life.isAwaited) continue
      this.#awaitHook(hook, life)
      return false
    }
    return true
  }

  /**
   * Hooks run on the actor's queue. Under a root that is anywhere outside a turn; an actor that shares its queue with
   * others, which may be suspended or await, takes a turn of its own.
   */
  #mayRunHooks(): boolean {
    if (this.#isOnTurn || this.#actor.isUnderRoot) return true
    this.#wantsTurn = true
    this.#actor.schedule()
    return false
  }

  #awaitHook(hook: Promise<void>, life: Life): void {
    this.#awaitsHook = true
    hook.then(() => {
      if (!life.isAwaited) return
      this.#awaitsHook = false
      this.#lifecycle.advance()
    })
  }
}
