import { type ActorContext, type Behavior, behavior } from '../actors/actor.ts'
import { cellOf } from '../actors/actor-cell.ts'
import type { Handlers, Message } from '../actors/message.ts'
import { received, SpimplError } from '../errors.ts'
import type { MakeBehavior } from '../lanes/behavior-loader.ts'
import type { Lane } from '../lanes/lane.ts'
import { Timer } from '../queues/timer-wheel.ts'
import type { Ref } from '../references/actor-ref.ts'
import type { RowRule } from '../supervising/row-rule.ts'
import type { RestartKind } from '../supervising/supervision.ts'
import type { StopReason } from '../supervising/termination.ts'
import { isModule, type PlannedRow } from './plan.ts'

/** What a row finds of the others: references and start values of the rows that it needs. */
export interface Surroundings {
  readonly refs: Readonly<Record<string, Ref<Message>>>
  readonly started: Readonly<Record<string, unknown>>
}

/** Where a behaviour that a module makes lives. */
export type Home = { readonly lane: Lane } | { readonly make: MakeBehavior } | undefined

/** How the first start of a row ended. */
export type FirstStart = { readonly ok: true } | { readonly ok: false; readonly reason: StopReason }

/** Deadline of one start. */
class StartDeadline extends Timer {
  readonly #late: () => void

  constructor(late: () => void) {
    super()
    this.#late = late
  }

  override fire(): void {
    this.#late()
  }
}

/**
 * A row of a composition that runs: makes its behaviour for each life of its actor, waits until a start is complete,
 * and keeps what the start yielded.
 */
export class RowLife implements RowRule {
  readonly row: PlannedRow
  readonly needs: ReadonlySet<string>
  hasStarted = false
  /** What the latest start yielded. */
  value: unknown
  /** Settles when the first start is complete, or has failed, or when the actor has ended before that. */
  readonly firstStart: Promise<FirstStart>
  readonly #surroundings: Surroundings
  readonly #home: Home
  readonly #onEnded: (reason: StopReason) => void
  #settle: (outcome: FirstStart) => void = () => {}
  /** Of the present life. */
  #context: ActorContext<Message> | undefined
  #alive = new AbortController()
  /** Made when the row was spawned, for its first life. */
  #first: Behavior<Message> | undefined

  constructor(row: PlannedRow, surroundings: Surroundings, home: Home, onEnded: (reason: StopReason) => void) {
    this.row = row
    this.needs = new Set(row.needs)
    this.#surroundings = surroundings
    this.#home = home
    this.#onEnded = onEnded
    this.firstStart = new Promise(resolve => {
      this.#settle = resolve
    })
  }

  get restart(): RestartKind {
    return this.hasStarted ? (this.row.spawning.restart ?? 'transient') : 'temporary'
  }

  /** What the actor does in all of its lives. The options of the behaviour are those of the first. */
  behavior(): Behavior<Message> {
    const first = this.#make()
    this.#first = first
    return behavior<Message>(context => this.#begin(context), first.options)
  }

  complete(): Promise<unknown> | undefined {
    const { ready } = this.row
    const lane = this.#home !== undefined && 'lane' in this.#home ? this.#home.lane : undefined
    if (ready === undefined && lane === undefined) return undefined
    const context = this.#context!
    const { signal } = this.#alive
    const within = { timeoutMs: Number.POSITIVE_INFINITY, signal }
    const { self } = context
    const isUp = lane === undefined ? Promise.resolve() : lane.up(cellOf(self))
    return this.#inTime(
      context,
      isUp.then(() => (signal.aborted ? undefined : ready?.(self, within))),
    )
  }

  completed(value: unknown): void {
    this.value = value
    if (this.hasStarted) return
    this.hasStarted = true
    this.#settle({ ok: true })
  }

  failedToStart(error: unknown): void {
    this.#settle({ ok: false, reason: { type: 'failed', error } })
  }

  ended(reason: StopReason): void {
    this.#settle({ ok: false, reason })
    this.#onEnded(reason)
  }

  #begin(context: ActorContext<Message>): Handlers<Message> {
    const alive = new AbortController()
    this.#context = context
    this.#alive = alive
    context.onStop(() => alive.abort())
    // A life that went down before its `setup` ran leaves a behaviour of values that are over.
    const isFirst = cellOf(context.self).lifecycle.restarts === 0
    const made = isFirst && this.#first !== undefined ? this.#first : this.#make()
    this.#first = undefined
    return made.setup(context)
  }

  #make(): Behavior<Message> {
    const { behavior, input, needs } = this.row
    const refs = picked(this.#surroundings.refs, needs)
    const started = picked(this.#surroundings.started, needs)
    if (!isModule(behavior)) {
      const made: unknown = behavior(refs, started)
      if (isBehavior(made)) return made
      throw new SpimplError('CONFIG_INVALID', `expected a behaviour of the row ${this.row.name}, got ${received(made)}`)
    }
    const home = this.#home!
    const made = input(refs, started)
    return 'make' in home ? home.make(made) : home.lane.behavior({ ...behavior, input: made })
  }

  /** Rejects at the deadline of the start. */
  #inTime(context: ActorContext<Message>, done: Promise<unknown>): Promise<unknown> {
    const { name, timeoutMs } = this.row
    const alive = this.#alive
    const { main } = context.system
    return new Promise((resolve, reject) => {
      const expected = `expected the start of ${name} to be complete within ${timeoutMs} ms`
      const deadline = new StartDeadline(() => {
        reject(new SpimplError('START_TIMEOUT', expected))
        alive.abort()
      })
      main.setTimer(deadline, context.now() + timeoutMs)
      const over = () => void main.cancelTimer(deadline)
      alive.signal.addEventListener('abort', over)
      done.then(resolve, reject).finally(over)
    })
  }
}

const isBehavior = (value: unknown): value is Behavior<Message> =>
  typeof value === 'object' && value !== null && 'setup' in value && typeof value.setup === 'function'

function picked<T>(from: Readonly<Record<string, T>>, names: readonly string[]): Readonly<Record<string, T>> {
  return Object.fromEntries(names.map(name => [name, from[name]!]))
}
