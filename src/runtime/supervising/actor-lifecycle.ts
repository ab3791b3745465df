import type { ActorHost } from '../actors/actor-host.ts'
import type { Message } from '../actors/message.ts'
import type { SpimplError } from '../errors.ts'
import { execution } from '../queues/root-queue.ts'
import { diagnostics } from '../watching/diagnostics.ts'
import { FAILED, RESTARTED, STARTED, STOPPED } from '../watching/recorder.ts'
import type { ChildState } from './child-state.ts'
import type { Watched, Watcher, WatchKeeper } from './death-watch.ts'
import type { Life } from './life.ts'
import { Links, linkedFailure } from './links.ts'
import { type Restartable, RestartBatch } from './restart-batch.ts'
import { type StoppingActor, type StoppingLifecycle, StopSequence } from './stop-sequence.ts'
import { type ChildEvent, childTable } from './supervised-child.ts'
import { affectedBy, intensityExceeded, type RestartKind, type Supervision, SupervisionPolicy } from './supervision.ts'
import type { StopReason, Terminated, WatchMessage } from './termination.ts'

/** An actor as its lifecycle uses it. */
export interface LivingActor extends StoppingActor {
  readonly id: number
  readonly path: string
  readonly name: string
  readonly host: ActorHost
  readonly parent: LivingActor | undefined
  readonly children: ReadonlyMap<string, LivingActor> | undefined
  readonly lifecycle: ActorLifecycle
  /** How it supervises its children. */
  readonly supervision: Supervision
  readonly options: { readonly restart?: RestartKind; readonly stopDeadlineMs?: number }
  /** Makes the next life. Its `setup` has not run yet. */
  newLife(): Life
  /** Stops waiting for the promises of its handlers, which then hold no queue. */
  releaseInFlight(): void
  /** Delivers a notice in the order of the mailbox, beyond its capacity. */
  deliver(message: Message): void
  /** Takes no more messages. The waiting ones become dead letters, unless the actor has failed and somebody keeps them. */
  closeMailbox(hasFailed: boolean): void
  childEnded(child: LivingActor, reason: StopReason): void
}

const nobody: readonly ActorLifecycle[] = []
const stoppedNormally: StopReason = { type: 'stopped' }

/**
 * The life of one actor: start, failure, restart, stop. Only its verbs move the actor's state. An actor stops in this order: the
 * running handler finishes, the children stop (the youngest first, one after the other), the `onStop` hooks run, the watchers get
 * their notices.
 */
export class ActorLifecycle implements Watched, Watcher, Restartable, StoppingLifecycle {
  /** The lives of this actor after the first. */
  restarts = 0
  readonly #actor: LivingActor
  #state: ChildState = childTable.initial
  #life: Life | undefined = undefined
  #reason: StopReason = stoppedNormally
  #batch: RestartBatch | undefined = undefined
  /** Set while the actor is going down. */
  #stop: StopSequence | undefined = undefined
  #watchers: Map<Watcher, WatchMessage<Message>> | undefined = undefined
  #watching: Set<WatchKeeper> | undefined = undefined
  #links: Links | undefined = undefined
  /** The policy for its children. */
  #policy: SupervisionPolicy | undefined = undefined

  constructor(actor: LivingActor) {
    this.#actor = actor
  }

  get state(): ChildState {
    return this.#state
  }

  get life(): Life | undefined {
    return this.#life
  }

  get path(): string {
    return this.#actor.path
  }

  get restartKind(): RestartKind {
    return this.#actor.options.restart ?? 'transient'
  }

  /** Messages may be handled. */
  get isRunning(): boolean {
    return this.#state === 'running'
  }

  get isStarting(): boolean {
    return this.#state === 'starting'
  }

  get hasStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** It stops for good, or has stopped. */
  get isEnding(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped'
  }

  /** It stops, for a restart or for good, and has not stopped yet. */
  get isGoingDown(): boolean {
    return this.#state === 'stopping' || this.#state === 'restarting'
  }

  get takesChildren(): boolean {
    return this.#state === 'running' || this.#state === 'starting'
  }

  /** The actor needs a turn without a message: for its `setup`, or for its hooks. */
  get wantsTurn(): boolean {
    return this.#state === 'starting' || this.#stop?.wantsTurn === true
  }

  /** One step of the machine in supervised-child.ts. */
  #enter(event: ChildEvent): void {
    const next = childTable.next(this.#state, event)
    if (next === undefined) throw new Error(`expected a transition of a child that is ${this.#state}, got ${event}`)
    this.#state = next
  }

  /** Runs `setup`, on the actor's queue. */
  start(): void {
    const actor = this.#actor
    this.#reason = stoppedNormally
    execution.messageId = 0
    try {
      this.#life = actor.newLife()
      this.#enter('run')
      this.#announceStart()
      this.#life.begin()
      // While siblings of this restart are still stopping, this actor stays in it: its own stop is already queued.
      if (this.#state === 'running' && this.#batch?.isStarting === true) this.#leaveBatch()
    } catch (error) {
      this.fail(error)
    }
  }

  #announceStart(): void {
    const { id, host, path } = this.#actor
    const isRestart = this.restarts > 0
    host.recorder?.knowActor(id, path)
    host.note(isRestart ? RESTARTED : STARTED, id, 0, isRestart ? 'restarted' : 'started')
    const channel = isRestart ? diagnostics.restarted : diagnostics.started
    if (channel.hasSubscribers) channel.publish(host.event(path))
  }

  /** A handler or `setup` threw: the parent's policy decides. */
  fail(error: unknown): void {
    const { host, id, path } = this.#actor
    if (!this.takesChildren) {
      host.report(this.#actor, 'failed while it stopped', error)
      return
    }
    this.#enter('fail')
    this.#reason = { type: 'failed', error }
    host.report(this.#actor, 'failed', error)
    host.note(FAILED, id, execution.messageId, error instanceof Error ? error.name : 'failed')
    if (diagnostics.failed.hasSubscribers) diagnostics.failed.publish({ ...host.event(path), error })
    this.#links?.fail(error)
    this.#decide('failed')
  }

  failLinked(error: SpimplError): void {
    if (this.takesChildren) this.fail(error)
  }

  /** From now on the failure of one is the failure of the other; at once if the other has failed already. */
  link(other: ActorLifecycle): void {
    if (other === this) return
    if (other.hasStopped || other.#state === 'failed') {
      if (other.#reason.type === 'failed') this.fail(linkedFailure(other.path, other.#reason.error))
      return
    }
    this.#ownLinks().add(other.#ownLinks())
  }

  unlink(other: ActorLifecycle): void {
    if (this.#links !== undefined && other.#links !== undefined) this.#links.remove(other.#links)
  }

  #ownLinks(): Links {
    this.#links ??= new Links(this)
    return this.#links
  }

  /** @param by `self` if the actor asked for it, so that its restart kind decides; `parent` if it was told to stop for good */
  requestStop(by: 'self' | 'parent', reason?: StopReason): void {
    if (this.isEnding) return
    if (reason !== undefined) this.#reason = reason
    else if (this.#state !== 'failed') this.#reason = stoppedNormally
    if (by === 'self' && this.restartKind === 'permanent' && this.#state === 'running') {
      this.#enter('fail')
      this.#decide('stopped')
      return
    }
    this.#enter('stop')
    this.advance()
  }

  stopWaiting(): void {
    this.#life?.markLate()
    if (this.#state === 'stopping') this.#reason = { type: 'late' }
    this.#stop?.stopWaiting()
    this.#actor.releaseInFlight()
    this.advance()
  }

  reportLate(error: SpimplError): void {
    const { host, id } = this.#actor
    host.note(FAILED, id, 0, 'late')
    host.report(this.#actor, 'is late', error)
  }

  youngestFirst(): readonly ActorLifecycle[] {
    return this.#actor.children === undefined ? nobody : this.#oldestFirst().toReversed()
  }

  #oldestFirst(): readonly ActorLifecycle[] {
    return Array.from(this.#actor.children?.values() ?? [], child => child.lifecycle)
  }

  addWatcher(watcher: Watcher, message: WatchMessage<Message>): void {
    if (this.hasStopped) {
      watcher.notify(message, { path: this.path, reason: this.#reason })
      return
    }
    this.#watchers ??= new Map()
    this.#watchers.set(watcher, message)
    watcher.watches(this)
  }

  removeWatcher(watcher: Watcher): void {
    this.#watchers?.delete(watcher)
    watcher.watchesNoMore(this)
  }

  watches(keeper: WatchKeeper): void {
    this.#watching ??= new Set()
    this.#watching.add(keeper)
  }

  watchesNoMore(keeper: WatchKeeper): void {
    this.#watching?.delete(keeper)
  }

  notify(message: WatchMessage<Message>, notice: Terminated): void {
    try {
      this.#actor.deliver(typeof message === 'function' ? message(notice) : message)
    } catch (error) {
      // The function that builds the notice is the watcher's own, and so is its failure.
      this.fail(error)
    }
  }

  join(batch: RestartBatch): void {
    this.#batch = batch
  }

  stopFor(batch: RestartBatch): void {
    if (this.#batch !== batch) return
    if (!this.takesChildren && this.#state !== 'failed') return
    this.#enter('restart')
    this.advance()
  }

  startFor(batch: RestartBatch): void {
    if (this.#state !== 'waiting' || this.#batch !== batch) return
    this.restarts++
    this.#enter('start')
    this.#actor.schedule()
  }

  isStoppingFor(batch: RestartBatch): boolean {
    return this.#batch === batch && this.#state !== 'waiting' && !this.hasStopped
  }

  isStartingFor(batch: RestartBatch): boolean {
    return this.#batch === batch && this.#state === 'starting'
  }

  /** It has started, failed again or ended: its restart goes on without it. */
  #leaveBatch(): void {
    const batch = this.#batch
    this.#batch = undefined
    batch?.advance()
  }

  /** Takes the next steps of a stop, if the last one is done. */
  advance(): void {
    if (!this.isGoingDown) return
    this.#stop ??= new StopSequence(this.#actor, this)
    if (!this.#stop.advance()) return
    this.#stop = undefined
    this.#endLife()
    this.#enter('end')
    if (this.hasStopped) this.#finish()
    else this.#batch?.advance()
  }

  /** Called at the end of a turn in which it runs no longer. */
  advanceOnTurn(): void {
    this.#stop?.advanceOnTurn()
  }

  #endLife(): void {
    this.#life?.end()
    this.#life = undefined
    for (const keeper of this.#watching ?? []) keeper.removeWatcher(this)
    this.#watching = undefined
    this.#links?.endLife()
  }

  #finish(): void {
    const actor = this.#actor
    const reason = this.#reason
    const { host, id, path } = actor
    actor.closeMailbox(reason.type === 'failed')
    host.note(STOPPED, id, 0, reason.type)
    host.recorder?.forgetActor(id)
    if (diagnostics.stopped.hasSubscribers) diagnostics.stopped.publish({ ...host.event(path), reason })
    this.#links?.end()
    const watchers = this.#watchers
    this.#watchers = undefined
    for (const [watcher, message] of watchers ?? []) {
      watcher.watchesNoMore(this)
      watcher.notify(message, { path, reason })
    }
    actor.parent?.childEnded(actor, reason)
    this.#leaveBatch()
  }

  #decide(ended: 'failed' | 'stopped'): void {
    const { parent, root, host, name } = this.#actor
    // In a restart whose children are still stopping, its own stop comes; a link may have failed it before that.
    if (this.#state !== 'failed' || this.#batch?.isStarting === false) return
    // Nobody is above the top of the tree: the system shuts down (ActorHost.report).
    if (parent === undefined) return
    const supervisor = parent.lifecycle
    if (!supervisor.takesChildren) {
      this.requestStop('parent', this.#reason)
      return
    }
    supervisor.#policy ??= new SupervisionPolicy(parent.supervision, host.randomness)
    const decision = supervisor.#policy.decide(ended, this.restartKind, host.now())
    if (decision.type === 'restart') {
      const earlier = this.#batch
      const affected = affectedBy(this, supervisor.#oldestFirst(), decision.strategy)
      const restarting = affected.filter(({ isEnding }) => !isEnding)
      new RestartBatch(restarting, decision.delayMs, root).advance()
      earlier?.advance()
      return
    }
    this.requestStop('parent', this.#reason)
    if (decision.type === 'remove') return
    const cause = this.#reason.type === 'failed' ? this.#reason.error : undefined
    supervisor.fail(intensityExceeded(parent.path, name, decision.restarts, cause))
  }
}
