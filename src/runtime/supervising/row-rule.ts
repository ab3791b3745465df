import type { StopReason } from './actor-lifecycle.ts'
import type { RestartKind } from './supervision.ts'

/** @internal What a supervisor knows of a child that is a row of a composition, beyond what it knows of any child. */
export interface RowRule {
  /** Names of the siblings that it needs: rest-for-one restarts it with those, and not with every older sibling. */
  readonly needs: ReadonlySet<string>
  /** Has completed its first start. Before that a failure is the error of whoever starts the composition, and is not logged. */
  readonly hasStarted: boolean
  /** Its restart kind at present: until it has started, a failure ends it. */
  readonly restart: RestartKind
  /** `setup` has run. @returns what completes this start; `undefined` when the start is complete */
  complete(): Promise<unknown> | undefined
  /** This start is complete: what `complete` promised has resolved, in the same life of the actor. */
  completed(value: unknown): void
  /** The first start has failed. The actor is about to stop. */
  failedToStart(error: unknown): void
  /** The actor has come to its end, and does not restart. */
  ended(reason: StopReason): void
}
