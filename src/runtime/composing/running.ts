import { type Behavior, behavior, type SpawnOptions } from '../actors/actor.ts'
import { type ActorCell, cellOf } from '../actors/actor-cell.ts'
import type { Message } from '../actors/message.ts'
import { received, SpimplError } from '../errors.ts'
import { loadBehavior, type MakeBehavior } from '../lanes/behavior-loader.ts'
import type { Lane } from '../lanes/lane.ts'
import type { Ref } from '../references/actor-ref.ts'
import type { RowRule } from '../supervising/row-rule.ts'
import type { StopReason } from '../supervising/termination.ts'
import { DEFAULT_DEADLINE_MS, type PhaseReport, type ShutdownReport } from '../system/shutdown-report.ts'
import { System, type SystemOptions } from '../system/system.ts'
import { describeRows } from './diagram.ts'
import { HERE, invalid, isModule, type Plan, type PlannedRow, type PlannedSupervisor, phasesOf } from './plan.ts'
import { type Home, RowLife } from './row-life.ts'
import type { Refs, Shape, Started } from './shape.ts'

/** What a composition starts in: a system of its own, made with these options, or a system that runs already. */
export type StartOptions =
  | (Omit<SystemOptions, 'phases' | 'supervision' | 'laneId'> & { readonly system?: undefined })
  | {
      readonly system: System
      /** An actor above the supervisors, so that compositions with the same names run in one system. Default: none. */
      readonly name?: string
    }

/** A composition that runs. */
export interface RunningComposition<S extends Shape> extends AsyncDisposable {
  readonly system: System
  /** References to the rows. They outlive restarts. */
  readonly refs: Refs<S>
  /** What the latest start of each row yielded. */
  readonly started: Started<S>
  /**
   * Stops the rows in the reverse order of their start, phase by phase, and the system, if it is the composition's own.
   */
  stop(): Promise<ShutdownReport>
  /** Settles when all rows have stopped, by whatever cause; `failure` is why the composition stopped by itself. */
  readonly terminated: Promise<ShutdownReport>
}

/** The modules that are made on this thread: all of them in a simulation, which has no threads. */
export async function loadModules({ name, rows }: Plan, isSimulated: boolean): Promise<Map<string, MakeBehavior>> {
  const makers = new Map<string, MakeBehavior>()
  for (const row of rows) {
    if (!isModule(row.behavior) || (row.lane !== HERE && !isSimulated)) continue
    try {
      makers.set(row.name, await loadBehavior(row.behavior))
    } catch (error) {
      throw startFailed(name, row.name, error)
    }
  }
  return makers
}

/** Starts a plan. @throws SpimplError `START_FAILED`, `CONFIG_INVALID` */
export async function startPlan(plan: Plan, options: StartOptions): Promise<Run> {
  if (typeof options !== 'object' || options === null) throw invalid('options of the start', options)
  const { system } = options
  if (system !== undefined && !(system instanceof System)) throw invalid('a System as `system`', typeof system)
  const executor = system === undefined ? (options as SystemOptions).executor : system.main.executor
  if (executor !== undefined && typeof executor.attach !== 'function')
    throw invalid('an Executor as `executor`', executor)
  const makers = await loadModules(plan, executor?.name === 'simulation')
  const run = new Run(plan, options, makers)
  await run.start()
  return run
}

interface RunningSupervisor {
  readonly planned: PlannedSupervisor
  readonly cell: ActorCell
  readonly ended: Promise<void>
}

/** A plan that runs. */
export class Run implements AsyncDisposable {
  /** Bound, because callers take it out of the object. */
  readonly stop = (): Promise<ShutdownReport> => this.#stop()
  readonly system: System
  readonly refs: Record<string, Ref<Message>> = {}
  readonly started: Record<string, unknown> = {}
  readonly terminated: Promise<ShutdownReport>
  readonly #plan: Plan
  readonly #makers: ReadonlyMap<string, MakeBehavior>
  readonly #isOwner: boolean
  readonly #name: string | undefined
  #top: ActorCell | undefined
  readonly #supervisors = new Map<string, RunningSupervisor>()
  readonly #lanes = new Map<string, Lane>()
  readonly #late: string[] = []
  #terminate: (report: ShutdownReport) => void = () => {}
  #stopping: Promise<void> | undefined
  #running = 0
  #failure: { readonly failure?: unknown } = {}

  constructor(plan: Plan, options: StartOptions, makers: ReadonlyMap<string, MakeBehavior>) {
    this.#plan = plan
    this.#makers = makers
    this.#isOwner = options.system === undefined
    this.#name = this.#isOwner ? undefined : options.name
    // A supervisor whose rows restart too often fails, and nothing is left but to end and say why.
    const supervision = { intensity: { restarts: 0, withinMs: 1 } }
    const { system = new System({ name: plan.name, ...options, supervision, phases: phasesOf(plan) }) } = options
    this.system = system
    this.terminated = this.#isOwner
      ? system.terminated.then(withoutRoot)
      : new Promise(resolve => {
          this.#terminate = resolve
        })
  }

  /** @throws SpimplError `START_FAILED` that names the row and its failure, when nothing of the composition is left */
  async start(): Promise<void> {
    for (const row of this.#plan.rows) {
      const failure = await this.#startRow(row).catch((error: unknown) => ({ error }))
      if (failure === undefined) continue
      const { failure: cause } = await this.stop()
      const stopped = new SpimplError('ACTOR_STOPPED', `${row.name} was stopped before its start was complete`)
      throw startFailed(this.#plan.name, row.name, 'error' in failure ? failure.error : (cause ?? stopped))
    }
  }

  async #stop(): Promise<ShutdownReport> {
    if (this.#isOwner) return withoutRoot(await this.system.stop())
    this.#stopping ??= this.#stopPhases()
    return await this.terminated
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** @returns why the row has not started; an error of `undefined` where it was stopped */
  async #startRow(row: PlannedRow): Promise<{ readonly error?: unknown } | undefined> {
    const { cell: supervisor } = this.#supervisorOf(row)
    const life = new RowLife(row, this, this.#homeOf(row), reason =>
      this.#onLate(`${supervisor.path}/${row.name}`, reason),
    )
    const cell = supervisor.spawn(life.behavior(), { ...row.spawning, name: row.name, row: life })
    this.refs[row.name] = cell.ref
    Object.defineProperty(this.started, row.name, { enumerable: true, get: () => life.value })
    const outcome = await life.firstStart
    if (outcome.ok) return undefined
    return outcome.reason.type === 'failed' ? { error: outcome.reason.error } : {}
  }

  /** In a system of its own a composition needs no actor above its supervisors: the system is that. */
  #spawn(supervisor: Behavior<never>, options: SpawnOptions): ActorCell {
    if (this.#name === undefined) return cellOf(this.system.spawn(supervisor, options))
    this.#top ??= this.#spawnTop(this.#name)
    return this.#top.spawn(supervisor as unknown as Behavior<Message>, options)
  }

  #spawnTop(name: string): ActorCell {
    const top = behavior<never>(context => {
      context.describe(() => ({ composition: this.#plan.name }))
      return {}
    })
    return cellOf(this.system.spawn(top, { name, restart: 'temporary' }))
  }

  #supervisorOf(row: PlannedRow): RunningSupervisor {
    const known = this.#supervisors.get(row.supervisor)
    if (known !== undefined) return known
    const planned = this.#plan.supervisors.find(({ name }) => name === row.supervisor)!
    const { name, supervision, phase } = planned
    const rows = describeRows(this.#plan).filter(({ supervisor }) => supervisor === name)
    const supervisor = behavior<never>(
      context => {
        context.describe(() => ({ composition: this.#plan.name, phase: phase.name, rows }))
        return {}
      },
      { supervision },
    )
    let end: () => void = () => {}
    const ended = new Promise<void>(resolve => {
      end = resolve
    })
    const rule: RowRule = {
      needs: new Set(),
      hasStarted: true,
      restart: this.#isOwner ? 'transient' : 'temporary',
      complete: () => undefined,
      completed: () => {},
      failedToStart: () => {},
      ended: reason => {
        end()
        this.#onSupervisorEnded(reason)
      },
    }
    // In somebody else's system its failure is the composition's alone, and its phase has no deadline but this.
    const stopDeadlineMs = phase.deadlineMs ?? DEFAULT_DEADLINE_MS
    const { restart } = rule
    const options = { name, phase: phase.name, restart, row: rule, ...(this.#isOwner ? {} : { stopDeadlineMs }) }
    const running = { planned, ended, cell: this.#spawn(supervisor, options) }
    this.#running++
    this.#supervisors.set(name, running)
    return running
  }

  #homeOf(row: PlannedRow): Home {
    if (!isModule(row.behavior)) return undefined
    const make = this.#makers.get(row.name)
    if (make !== undefined) return { make }
    const lane = this.#lanes.get(row.lane) ?? this.system.lane({ name: row.lane })
    this.#lanes.set(row.lane, lane)
    return { lane }
  }

  #onLate(path: string, reason: StopReason): void {
    if (reason.type === 'late') this.#late.push(path)
  }

  /** In a system of its own the failure of a supervisor is that of the system, which stops by itself. */
  #onSupervisorEnded(reason: StopReason): void {
    this.#running--
    if (this.#isOwner || this.#stopping !== undefined) return
    if (reason.type === 'failed') {
      this.#failure = { failure: reason.error }
      this.#stopping = this.#stopPhases()
    } else if (this.#running === 0) this.#stopping = this.#end([])
  }

  /** As the system does it with what is its own. */
  async #stopPhases(): Promise<void> {
    const reports: PhaseReport[] = []
    for (const { name } of phasesOf(this.#plan)) {
      const startMs = this.system.now()
      const earlier = this.#late.length
      const members = [...this.#supervisors.values()].filter(({ planned }) => planned.phase.name === name)
      for (const { cell, ended } of members.reverse()) {
        cell.lifecycle.requestStop('parent')
        await ended
      }
      const tookMs = this.system.now() - startMs
      reports.push({ name, stopped: members.length, late: this.#late.slice(earlier), tookMs })
    }
    await this.#end(reports)
  }

  async #end(phases: readonly PhaseReport[]): Promise<void> {
    this.#top?.lifecycle.requestStop('parent')
    await Promise.all([...this.#lanes.values()].map(lane => lane.close()))
    this.#terminate({ phases, late: this.#late, ...this.#failure })
  }
}

function startFailed(composition: string, row: string, cause: unknown): SpimplError {
  const why = cause instanceof Error ? cause.message : received(cause)
  return new SpimplError('START_FAILED', `expected ${composition} to start, its row ${row} failed: ${why}`, { cause })
}

/** The root of a composition's own system allows no restart: its failure is that of the supervisor below it. */
function withoutRoot(report: ShutdownReport): ShutdownReport {
  const { failure } = report
  const isOfRoot = failure instanceof SpimplError && failure.code === 'RESTART_INTENSITY' && failure.cause !== undefined
  return isOfRoot ? { ...report, failure: failure.cause } : report
}
