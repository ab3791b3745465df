import { describeRows, type RowDescription, toMermaid, toText } from './diagram.ts'
import {
  checkedName,
  invalid,
  type Plan,
  type PlannedRow,
  placedRow,
  plan,
  plannedRow,
  plannedSupervisor,
  rowsAbove,
} from './plan.ts'
import { type RunningComposition, type StartOptions, startPlan } from './running.ts'
import type {
  AnyBehavior,
  EmptyShape,
  HasInput,
  MayReplace,
  NeededRows,
  PlaceableRows,
  Refused,
  Row,
  RowNames,
  RowOf,
  RowsAbove,
  RowsAboveRow,
  RowsUnder,
  Shape,
  SupervisorNames,
  SupervisorOptions,
  WithoutRow,
  WithRow,
  WithSupervisor,
} from './shape.ts'

/**
 * A program as a value: actors in rows, the rows under supervisors. A row declares what it needs of the rows above it;
 * the compiler, the pictures and the supervisors know it from there. Every verb returns another composition and leaves
 * this one as it is.
 *
 * - **Starting** goes from the first row to the last, each when the start of the one before it is complete. If one
 *   fails, nothing is left running, and the error names it.
 * - **Failing** is a supervisor's matter: `rest-for-one` restarts the row and the rows under the same supervisor that
 *   need it, also through others; `one-for-one` the row alone; `one-for-all` all rows of the supervisor. Rows go down
 *   before what they need, and come up after it. References outlive restarts. A row under another supervisor keeps its
 *   reference and is not restarted. A supervisor whose rows restart too often ends the composition.
 * - **Stopping** goes the way back, phase by phase.
 *
 * @example
 * const shop = composition('shop')
 *   .with('stock', { behavior: () => counter })
 *   .with('till', { needs: ['stock'], behavior: ({ stock }) => till(stock) })
 * console.log(`${shop.without('till')}`)
 */
export class Composition<S extends Shape> {
  readonly name: string
  readonly #plan: Plan

  /** @internal `composition()` makes the first, the verbs the others. */
  constructor(plan: Plan) {
    this.#plan = plan
    this.name = plan.name
    Object.freeze(this)
  }

  /** The rows as data, in the order of their start. */
  get rows(): readonly RowDescription[] {
    return describeRows(this.#plan)
  }

  /**
   * Declares a supervisor below the others. Rows that name none in `under` go to the one that was declared last.
   * @throws SpimplError `CONFIG_INVALID`
   */
  supervisor<const Name extends string>(
    name: Name extends SupervisorNames<S> ? Refused<'expected a new name of a supervisor'> : Name,
    options: SupervisorOptions = {},
  ): Composition<WithSupervisor<S, Name>> {
    const { supervisors } = this.#plan
    const checked = checkedName('supervisor', name)
    if (supervisors.some(known => known.name === checked)) throw invalid('a new name of a supervisor', checked)
    const added = plannedSupervisor(checked, options, supervisors)
    return this.#next({ supervisors: [...supervisors, added], current: checked })
  }

  /**
   * Adds a row below those of its supervisor. It may need rows of that supervisor and of the supervisors above.
   * @throws SpimplError `CONFIG_INVALID`
   */
  with<
    const Name extends string,
    B extends AnyBehavior,
    U extends SupervisorNames<S> = S['current'] & SupervisorNames<S>,
    Needs extends RowsAbove<S, U> = never,
    V = undefined,
  >(
    name: Name extends RowNames<S> ? Refused<'expected a new name of a row'> : Name,
    row: Row<S, U, Needs, B, V> & HasInput<B>,
  ): Composition<WithRow<S, Name, RowOf<Needs, B, V, U, RowsUnder<S, U>>>> {
    const { rows, current } = this.#plan
    const checked = checkedName('row', name)
    if (rows.some(known => known.name === checked)) throw invalid('a new name of a row', checked)
    const under = row?.under ?? current
    if (!this.#plan.supervisors.some(known => known.name === under)) throw invalid('a declared supervisor', under)
    const above = rowsAbove(this.#plan, under).map(({ name }) => name)
    return this.#next({ rows: [...rows, plannedRow(checked, row, under, above)] })
  }

  /**
   * Leaves out a row that no other one needs.
   * @throws SpimplError `CONFIG_INVALID`
   */
  without<const Name extends RowNames<S>>(
    name: Name extends NeededRows<S> ? Refused<'expected a row that no other row needs'> : Name,
  ): Composition<WithoutRow<S, Name>> {
    const { name: known } = this.#row(name)
    const user = this.#plan.rows.find(({ needs }) => needs.includes(known))
    if (user !== undefined) throw invalid(`a row that no other row needs`, `${known}, which ${user.name} needs`)
    return this.#next({ rows: this.#plan.rows.filter(row => row.name !== known) })
  }

  /**
   * Puts another row in the place of one. It needs only rows above that place, accepts at least the same messages, and
   * its start yields what the rows below expect. It lives on `main`, unless its own `lane` says otherwise.
   * @throws SpimplError `CONFIG_INVALID`
   */
  replace<
    const Name extends RowNames<S>,
    B extends AnyBehavior,
    Needs extends RowsAboveRow<S, Name> = never,
    V = undefined,
  >(
    name: Name,
    row: Row<S, never, Needs, B, V> & MayReplace<S['rows'][Name], B, V> & HasInput<B>,
  ): Composition<WithRow<S, Name, RowOf<Needs, B, V, S['rows'][Name]['supervisor'], S['rows'][Name]['elders']>>> {
    const old = this.#row(name)
    const { rows } = this.#plan
    const above = rows.slice(0, rows.indexOf(old)).map(({ name }) => name)
    return this.#next({ rows: rows.with(rows.indexOf(old), plannedRow(old.name, row, old.supervisor, above)) })
  }

  /**
   * Puts a row on a lane: a thread with that name, shared by all rows that name it; `main` is the thread that starts
   * the composition. In a simulation, which has no threads, the row lives on the one that there is.
   * @throws SpimplError `CONFIG_INVALID`
   */
  place(name: PlaceableRows<S>, lane: string): Composition<S> {
    const old = this.#row(name)
    const { rows } = this.#plan
    return this.#next({ rows: rows.with(rows.indexOf(old), placedRow(old, lane)) })
  }

  /**
   * Starts the rows, each when the start of the one above it is complete.
   * @param options a system to start in, or the options of a new one
   * @throws SpimplError `START_FAILED` that names the row and has its failure as `cause`, when nothing is left running
   */
  async start(options: StartOptions = {}): Promise<RunningComposition<S>> {
    return (await startPlan(this.#plan, options)) as unknown as RunningComposition<S>
  }

  /** The table of the rows, in the notation of Markdown. */
  toText(): string {
    return toText(this.#plan)
  }

  /**
   * A flowchart in the notation of Mermaid: supervisors with their rows, and an arrow from each row to what it needs.
   */
  toMermaid(): string {
    return toMermaid(this.#plan)
  }

  toString(): string {
    return this.toText()
  }

  #row(name: unknown): PlannedRow {
    const row = this.#plan.rows.find(row => row.name === name)
    if (row === undefined) throw invalid(`a row of ${this.name}`, name)
    return row
  }

  #next<Next extends Shape>(changed: Partial<Plan>): Composition<Next> {
    return new Composition<Next>(plan({ ...this.#plan, ...changed }))
  }
}

/**
 * A composition without rows. Until a supervisor is declared, rows go to one that has the composition's name,
 * `rest-for-one`.
 *
 * @example
 * const shop = composition('shop')
 *   .with('stock', { behavior: () => counter })
 *   .with('till', { needs: ['stock'], behavior: ({ stock }) => till(stock) })
 * await using running = await shop.start()
 * running.refs.till.tell({ type: 'sold', pieces: 2 })
 */
export function composition<const Name extends string>(
  name: Name,
  options: SupervisorOptions = {},
): Composition<EmptyShape<Name>> {
  const checked = checkedName('composition', name)
  return new Composition(
    plan({ name: checked, supervisors: [plannedSupervisor(checked, options, [])], rows: [], current: checked }),
  )
}
