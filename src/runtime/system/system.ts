import type { ActorSystem, Behavior, SpawnOptions } from '../actors/actor.ts'
import { ActorCell, cellOf } from '../actors/actor-cell.ts'
import { ActorHost } from '../actors/actor-host.ts'
import type { Message } from '../actors/message.ts'
import { SpimplError } from '../errors.ts'
import { EventLoopExecutor } from '../executors/event-loop.ts'
import type { Executor } from '../executors/executor.ts'
import { Lane, type LaneOptions } from '../lanes/lane.ts'
import { LaneHub, MAIN_LANE } from '../lanes/lane-hub.ts'
import type { LogSink } from '../ports/logger.ts'
import { type Randomness, systemRandomness } from '../ports/randomness.ts'
import { type DrainBudget, defaultDrainBudget, RootQueue } from '../queues/root-queue.ts'
import type { Ref } from '../references/actor-ref.ts'
import { failOpenAsks } from '../references/ask.ts'
import type { Supervision } from '../supervising/supervision.ts'
import type { DeadLetters } from '../watching/dead-letters.ts'
import { type Inspection, inspect } from '../watching/inspection.ts'
import type { Recorder } from '../watching/recorder.ts'
import { Shutdown } from './shutdown.ts'
import type { PhaseOptions, ShutdownReport } from './shutdown-report.ts'

/** The ports of a system, and how it ends. Everything has a default. */
export interface SystemOptions {
  readonly name?: string
  /** Default: Node's event loop. */
  readonly executor?: Executor
  readonly randomness?: Randomness
  readonly log?: LogSink
  /** How actors spawned by the system are supervised; when their intensity is exceeded the system stops. */
  readonly supervision?: Supervision
  /** Phases of shutdown, in order; an actor names its own at `spawn`. Actors that name none stop in the first. */
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
export class System implements ActorSystem, AsyncDisposable {
  readonly name: string
  readonly main: RootQueue
  readonly randomness: Randomness
  readonly recorder: Recorder | undefined
  readonly measured: boolean
  /** @internal */
  readonly host: ActorHost
  readonly #laneId: number
  readonly #guardian: ActorCell
  readonly #shutdown: Shutdown
  readonly #lanes = new Set<Lane>()
  #hub: LaneHub | undefined

  constructor(options: SystemOptions = {}) {
    this.name = options.name ?? 'system'
    this.#laneId = options.laneId ?? MAIN_LANE
    this.main = new RootQueue(options.executor ?? new EventLoopExecutor(), {
      label: this.name,
      lane: this.#laneId,
      budget: { ...defaultDrainBudget, ...options.budget },
    })
    this.randomness = options.randomness ?? systemRandomness()
    this.recorder = options.recorder
    this.measured = options.measured ?? false
    this.host = new ActorHost(this, {
      name: this.name,
      root: this.main,
      randomness: this.randomness,
      recorder: this.recorder,
      isMeasured: this.measured,
      log: options.log,
    })
    const behavior: Behavior<Message> = { setup: () => ({}), options: { supervision: options.supervision ?? {} } }
    this.#guardian = new ActorCell(this.host, undefined, '', behavior, {}, this.main)
    this.#guardian.schedule()
    this.#shutdown = new Shutdown(this.#guardian, options.phases ?? [], () => this.#end())
    this.host.overseer = this.#shutdown
  }

  get deadLetters(): DeadLetters {
    return this.host.deadLetters
  }

  get actorCount(): number {
    return this.host.actorCount
  }

  get terminated(): Promise<ShutdownReport> {
    return this.#shutdown.terminated
  }

  /** @internal The other lanes, once there is one. */
  get hub(): LaneHub | undefined {
    return this.#hub
  }

  now(): number {
    return this.host.now()
  }

  wallTime(): number {
    return this.host.wallTime()
  }

  spawn<M extends Message>(behavior: Behavior<M>, options: SpawnOptions = {}): Ref<M> {
    this.#refuseOnceStopping()
    const cell = this.#guardian.spawn(behavior as unknown as Behavior<Message>, options)
    return cell.ref as unknown as Ref<M>
  }

  stopActor<M extends Message>(ref: Ref<M>, { drain = false }: { readonly drain?: boolean } = {}): void {
    const cell = cellOf(ref)
    if (drain) cell.deliverStop()
    else cell.lifecycle.requestStop('parent')
  }

  failActor<M extends Message>(ref: Ref<M>, error: Error): void {
    cellOf(ref).lifecycle.fail(error)
  }

  /**
   * Starts a worker thread on which actors can live. It ends with the system. Only on the thread that made the system.
   * @throws SpimplError `ACTOR_STOPPED` once the system stops, `CONFIG_INVALID` on a lane
   * @example
   * const lane = system.lane({ name: 'hashing' })
   * const ref = system.spawn(lane.behavior<Hash>({ module: new URL('./hasher.js', import.meta.url), name: 'hasher' }))
   */
  lane(options: LaneOptions = {}): Lane {
    this.#refuseOnceStopping()
    if (this.#laneId !== MAIN_LANE) {
      throw new SpimplError(
        'CONFIG_INVALID',
        `expected the main thread, ${this.name} is a lane: lanes are a star around it`,
      )
    }
    this.#hub ??= new LaneHub(this.host, MAIN_LANE)
    const lane = new Lane(this.#hub, options, () => this.#lanes.delete(lane))
    this.#lanes.add(lane)
    return lane
  }

  inspect(): Inspection {
    return inspect(this.#guardian)
  }

  stop(options: { readonly deadlineMs?: number } = {}): Promise<ShutdownReport> {
    return this.#shutdown.begin(options.deadlineMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** An actor that starts now would belong to a phase that may be over. */
  #refuseOnceStopping(): void {
    if (!this.#shutdown.hasBegun) return
    throw new SpimplError('ACTOR_STOPPED', `expected a running system, ${this.name} is stopping or has stopped`)
  }

  #end(): Promise<void> | undefined {
    failOpenAsks(this.main)
    if (this.#lanes.size === 0) return undefined
    return Promise.all([...this.#lanes].map(lane => lane.terminate())).then(() => undefined)
  }
}
