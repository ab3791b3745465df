import type { ChildEvent, ChildState } from './child-state.ts'
import { childTable } from './supervised-child.ts'

/**
 * Where a supervised child stands in its life. Only its lifecycle moves it, by the events of the machine in
 * supervised-child.ts.
 */
export abstract class ChildPhase {
  #state: ChildState = childTable.initial

  get state(): ChildState {
    return this.#state
  }

  /** Its messages may be handled. */
  get isRunning(): boolean {
    return this.#state === 'running'
  }

  get isStarting(): boolean {
    return this.#state === 'starting'
  }

  get hasStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** It is stopping for good, or has stopped. */
  get isEnding(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped'
  }

  /** It is stopping, for a restart or for good. */
  get isGoingDown(): boolean {
    return this.#state === 'stopping' || this.#state === 'restarting'
  }

  get hasFailed(): boolean {
    return this.#state === 'failed'
  }

  get takesChildren(): boolean {
    return this.#state === 'running' || this.#state === 'starting'
  }

  get isLinkable(): boolean {
    return !this.hasStopped && this.#state !== 'failed'
  }

  /** One step of the machine in supervised-child.ts. */
  protected enter(event: ChildEvent): void {
    const next = childTable.next(this.#state, event)
    if (next === undefined) throw new Error(`expected a transition of a child that is ${this.#state}, got ${event}`)
    this.#state = next
  }
}
