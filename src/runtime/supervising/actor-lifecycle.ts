import type { ActorHost } from '../actors/actor-host.ts'
import type { Message } from '../actors/message.ts'
import type { SpimplError } from '../errors.ts'
import { execution } from '../queues/root-queue.ts'
import { FAILED } from '../watching/recorder.ts'
import { announceFailure, announceStart, announceStop } from './announcements.ts'
import { ChildPhase } from './child-phase.ts'
import type { Watched, Watcher, WatchKeeper } from './death-watch.ts'
import type { Life } from './life.ts'
import { type Linked, Links } from './links.ts'
import { type Restartable, RestartBatch } from './restart-batch.ts'
import { dependentsOf, isInUse, lacksNeeds, type RowRule } from './row-rule.ts'
import { type StoppingActor, type StoppingLifecycle, StopSequence } from './stop-sequence.ts'
import {
  intensityExceeded,
  type RestartKind,
  type Supervision,
  SupervisionPolicy,
  type SupervisionStrategy,
} from './supervision.ts'
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
  readonly options: { readonly restart?: RestartKind; readonly stopDeadlineMs?: number; readonly row?: RowRule }
  /** Makes the next life. Its `setup` has not run yet. */
  newLife(): Life
  /** Stops waiting for the promises of its handlers, which then hold no queue. */
  releaseInFlight(): void
  /** Delivers a notice in the order of the mailbox, beyond its capacity. */
  deliver(message: Message): void
  /**
   * Takes no more messages. The waiting ones become dead letters, unless the actor has failed and somebody keeps them.
   */
  closeMailbox(hasFailed: boolean): void
  childEnded(child: LivingActor, reason: StopReason): void
}

const nobody: readonly ActorLifecycle[] = []
const stoppedNormally: StopReason = { type: 'stopped' }

/**
 * The life of one actor: start, failure, restart, stop. Only its verbs move the actor's state. An actor stops in this
 * order: the running handler finishes, the children stop (the youngest first, one after the other), the `onStop` hooks
 * run, the watchers get their notices.
 */
export class ActorLifecycle extends ChildPhase implements Watched, Watcher, Restartable, StoppingLifecycle, Linked {
  /** The lives of this actor after the first. */
  restarts = 0
  readonly #actor: LivingActor
  #life: Life | undefined = undefined
  /** The life whose `setup` has run, but whose start is not complete. */
  #completing: Life | undefined = undefined
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
    super()
    this.#actor = actor
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

  /** Its start is complete, and nothing has ended this life since. */
  get isUp(): boolean {
    return this.isRunning && !this.#isCompleting(this.#completing)
  }

  /** The actor needs a turn without a message: for its `setup`, or for its hooks. */
  get wantsTurn(): boolean {
    return this.isStarting || this.#stop?.wantsTurn === true
  }

  /** Runs `setup`, on the actor's queue. */
  start(): void {
    const actor = this.#actor
    this.#reason = stoppedNormally
    execution.messageId = 0
    try {
      this.#life = actor.newLife()
      this.enter('run')
      announceStart(this.#actor, this.restarts > 0)
      this.#life.begin()
      if (this.isRunning) this.#complete(this.#life)
    } catch (error) {
      this.fail(error)
    }
  }

  /** `setup` has run: the start is complete at once, or when the rule of a row says so. */
  #complete(life: Life): void {
    const completion = this.#actor.options.row?.complete()
    this.#completing = life
    if (completion === undefined) this.#completed(undefined)
    completion
      ?.then(value => this.#isCompleting(life) && this.#completed(value))
      .catch(error => this.#isCompleting(life) && this.fail(error))
  }

  #isCompleting(life: Life | undefined): boolean {
    return this.isRunning && life !== undefined && life === this.#completing && life === this.#life
  }

  #completed(value: unknown): void {
    this.#completing = undefined
    this.#actor.options.row?.completed(value)
    // While siblings of this restart are still stopping, this actor stays in it: its own stop is already queued.
    if (this.#batch?.isStarting === true) this.#leaveBatch()
    else this.#advanceBatches()
  }

  /** A handler or `setup` threw: the parent's policy decides. */
  fail(error: unknown): void {
    const { host } = this.#actor
    if (!this.takesChildren) {
      host.report(this.#actor, 'failed while it stopped', error)
      return
    }
    this.enter('fail')
    this.#reason = { type: 'failed', error }
    const { row } = this.#actor.options
    if (row?.hasStarted === false) row.failedToStart(error)
    else host.report(this.#actor, 'failed', error)
    announceFailure(this.#actor, error)
    this.#links?.fail(error)
    this.#decide('failed')
  }

  failLinked(error: SpimplError): void {
    if (this.takesChildren) this.fail(error)
  }

  get failure(): { readonly error: unknown } | undefined {
    return this.#reason.type === 'failed' ? this.#reason : undefined
  }

  get links(): Links {
    this.#links ??= new Links(this)
    return this.#links
  }

  /**
   * @param by `self` if the actor asked for it, so that its restart kind decides; `parent` if it was told to stop for
   * good
   */
  requestStop(by: 'self' | 'parent', reason?: StopReason): void {
    if (this.isEnding) return
    if (reason !== undefined) this.#reason = reason
    else if (!this.hasFailed) this.#reason = stoppedNormally
    if (by === 'self' && this.restartKind === 'permanent' && this.isRunning) {
      this.enter('fail')
      this.#decide('stopped')
      return
    }
    this.enter('stop')
    this.advance()
  }

  stopWaiting(): void {
    this.#life?.markLate()
    if (this.state === 'stopping') this.#reason = { type: 'late' }
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
    // A watcher that is stopping handles nothing more: the notice is not a letter that somebody missed.
    if (this.isEnding) return
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
    if (!this.takesChildren && !this.hasFailed) return
    this.enter('restart')
    this.advance()
  }

  startFor(batch: RestartBatch): void {
    if (!this.#waitsFor(batch)) return
    this.restarts++
    this.enter('start')
    this.#actor.schedule()
  }

  #waitsFor(batch: RestartBatch): boolean {
    return this.state === 'waiting' && this.#batch === batch
  }

  get isInUse(): boolean {
    return isInUse(this.#actor, this.#actor.parent?.children)
  }

  lacksNeeds(batch: RestartBatch): boolean {
    return this.#waitsFor(batch) && lacksNeeds(this.#actor, this.#actor.parent?.children)
  }

  isStoppingFor(batch: RestartBatch): boolean {
    return this.#batch === batch && this.state !== 'waiting' && !this.hasStopped
  }

  isStartingFor(batch: RestartBatch): boolean {
    return this.#batch === batch && (this.isStarting || this.#isCompleting(this.#completing))
  }

  /** It has started, failed again or ended: its restart goes on without it. */
  #leaveBatch(): void {
    const batch = this.#batch
    this.#batch = undefined
    batch?.advance()
    this.#advanceBatches()
  }

  /**
   * A restart may wait for a row of another one: for a row that it needs to be up, or for a row that needs it to have
   * stopped.
   */
  #advanceBatches(): void {
    const { options, parent } = this.#actor
    this.#batch?.advance()
    if (options.row === undefined) return
    for (const { lifecycle } of [...(parent?.children?.values() ?? [])]) lifecycle.#batch?.advance()
  }

  /** Takes the next steps of a stop, if the last one is done. */
  advance(): void {
    if (!this.isGoingDown) return
    this.#stop ??= new StopSequence(this.#actor, this)
    if (!this.#stop.advance()) return
    this.#stop = undefined
    this.#endLife()
    this.enter('end')
    if (this.hasStopped) this.#finish()
    else this.#advanceBatches()
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
    const { path } = actor
    actor.closeMailbox(reason.type === 'failed')
    announceStop(actor, reason)
    this.#links?.end()
    const watchers = this.#watchers
    this.#watchers = undefined
    for (const [watcher, message] of watchers ?? []) {
      watcher.watchesNoMore(this)
      watcher.notify(message, { path, reason })
    }
    actor.parent?.childEnded(actor, reason)
    this.#leaveBatch()
    actor.options.row?.ended(reason)
  }

  #decide(ended: 'failed' | 'stopped'): void {
    const { parent, root, host, name, options } = this.#actor
    // In a restart whose children are still stopping, its own stop comes; a link may have failed it before that.
    if (!this.hasFailed || this.#batch?.isStarting === false) return
    // Nobody is above the top of the tree: the system shuts down (ActorHost.report).
    if (parent === undefined) return
    const supervisor = parent.lifecycle
    if (!supervisor.takesChildren) {
      this.requestStop('parent', this.#reason)
      return
    }
    supervisor.#policy ??= new SupervisionPolicy(parent.supervision, host.randomness)
    const decision = supervisor.#policy.decide(ended, options.row?.restart ?? this.restartKind, host.now())
    if (decision.type === 'restart') {
      const earlier = this.#batch
      new RestartBatch(this.#affected(decision.strategy), decision.delayMs, root).advance()
      earlier?.advance()
      return
    }
    this.requestStop('parent', this.#reason)
    if (decision.type === 'remove') return
    const cause = this.#reason.type === 'failed' ? this.#reason.error : undefined
    supervisor.fail(intensityExceeded(parent.path, name, decision.restarts, cause))
  }
  /** This child and the siblings that restart because it failed, the oldest first. */
  #affected(strategy: SupervisionStrategy): readonly ActorLifecycle[] {
    const siblings = [...(this.#actor.parent?.children?.values() ?? [])]
    const restForOne = () => dependentsOf(this.#actor, siblings)
    const affected = strategy === 'one-for-one' ? [this.#actor] : strategy === 'rest-for-one' ? restForOne() : siblings
    return affected.map(({ lifecycle }) => lifecycle).filter(({ isEnding }) => !isEnding)
  }
}
