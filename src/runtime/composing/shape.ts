import type { Behavior, SpawnOptions } from '../actors/actor.ts'
import type { Message } from '../actors/message.ts'
import type { Ref } from '../references/actor-ref.ts'
import type { Supervision } from '../supervising/supervision.ts'
import type { PhaseOptions } from '../system/shutdown-report.ts'
import type { MadeOfInput, ModuleBehavior } from './module-behavior.ts'

/** What the compiler knows of one row of a composition. */
export interface RowShape {
  readonly message: Message
  /** What its start yields. */
  readonly started: unknown
  readonly needs: string
  readonly supervisor: string
  /** Rows above it under the same supervisor. */
  readonly elders: string
  /** Whether another thread can make its behaviour. */
  readonly placeable: boolean
}

/**
 * What the compiler knows of a composition: rows, supervisors with the names of those above them, and where the next
 * row goes.
 */
export interface Shape {
  readonly rows: { readonly [row: string]: RowShape }
  readonly supervisors: { readonly [supervisor: string]: string }
  readonly current: string
}

/** The names of the rows of a composition. */
export type RowNames<S extends Shape> = keyof S['rows'] & string

/** The names of the supervisors of a composition. */
export type SupervisorNames<S extends Shape> = keyof S['supervisors'] & string

/** The rows above the end of a supervisor: those that a new row there may need. */
export type RowsAbove<S extends Shape, U extends string> = {
  [N in RowNames<S>]: S['rows'][N]['supervisor'] extends U | S['supervisors'][U] ? N : never
}[RowNames<S>]

/** The rows above a row: those that a row in its place may need. */
export type RowsAboveRow<S extends Shape, N extends RowNames<S>> = {
  [Other in RowNames<S>]: S['rows'][Other]['supervisor'] extends S['supervisors'][S['rows'][N]['supervisor']]
    ? Other
    : Other extends S['rows'][N]['elders']
      ? Other
      : never
}[RowNames<S>]

/** The rows that some other row needs. */
export type NeededRows<S extends Shape> = S['rows'][RowNames<S>]['needs']

/** The rows that can be placed on a lane. */
export type PlaceableRows<S extends Shape> = {
  [N in RowNames<S>]: S['rows'][N]['placeable'] extends true ? N : never
}[RowNames<S>]

/** References to rows, by name. */
export type Refs<S extends Shape, Names extends string = RowNames<S>> = {
  readonly [N in Names]: Ref<S['rows'][N]['message']>
}

/** What the starts of rows yielded, by name; `undefined` for a row without `ready`. */
export type Started<S extends Shape, Names extends string = RowNames<S>> = {
  readonly [N in Names]: S['rows'][N]['started']
}

/** Any behaviour, whatever its messages. */
export interface AnyBehavior {
  readonly setup: (context: never) => unknown
  readonly options: Behavior<Message>['options']
}

/** The messages of a behaviour. */
export type MessagesOf<B> = B extends Behavior<infer M extends Message> ? M : never

/** The input that the module of a behaviour takes; `never` for a behaviour that is made here. */
export type InputOf<B> = B extends MadeOfInput<infer I> ? I : never

/** Whether another thread can make a behaviour. */
export type IsPlaceable<B> = B extends MadeOfInput<never> ? true : false

/**
 * What a rule of completion may wait with: an `AskOptions` without a deadline of its own, aborted at the deadline of
 * the start.
 */
export interface StartLimits {
  /** `Infinity`: the deadline is that of the start. */
  readonly timeoutMs: number
  /** Aborted when the start is late, or this life of the row has ended. */
  readonly signal: AbortSignal
}

/**
 * One row of a composition.
 *
 * `behavior` is called for every life of the row: at its start and at each restart, with the references of the rows it
 * needs and the latest values that their starts yielded.
 */
export interface Row<S extends Shape, U extends string, Needs extends string, B extends AnyBehavior, V>
  extends Pick<SpawnOptions, 'mailbox' | 'restart' | 'stopDeadlineMs' | 'qos'> {
  /** The supervisor whose last row this one becomes. Default: the supervisor that was declared last. */
  readonly under?: U
  /** Rows above this one. Default: none. */
  readonly needs?: readonly Needs[]
  /** What makes the behaviour here, or a behaviour that any thread can make (`fromModule`). */
  readonly behavior: ((refs: Refs<S, Needs>, started: Started<S, Needs>) => B) | ModuleBehavior<B>
  /** What the module is given: plain data and references. Only with `fromModule`. */
  readonly input?: (refs: Refs<S, Needs>, started: Started<S, Needs>) => InputOf<B>
  /** The lane it lives on. Only with `fromModule`. Default `main`: the thread that starts the composition. */
  readonly lane?: IsPlaceable<B> extends true ? string : never
  /**
   * The start is complete when this returns or resolves, and failed when it throws or rejects. What it yields is given
   * to the rows that need this one. Default: the start is complete when `setup` has run, also on another lane.
   */
  readonly ready?: (ref: Ref<MessagesOf<B>>, within: StartLimits) => V | Promise<V>
  /** Deadline of the start, and of each restart. Default 10,000. */
  readonly timeoutMs?: number
}

/** How the rows under a supervisor restart, and when they stop. */
export interface SupervisorOptions extends Supervision {
  /** The phase of shutdown in which its rows stop. Default: a phase of its own, with the supervisor's name. */
  readonly phase?: string | PhaseOptions
}

/** The shape with one more row, or with another row under that name. */
export type WithRow<S extends Shape, Name extends string, R extends RowShape> = {
  readonly rows: { readonly [N in RowNames<S> | Name]: N extends Name ? R : S['rows'][N] }
  readonly supervisors: S['supervisors']
  readonly current: S['current']
}

/** The shape of a row as it was declared. */
export type RowOf<Needs extends string, B extends AnyBehavior, V, U extends string, Elders extends string> = {
  readonly message: MessagesOf<B>
  readonly started: V
  readonly needs: Needs
  readonly supervisor: U
  readonly elders: Elders
  readonly placeable: IsPlaceable<B>
}

/** The rows of one supervisor. */
export type RowsUnder<S extends Shape, U extends string> = {
  [N in RowNames<S>]: S['rows'][N]['supervisor'] extends U ? N : never
}[RowNames<S>]

/** The shape without a row. */
export type WithoutRow<S extends Shape, Name extends string> = {
  readonly rows: { readonly [N in Exclude<RowNames<S>, Name>]: S['rows'][N] }
  readonly supervisors: S['supervisors']
  readonly current: S['current']
}

/** The shape with one more supervisor, below the others. */
export type WithSupervisor<S extends Shape, Name extends string> = {
  readonly rows: S['rows']
  readonly supervisors: {
    readonly [N in SupervisorNames<S> | Name]: N extends SupervisorNames<S> ? S['supervisors'][N] : SupervisorNames<S>
  }
  readonly current: Name
}

/** The shape of a composition without rows. */
export type EmptyShape<Name extends string> = {
  readonly rows: Readonly<Record<never, RowShape>>
  readonly supervisors: { readonly [N in Name]: never }
  readonly current: Name
}

/** What a wrong argument is compared with: its text is the error that the compiler prints. */
export interface Refused<Why extends string> {
  readonly refused: Why
}

/**
 * Whether a row may take the place of another: it accepts at least the same messages, and its start yields what rows
 * below expect. While the compiler has not inferred the behaviour yet, it may.
 */
export type MayReplace<Old extends RowShape, B extends AnyBehavior, V> = AnyBehavior extends B
  ? unknown
  : [Old['message']] extends [MessagesOf<B>]
    ? [V] extends [Old['started']]
      ? unknown
      : Refused<'expected a start that yields what the replaced row yields'>
    : Refused<'expected a behaviour that accepts at least the messages of the replaced row'>

/** A module that takes an input is given one. */
export type HasInput<B extends AnyBehavior> = AnyBehavior extends B
  ? unknown
  : [InputOf<B>] extends [never]
    ? unknown
    : undefined extends InputOf<B>
      ? unknown
      : { readonly input: unknown }
