import type { RestartKind } from './supervision.ts'
import type { StopReason } from './termination.ts'

/** @internal What a supervisor knows of a child that is a row of a composition, beyond what it knows of any child. */
export interface RowRule {
  /** Names of the siblings that it needs: rest-for-one restarts it with those, and not with every older sibling. */
  readonly needs: ReadonlySet<string>
  /**
   * Its first start is complete. Before that a failure is the error of the caller that starts the composition, and is
   * not logged.
   */
  readonly hasStarted: boolean
  /** Its current restart kind: until it has started, a failure ends it. */
  readonly restart: RestartKind
  /** `setup` has run. @returns what completes this start; `undefined` if the start is complete */
  complete(): Promise<unknown> | undefined
  /** This start is complete: the promise of `complete` has resolved, in the same life of the actor. */
  completed(value: unknown): void
  /** The first start has failed. The actor is about to stop. */
  failedToStart(error: unknown): void
  /** The actor has come to its end, and does not restart. */
  ended(reason: StopReason): void
}

/** A child as restarts order it. */
export interface OrderedChild {
  readonly name: string
  readonly options: { readonly row?: RowRule }
  readonly lifecycle: {
    readonly isGoingDown: boolean
    readonly hasFailed: boolean
    readonly isEnding: boolean
    readonly isUp: boolean
  }
}

type Siblings = ReadonlyMap<string, OrderedChild> | undefined

/**
 * The failed child and the younger siblings that depend on it, the oldest first: a row of a composition depends on the
 * rows it needs, any other child on all children before it.
 */
export function dependentsOf<Child extends OrderedChild>(failed: Child, siblings: readonly Child[]): readonly Child[] {
  const affected = new Set([failed.name])
  for (const { name, options } of siblings.slice(siblings.indexOf(failed) + 1)) {
    if (options.row === undefined || [...options.row.needs].some(need => affected.has(need))) affected.add(name)
  }
  return siblings.filter(({ name }) => affected.has(name))
}

/** A row that needs this one stops in another restart, and has not stopped yet. */
export function isInUse({ name, options }: OrderedChild, siblings: Siblings): boolean {
  if (options.row === undefined) return false
  return [...(siblings?.values() ?? [])].some(
    ({ options: { row }, lifecycle }) =>
      row?.needs.has(name) === true && (lifecycle.isGoingDown || lifecycle.hasFailed),
  )
}

/** A row that this one needs is not up, because it belongs to another restart. */
export function lacksNeeds({ options }: OrderedChild, siblings: Siblings): boolean {
  return [...(options.row?.needs ?? [])].some(need => {
    const needed = siblings?.get(need)?.lifecycle
    return needed !== undefined && !needed.isEnding && !needed.isUp
  })
}
