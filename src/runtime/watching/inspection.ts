import type { ActorCell } from '../actors/actor-cell.ts'
import type { OverflowPolicy } from '../actors/mailbox.ts'
import type { ChildState } from '../supervising/child-state.ts'
import type { RestartKind, SupervisionStrategy } from '../supervising/supervision.ts'
import type { HistogramSummary } from './histogram.ts'

/** One actor and those below it, as data. */
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
  /** Handlers that await. */
  readonly inFlight: number
  readonly timers: number
  readonly stashed: number
  /** What the behaviour says of itself with `context.describe`: the state of its machine, say. */
  readonly description?: unknown
  /** Only while the system is measured. */
  readonly inMailbox?: HistogramSummary
  readonly inHandler?: HistogramSummary
  readonly children: readonly Inspection[]
}

export function inspect(cell: ActorCell): Inspection {
  const { mailbox, metrics, options } = cell
  const context = cell.incarnation
  const description = context?.description()
  return {
    name: cell.name,
    path: cell.path || '/',
    state: cell.lifecycle.state,
    restart: options.restart ?? 'transient',
    strategy: cell.behavior.options.supervision?.strategy ?? 'one-for-one',
    mailbox: { depth: mailbox.size, capacity: cell.capacity, overflow: options.mailbox?.overflow ?? 'reject' },
    processed: cell.processed,
    dropped: cell.dropped,
    restarts: cell.restarts,
    inFlight: cell.inFlight,
    timers: context?.timerCount ?? 0,
    stashed: context?.stashSize ?? 0,
    ...(description === undefined ? {} : { description }),
    ...(metrics === undefined
      ? {}
      : { inMailbox: metrics.inMailbox.summary(), inHandler: metrics.inHandler.summary() }),
    children: [...(cell.children?.values() ?? [])].map(inspect),
  }
}

/** The tree as text, a line an actor. */
export function formatTree(inspection: Inspection, depth = 0): string {
  const { name, state, mailbox, processed, restarts, children } = inspection
  const line = `${'  '.repeat(depth)}${name || '/'} ${state}, ${mailbox.depth} waiting, ${processed} handled, ${restarts} restarts`
  return [line, ...children.map(child => formatTree(child, depth + 1))].join('\n')
}
