import { SpimplError } from '../errors.ts'
import { EventLoopExecutor } from '../executors/event-loop.ts'
import type { Executor } from '../executors/executor.ts'
import { Lane, type LaneOptions } from '../lanes/lane.ts'
import { LaneHub, MAIN_LANE } from '../lanes/lane-hub.ts'
import { errorsToConsole, type Logger, type LogSink, loggerFor } from '../ports/logger.ts'
import { type Randomness, systemRandomness } from '../ports/randomness.ts'
import { type DrainBudget, defaultDrainBudget, execution, RootQueue } from '../queues/root-queue.ts'
import type { StopReason } from '../supervising/actor-lifecycle.ts'
import { type PhaseOptions, Shutdown, type ShutdownReport } from '../supervising/shutdown.ts'
import type { Supervision } from '../supervising/supervision.ts'
import { DeadLetters } from '../watching/dead-letters.ts'
import { type Inspection, inspect } from '../watching/inspection.ts'
import type { Recorder } from '../watching/recorder.ts'
import { throwUncaught } from '../watching/uncaught.ts'
import type { Behavior, Message, SpawnOptions } from './actor.ts'
import { ActorCell } from './actor-cell.ts'
import { cellOf } from './actor-context.ts'
import type { Ref } from './actor-ref.ts'
import { failOpenAsks } from './ask.ts'

/** What a system runs on and how it ends. Everything has a default. */
export interface SystemOptions {
  readonly name?: string
  /** Default: Node's event loop. */
  readonly executor?: Executor
  readonly randomness?: Randomness
  readonly log?: LogSink
  /** How actors spawned by the system are supervised; when their intensity is exceeded the system stops. */
  readonly supervision?: Supervision
  /** Phases of shutdown, in order; an actor names its own at `spawn`. Those that name none stop in the first. */
  readonly phases?: readonly PhaseOptions[]
  readonly budget?: Partial<DrainBudget>
  /** Records every hop. Default: none, and nothing is spent on it. */
  readonly recorder?: Recorder
  /** Keeps histograms of time in mailbox and in handler for each actor. Default false. */
  readonly measured?: boolean
  /** @internal Which lane this is; 0 is the main one. */
  readonly laneId?: number
}

/**
 * A tree of actors on one JavaScript thread and its lanes.
 *
 * @example
 * await using system = new System()
 * const ref = system.spawn(counter, { name: 'counter' })
 * ref.tell({ type: 'add', by: 2 })
 */
export class System implements AsyncDisposable {
  readonly name: string
  /** The root queue of this thread. */
  readonly main: RootQueue
  readonly randomness: Randomness
  readonly deadLetters = new DeadLetters()
  readonly recorder: Recorder | undefined
  readonly measured: boolean
  private readonly log: LogSink
  private readonly guardian: ActorCell
  private readonly shutdown: Shutdown
  private readonly lanes = new Set<Lane>()
  private laneIds = MAIN_LANE
  private names = 0
  private actorIds = 0
  private actors = 0

  constructor(options: SystemOptions = {}) {
    this.name = options.name ?? 'system'
    this.main = new RootQueue(options.executor ?? new EventLoopExecutor(), {
      label: this.name,
      lane: options.laneId ?? 0,
      budget: { ...defaultDrainBudget, ...options.budget },
    })
    this.randomness = options.randomness ?? systemRandomness()
    this.log = options.log ?? errorsToConsole
    this.recorder = options.recorder
    this.measured = options.measured ?? false
    const behavior: Behavior<Message> = { setup: () => ({}), options: { supervision: options.supervision ?? {} } }
    this.guardian = new ActorCell(this, undefined, '', behavior, {}, this.main)
    this.guardian.lifecycle.requestStart()
    this.shutdown = new Shutdown(this.guardian, options.phases ?? [], () => this.end())
  }

  /** @throws SpimplError `ACTOR_STOPPED` once the system stops, `ACTOR_NAME_TAKEN`, `CONFIG_INVALID`, `QUEUE_TARGET_INVALID` */
  spawn<M extends Message>(behavior: Behavior<M>, options: SpawnOptions = {}): Ref<M> {
    // It would belong to a phase that may be over.
    if (this.shutdown.begun) throw new SpimplError('ACTOR_STOPPED', `expected a running system, ${this.name} stops`)
    const cell = this.guardian.spawn(behavior as unknown as Behavior<Message>, options)
    return cell.ref as unknown as Ref<M>
  }

  /** Stops one actor and those below it. @param options `drain`: the messages that wait are handled first */
  stopActor<M extends Message>(ref: Ref<M>, { drain = false }: { readonly drain?: boolean } = {}): void {
    const cell = cellOf(ref)
    if (drain) cell.deliverStop()
    else cell.lifecycle.requestStop('parent')
  }

  /** Fails an actor as if its handler had thrown: for drills and tests of supervision. */
  failActor<M extends Message>(ref: Ref<M>, error: Error): void {
    cellOf(ref).lifecycle.fail(error)
  }

  /** Milliseconds of the executor's monotonic clock. */
  now(): number {
    return this.main.executor.clock.now()
  }

  wallTime(): number {
    return this.main.executor.clock.wallTime()
  }

  /** How many actors live. */
  get actorCount(): number {
    return this.actors
  }

  /** The tree of actors as data; `formatTree` prints it. */
  inspect(): Inspection {
    return inspect(this.guardian)
  }

  /** Stops every actor, phase by phase, and says which were late. A second call waits for the same end. */
  stop(options: { readonly deadlineMs?: number } = {}): Promise<ShutdownReport> {
    return this.shutdown.begin(options.deadlineMs)
  }

  /** Settles when the system has stopped, by whatever cause. */
  get terminated(): Promise<ShutdownReport> {
    return this.shutdown.terminated
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  private end(): Promise<void> | undefined {
    failOpenAsks(this.main)
    if (this.lanes.size === 0) return undefined
    return Promise.all([...this.lanes].map(lane => lane.terminate())).then(() => undefined)
  }

  /** @internal */
  nextName(): string {
    return `$${++this.names}`
  }

  /** @internal */
  onSpawned(): void {
    this.actors++
  }

  /** @internal */
  nextActorId(): number {
    return ++this.actorIds
  }

  /** @internal */
  logger(cell: ActorCell): Logger {
    return loggerFor(this.log, cell.path, execution.messageId)
  }

  /** @internal Something threw. */
  report(cell: ActorCell, message: string, error: unknown): void {
    try {
      this.log({ level: 'error', path: cell.path || '/', message, fields: { error }, cause: execution.messageId })
    } catch (failure) {
      throwUncaught(failure)
    }
    if (cell === this.guardian) this.shutdown.failed(error)
  }

  /**
   * Starts a worker thread on which actors can live. It ends with the system. Only on the thread that made the system.
   * @throws SpimplError `ACTOR_STOPPED` once the system stops, `CONFIG_INVALID` on a lane
   * @example
   * const lane = system.lane({ name: 'hashing' })
   * const ref = system.spawn(lane.behavior<Hash>({ module: new URL('./hasher.js', import.meta.url), name: 'hasher' }))
   */
  lane(options: LaneOptions = {}): Lane {
    if (this.shutdown.begun) throw new SpimplError('ACTOR_STOPPED', `expected a running system, ${this.name} stops`)
    this.hub ??= new LaneHub(this, MAIN_LANE)
    if (this.hub.lane !== MAIN_LANE) {
      throw new SpimplError(
        'CONFIG_INVALID',
        `expected the main thread, ${this.name} is a lane: lanes are a star around it`,
      )
    }
    const lane = new Lane(this.hub, this.nextLaneId(), options)
    this.lanes.add(lane)
    return lane
  }

  /** @internal */
  nextLaneId(): number {
    return ++this.laneIds
  }

  /** @internal A lane was closed, and starts no thread any more. */
  onLaneClosed(lane: Lane): void {
    this.lanes.delete(lane)
  }

  /** @internal On a worker lane: tells the main lane. */
  onTopEnded: ((cell: ActorCell, reason: StopReason) => void) | undefined

  /** @internal On a worker lane: takes what waited for an actor that has failed, because its next life is another cell. */
  heir: ((cell: ActorCell, message: Message, messageId: number, causeId: number) => void) | undefined

  /** @internal What this lane knows of others; `undefined` as long as there are none. */
  hub: LaneHub | undefined

  /** @internal */
  onEnded(cell: ActorCell, reason: StopReason): void {
    this.actors--
    this.hub?.forget(cell, reason)
    this.onTopEnded?.(cell, reason)
    this.shutdown.onEnded(cell, reason)
  }
}
