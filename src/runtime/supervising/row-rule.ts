import type { StopReason } from './actor-lifecycle.ts'

/** @internal What a supervisor knows of a child that is a row of a composition, beyond what it knows of any child. */
export interface RowRule {
  /** Names of the siblings that it needs: rest-for-one restarts it with those, and not with every older sibling. */
  readonly needs: ReadonlySet<string>
  /** Has completed its first start. Before that a failure ends the row, because whoever starts the composition learns of it. */
  readonly hasStarted: boolean
  /** `setup` has run. @returns what completes this start; `undefined` when the start is complete */
  complete(): Promise<unknown> | undefined
  /** This start is complete: what `complete` promised has resolved, in the same life of the actor. */
  completed(value: unknown): void
  /** The actor has come to its end, and does not restart. */
  ended(reason: StopReason): void
}
