import type { InspectableLife } from '../watching/inspection.ts'

/** One life of an actor, from a start to the next restart or the end. */
export interface Life extends InspectableLife {
  /** Runs `setup` and installs the handlers that it returns. */
  begin(): void
  readonly hasHooks: boolean
  /** The actor waits for the promises of its handlers and hooks; no longer once this life is late or over. */
  readonly isAwaited: boolean
  /** A deadline has passed: nobody waits for this life any longer. */
  markLate(): void
  /**
   * Runs hooks up to one that returns a promise.
   * @returns its promise, which never rejects; `undefined` when all hooks have run
   */
  runHooks(): Promise<void> | undefined
  /** Ends the timers of this life, returns stashed messages to the mailbox and removes the handlers. */
  end(): void
}
