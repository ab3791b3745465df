import type { MailboxOptions, OverflowPolicy } from '../actors/mailbox.ts'
import type { ChildState } from '../supervising/child-state.ts'
import type { RestartKind, Supervision, SupervisionStrategy } from '../supervising/supervision.ts'
import type { ActorMetrics, HistogramSummary } from './histogram.ts'

/** One actor and its descendants, as data. */
export interface Inspection {
  readonly name: string
  readonly path: string
  readonly state: ChildState
  readonly restart: RestartKind
  /** How it supervises its children. */
  readonly strategy: SupervisionStrategy
  readonly mailbox: { readonly depth: number; readonly capacity: number; readonly overflow: OverflowPolicy }
  readonly processed: number
  readonly dropped: number
  readonly restarts: number
  /** Handlers whose promises are pending. */
  readonly inFlight: number
  readonly timers: number
  readonly stashed: number
  /** The value of the function given to `context.describe`, for example the state of a machine. */
  readonly description?: unknown
  /** Present if the system is measured. */
  readonly inMailbox?: HistogramSummary
  readonly inHandler?: HistogramSummary
  readonly children: readonly Inspection[]
}

/** One life of an actor, as inspections show it. */
export interface InspectableLife {
  /** What the behaviour says of itself. */
  readonly description: unknown
  readonly timerCount: number
  readonly stashSize: number
}

/** An actor that can be inspected. */
export interface Inspectable {
  readonly name: string
  readonly path: string
  readonly lifecycle: {
    readonly state: ChildState
    readonly restartKind: RestartKind
    readonly restarts: number
    /** Undefined before the first life and while the actor is down. */
    readonly life: InspectableLife | undefined
  }
  readonly supervision: Supervision
  readonly mailbox: { readonly size: number }
  readonly capacity: number
  readonly options: { readonly mailbox?: MailboxOptions }
  readonly metrics: ActorMetrics | undefined
  readonly processed: number
  readonly dropped: number
  readonly inFlight: number
  readonly children: ReadonlyMap<string, Inspectable> | undefined
}

/** An actor and its descendants as data. */
export function inspect(actor: Inspectable): Inspection {
  const { name, path, lifecycle, mailbox, capacity, metrics, processed, dropped, inFlight, children } = actor
  const { life } = lifecycle
  const description = life?.description
  return {
    name,
    path: path || '/',
    state: lifecycle.state,
    restart: lifecycle.restartKind,
    strategy: actor.supervision.strategy ?? 'one-for-one',
    mailbox: { depth: mailbox.size, capacity, overflow: actor.options.mailbox?.overflow ?? 'reject' },
    processed,
    dropped,
    restarts: lifecycle.restarts,
    inFlight,
    timers: life?.timerCount ?? 0,
    stashed: life?.stashSize ?? 0,
    ...(description === undefined ? {} : { description }),
    ...(metrics === undefined
      ? {}
      : { inMailbox: metrics.inMailbox.summary(), inHandler: metrics.inHandler.summary() }),
    children: Array.from(children?.values() ?? [], inspect),
  }
}

/** The tree as text, one line for each actor. */
export function formatTree(inspection: Inspection, depth = 0): string {
  const { name, state, mailbox, processed, restarts, children } = inspection
  const line = `${'  '.repeat(depth)}${name || '/'} ${state}, ${mailbox.depth} waiting, ${processed} handled, ${restarts} restarts`
  return [line, ...children.map(child => formatTree(child, depth + 1))].join('\n')
}
