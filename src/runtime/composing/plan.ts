import type { Behavior } from '../actors/actor.ts'
import type { MailboxOptions } from '../actors/mailbox.ts'
import type { Message } from '../actors/message.ts'
import { received, SpimplError } from '../errors.ts'
import type { QualityOfService } from '../queues/quality-of-service.ts'
import type { Ref } from '../references/actor-ref.ts'
import type { RestartKind, Supervision } from '../supervising/supervision.ts'
import type { PhaseOptions } from '../system/shutdown-report.ts'
import type { ModuleBehavior } from './module-behavior.ts'
import type { StartLimits } from './shape.ts'

/** The lane of the thread that starts a composition. */
export const HERE = 'main'

const DEFAULT_START_TIMEOUT_MS = 10_000

type ByName<T> = Readonly<Record<string, T>>
/** What makes something of the references and start values of the rows that a row needs. */
export type FromNeeds<T> = (refs: ByName<Ref<Message>>, started: ByName<unknown>) => T

/** A row as it will be started: what `with` was given, checked, with its defaults. */
export interface PlannedRow {
  readonly name: string
  readonly supervisor: string
  readonly needs: readonly string[]
  readonly lane: string
  readonly behavior: FromNeeds<Behavior<Message>> | ModuleBehavior<unknown>
  readonly input: FromNeeds<unknown>
  readonly ready: ((ref: Ref<Message>, within: StartLimits) => unknown) | undefined
  readonly timeoutMs: number
  readonly spawning: {
    readonly mailbox?: MailboxOptions
    readonly restart?: RestartKind
    readonly stopDeadlineMs?: number
    readonly qos?: QualityOfService
  }
}

/** A supervisor as it will be started. */
export interface PlannedSupervisor {
  readonly name: string
  readonly supervision: Supervision
  readonly phase: PhaseOptions
}

/**
 * A composition as data. The rows stand in the order of their start: by supervisor, under each in the order of
 * declaration.
 */
export interface Plan {
  readonly name: string
  readonly supervisors: readonly PlannedSupervisor[]
  readonly rows: readonly PlannedRow[]
  /** Where the next row goes. */
  readonly current: string
}

/** What `with` and `replace` are given, as the compiler leaves it. */
export interface RowInput extends Record<keyof PlannedRow['spawning'], unknown> {
  readonly under: unknown
  readonly needs: unknown
  readonly behavior: unknown
  readonly input: unknown
  readonly lane: unknown
  readonly ready: unknown
  readonly timeoutMs: unknown
}

/** An error of a composition, for the caller's eyes. */
export function invalid(expected: string, got: unknown): SpimplError {
  return new SpimplError('CONFIG_INVALID', `expected ${expected}, got ${typeof got === 'string' ? got : received(got)}`)
}

/** A name is one segment of a path and a key of `refs`. */
export function checkedName(what: string, name: unknown): string {
  if (typeof name === 'string' && /^[^\s/"|]+$/.test(name) && name !== '__proto__') return name
  throw invalid(`a name of a ${what} without spaces, slashes, bars and quotes`, name)
}

const STRATEGIES: readonly unknown[] = ['one-for-one', 'one-for-all', 'rest-for-one']
const RESTARTS: readonly unknown[] = ['permanent', 'transient', 'temporary']
const isFunction = (value: unknown): boolean => typeof value === 'function'
const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0

/** The supervisor of `supervisor(name, options)`, checked. @param above the supervisors above it */
export function plannedSupervisor(
  name: string,
  options: unknown,
  above: readonly PlannedSupervisor[],
): PlannedSupervisor {
  if (typeof options !== 'object' || options === null) throw invalid(`options of the supervisor ${name}`, options)
  const { phase = name, ...supervision } = options as Supervision & { readonly phase?: string | PhaseOptions }
  const { strategy = 'rest-for-one', intensity, backoff, ...unknown } = supervision
  const of = `of the supervisor ${name}`
  const [unknownName] = Object.keys(unknown)
  if (unknownName !== undefined) throw invalid(`an option ${of}`, unknownName)
  if (!STRATEGIES.includes(strategy)) throw invalid(`a strategy ${of}: ${STRATEGIES.join(', ')}`, strategy)
  if (intensity !== undefined && !(isCount(intensity.restarts) && isCount(intensity.withinMs)))
    throw invalid(`an intensity ${of}: restarts and withinMs from 0 on`, intensity)
  if (backoff !== undefined && !(isCount(backoff.minMs) && isCount(backoff.maxMs)))
    throw invalid(`a backoff ${of}: minMs and maxMs from 0 on`, backoff)
  const named = typeof phase === 'string' ? { name: phase } : phase
  if (typeof named?.name !== 'string' || named.name === '') throw invalid(`a phase with a name ${of}`, phase)
  if (!isCount(named.deadlineMs ?? 0))
    throw invalid(`a deadline from 0 ms on of the phase ${named.name}`, named.deadlineMs)
  // Otherwise a row could stop after a row that it needs.
  if (above.slice(0, -1).some(other => other.phase.name === named.name) && above.at(-1)!.phase.name !== named.name)
    throw invalid(`a phase ${of} that is new, or that of ${above.at(-1)!.name} above it`, named.name)
  return Object.freeze({
    name,
    supervision: Object.freeze({ ...supervision, strategy }),
    phase: Object.freeze({ ...named }),
  })
}

/** The row of `with(name, options)`, checked. @param above the rows that it may need */
export function plannedRow(name: string, options: unknown, supervisor: string, above: readonly string[]): PlannedRow {
  if (typeof options !== 'object' || options === null) throw invalid(`options of the row ${name}`, options)
  const { needs = [], behavior, input, lane = HERE, ready, timeoutMs, ...others } = options as RowInput
  if (!Array.isArray(needs)) throw invalid(`a list of names as the needs of ${name}`, needs)
  for (const need of needs) {
    if (!above.includes(need))
      throw invalid(`the needs of ${name} to be rows above it (${above.join(', ') || 'none'})`, need)
  }
  if (!isFunction(behavior) && !isModule(behavior))
    throw invalid(`a function or fromModule() as the behaviour of ${name}`, behavior)
  if (input !== undefined && !isFunction(input)) throw invalid(`a function that makes the input of ${name}`, input)
  if (input !== undefined && !isModule(behavior))
    throw invalid(`no input of ${name}, whose behaviour is made here`, 'one')
  if (ready !== undefined && !isFunction(ready)) throw invalid(`a function that tells when ${name} is ready`, ready)
  if (timeoutMs !== undefined && !(isCount(timeoutMs) && timeoutMs > 0))
    throw invalid(`a timeoutMs of ${name} above 0`, timeoutMs)
  const { mailbox, restart, stopDeadlineMs, qos, under: _, ...unknown } = others
  const [unknownName] = Object.keys(unknown)
  if (unknownName !== undefined) throw invalid(`an option of a row in ${name}`, unknownName)
  if (restart !== undefined && !RESTARTS.includes(restart))
    throw invalid(`a restart of ${name}: ${RESTARTS.join(', ')}`, restart)
  const spawning = Object.entries({ mailbox, restart, stopDeadlineMs, qos }).filter(([, value]) => value !== undefined)
  const row = {
    name,
    supervisor,
    needs: Object.freeze([...new Set(needs as string[])]),
    lane: HERE,
    behavior: behavior as PlannedRow['behavior'],
    input: (input ?? (() => undefined)) as PlannedRow['input'],
    ready: ready as PlannedRow['ready'],
    timeoutMs: timeoutMs ?? DEFAULT_START_TIMEOUT_MS,
    spawning: Object.freeze(Object.fromEntries(spawning)),
  }
  return placedRow(row, lane)
}

/** The row on another lane. */
export function placedRow(row: PlannedRow, lane: unknown): PlannedRow {
  const name = checkedName('lane', lane)
  if (name !== HERE && !isModule(row.behavior))
    throw invalid(`a behaviour fromModule() of ${row.name}, to place it on ${name}`, 'one that is made here')
  return Object.freeze({ ...row, lane: name })
}

/** Whether any thread can make it. */
export function isModule(behavior: unknown): behavior is ModuleBehavior<unknown> {
  return typeof behavior === 'object' && behavior !== null && 'module' in behavior && 'name' in behavior
}

/** The rows that a new last row of a supervisor may need: those under it and under the supervisors above it. */
export function rowsAbove({ rows, supervisors }: Plan, supervisor: string): readonly PlannedRow[] {
  const last = supervisors.findIndex(({ name }) => name === supervisor)
  return rows.filter(row => supervisors.findIndex(({ name }) => name === row.supervisor) <= last)
}

/** The supervisors that have rows: the others are not started. */
export function supervisorsOf({ rows, supervisors }: Plan): readonly PlannedSupervisor[] {
  return supervisors.filter(({ name }) => rows.some(row => row.supervisor === name))
}

/** The phases of shutdown, in their order: what was started last stops first. */
export function phasesOf(plan: Plan): readonly PhaseOptions[] {
  const phases = new Map<string, PhaseOptions>()
  for (const { phase } of supervisorsOf(plan)) phases.set(phase.name, { ...phases.get(phase.name), ...phase })
  return [...phases.values()].reverse()
}

/** The plan with its parts in order, frozen. */
export function plan(parts: Plan): Plan {
  const at = new Map(parts.supervisors.map(({ name }, index) => [name, index]))
  const rows = parts.rows.toSorted((one, other) => at.get(one.supervisor)! - at.get(other.supervisor)!)
  return Object.freeze({ ...parts, supervisors: Object.freeze([...parts.supervisors]), rows: Object.freeze(rows) })
}
