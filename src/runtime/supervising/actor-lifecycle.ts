import type { Message } from '../actors/actor.ts'
import type { ActorCell } from '../actors/actor-cell.ts'
import { ActorContext } from '../actors/actor-context.ts'
import { execution } from '../queues/root-queue.ts'
import { diagnostics } from '../watching/diagnostics.ts'
import { FAILED, RESTARTED, STARTED, STOPPED } from '../watching/recorder.ts'
import { ActorLinks, linkedFailure } from './actor-links.ts'
import type { ChildState } from './child-state.ts'
import { RestartBatch } from './restart-batch.ts'
import { StopDeadline } from './stop-deadline.ts'
import { type ChildEvent, nextChildState } from './supervised-child.ts'
import { intensityExceeded, SupervisionPolicy } from './supervision.ts'

/** How an actor came to its end. */
export type StopReason =
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'late' }

/** What a watcher learns, once. */
export interface Terminated {
  readonly path: string
  readonly reason: StopReason
}

export type WatchMessage<M> = M | ((notice: Terminated) => M)

const stoppedNormally: StopReason = { type: 'stopped' }

/**
 * The life of one actor: start, failure, restart, stop. An end goes in this order: the handler that runs finishes, the
 * children end (the youngest first, one after the other), the `onStop` hooks run, then whoever watches is told.
 */
export class Lifecycle {
  state: ChildState = 'starting'
  private readonly cell: ActorCell
  private reason: StopReason = stoppedNormally
  private hooksPending = false
  /** The actor has its turn and no handler runs. */
  private onTurn = false
  /** Children that are to end, the oldest first. */
  private toEnd: ActorCell[] | undefined = undefined
  private advancing = false
  private batch: RestartBatch | undefined = undefined
  /** Of its way down, once that takes time and may not take any. */
  private deadline: StopDeadline | undefined = undefined
  private watchers: Map<ActorCell, WatchMessage<Message>> | undefined = undefined
  private watching: Set<ActorCell> | undefined = undefined
  private linksMade: ActorLinks | undefined = undefined
  /** The life whose start is not complete yet, though its `setup` has run. */
  private completing: ActorContext<Message> | undefined = undefined

  constructor(cell: ActorCell) {
    this.cell = cell
  }

  get links(): ActorLinks {
    this.linksMade ??= new ActorLinks(this.cell)
    return this.linksMade
  }

  get stopped(): boolean {
    return this.state === 'stopped'
  }

  /** It is on its way to its end. */
  get ending(): boolean {
    return this.state === 'stopping' || this.state === 'stopped'
  }

  /** It is on its way down, for a restart or for good. */
  get goesDown(): boolean {
    return this.state === 'stopping' || this.state === 'restarting'
  }

  /** Its start is complete, and nothing has ended it since. */
  get isUp(): boolean {
    return this.state === 'running' && !this.completes(this.completing)
  }

  private completes(life: ActorContext<Message> | undefined): boolean {
    return this.state === 'running' && life !== undefined && life === this.completing && life === this.cell.incarnation
  }

  get takesChildren(): boolean {
    return this.state === 'running' || this.state === 'starting'
  }

  /** One step of the machine in supervised-child.ts. */
  private enter(event: ChildEvent): void {
    const next = nextChildState(this.state, event)
    if (next === undefined) throw new Error(`expected a transition of a child that is ${this.state}, got ${event}`)
    this.state = next
  }

  requestStart(): void {
    this.cell.startRequested = true
    this.cell.schedule()
  }

  /** Runs `setup`, on the actor's queue. */
  start(): void {
    const { cell } = this
    this.cell.startRequested = false
    this.reason = stoppedNormally
    execution.messageId = 0
    try {
      const context = new ActorContext<Message>(cell)
      cell.incarnation = context
      cell.open = true
      this.enter('started')
      this.announceStart()
      cell.become(cell.behavior.setup(context))
      if (this.state === 'running') this.complete(context)
    } catch (error) {
      this.fail(error)
    }
  }

  /** `setup` has run: the start is complete at once, or when the rule of a row says so. */
  private complete(context: ActorContext<Message>): void {
    const completion = this.cell.options.row?.complete()
    this.completing = context
    if (completion === undefined) this.completed(undefined)
    completion
      ?.then(value => this.completes(context) && this.completed(value))
      .catch(error => this.completes(context) && this.fail(error))
  }

  /** It is up: the restart it belongs to goes on, and so do others that wait for it. */
  private completed(value: unknown): void {
    this.completing = undefined
    this.cell.options.row?.completed(value)
    // If siblings of this restart are still going down, this actor goes down in its own turn before them.
    if (this.batch?.comesUp === true) this.leaveBatch()
    else this.advanceBatches()
  }

  /** A handler or `setup` threw: the parent's policy decides. */
  fail(error: unknown): void {
    if (this.state !== 'running' && this.state !== 'starting') {
      this.cell.system.report(this.cell, 'failed while it ended', error)
      return
    }
    this.cell.open = false
    this.enter('fail')
    this.reason = { type: 'failed', error }
    if (this.cell.options.row?.hasStarted === false) this.cell.options.row.failedToStart(error)
    else this.cell.system.report(this.cell, 'failed', error)
    this.cell.note(FAILED, execution.messageId, error instanceof Error ? error.name : 'failed')
    if (diagnostics.failed.hasSubscribers) diagnostics.failed.publish({ ...this.cell.event(), error })
    this.linksMade?.fail(error)
    this.decide('failed')
  }

  /** From now on the failure of one is the failure of the other; at once, if the other has failed already. */
  link(other: ActorCell): void {
    if (other === this.cell) return
    const { lifecycle } = other
    if (lifecycle.stopped || lifecycle.state === 'failed') {
      if (lifecycle.reason.type === 'failed') this.fail(linkedFailure(other, lifecycle.reason.error))
      return
    }
    this.links.add(other)
  }

  private announceStart(): void {
    const { cell } = this
    const again = cell.restarts > 0
    cell.system.recorder?.knowActor(cell.id, cell.path)
    cell.note(again ? RESTARTED : STARTED, 0, again ? 'restarted' : 'started')
    const channel = again ? diagnostics.restarted : diagnostics.started
    if (channel.hasSubscribers) channel.publish(cell.event())
  }

  /** @param by `self` when the actor asked for it, and so its restart kind counts; `parent` when it is told to end */
  requestStop(by: 'self' | 'parent', reason?: StopReason): void {
    if (this.ending) return
    if (reason !== undefined) this.reason = reason
    else if (this.state !== 'failed') this.reason = stoppedNormally
    if (by === 'self' && this.cell.options.restart === 'permanent' && this.state === 'running') {
      this.cell.open = false
      this.enter('fail')
      this.decide('stopped')
      return
    }
    this.cell.open = false
    this.cell.startRequested = false
    this.enter('stop')
    this.advance()
  }

  /** Its handlers and hooks are not waited for any more: a deadline has passed. */
  waitNoMore(): void {
    const { cell } = this
    cell.incarnation?.hurry()
    if (this.state === 'stopping') this.reason = { type: 'late' }
    this.hooksPending = false
    cell.letGo()
    this.advance()
  }

  watch(watched: ActorCell, message: WatchMessage<Message>): void {
    if (watched.lifecycle.stopped) {
      this.notify(message, { path: watched.path, reason: watched.lifecycle.reason })
      return
    }
    watched.lifecycle.watchers ??= new Map()
    watched.lifecycle.watchers.set(this.cell, message)
    this.watching ??= new Set()
    this.watching.add(watched)
  }

  unwatch(watched: ActorCell): void {
    watched.lifecycle.watchers?.delete(this.cell)
    this.watching?.delete(watched)
  }

  /** Takes the next step of an end, if the last one is done. */
  advance(): void {
    if (this.advancing || !this.goesDown) return
    this.advancing = true
    const complete = this.stepsDone()
    this.advancing = false
    if (!complete) {
      this.deadline ??= StopDeadline.begin(this.cell)
      return
    }
    this.deadline?.cancel()
    this.deadline = undefined
    this.enter('down')
    if (this.stopped) this.finish()
    else this.advanceBatches()
  }

  /** Belongs to this restart of its parent's children from now on, and to no earlier one. */
  join(batch: RestartBatch): void {
    this.batch = batch
  }

  /** Goes down for that restart, unless it is down or on its way, or belongs to another by now. */
  goDown(batch: RestartBatch): void {
    if (this.batch !== batch) return
    if (this.state !== 'running' && this.state !== 'starting' && this.state !== 'failed') return
    this.cell.open = false
    this.cell.startRequested = false
    this.enter('goDown')
    this.advance()
  }

  /** Whether that restart has to wait until it is down. */
  keepsUp(batch: RestartBatch): boolean {
    return this.batch === batch && this.state !== 'waiting' && !this.stopped
  }

  isDownFor(batch: RestartBatch): boolean {
    return this.state === 'waiting' && this.batch === batch
  }

  /** Starts again, if it is down for that restart. */
  comeUp(batch: RestartBatch): void {
    if (!this.isDownFor(batch)) return
    this.cell.restarts++
    this.enter('comeUp')
    this.requestStart()
  }

  /** Whether it is to start, and its restart waits for that. */
  startsWith(batch: RestartBatch): boolean {
    return (this.state === 'starting' || this.completes(this.completing)) && this.batch === batch
  }

  /** It is up, has failed anew or has ended: the restart it belongs to goes on without it. */
  private leaveBatch(): void {
    const { batch } = this
    this.batch = undefined
    batch?.advance()
    this.advanceBatches()
  }

  /** A restart may wait for a row of another one: for what it needs to be up, or for what needs it to be down. */
  private advanceBatches(): void {
    this.batch?.advance()
    if (this.cell.options.row === undefined) return
    for (const { lifecycle } of [...(this.cell.parent?.children?.values() ?? [])]) lifecycle.batch?.advance()
  }

  /** Called at the end of a turn. */
  advanceOnTurn(): void {
    this.cell.endRequested = false
    this.onTurn = true
    this.advance()
    this.onTurn = false
  }

  private stepsDone(): boolean {
    const { cell } = this
    // Who has a turn, or waits for a promise, is called again when that is over.
    if (cell.draining || cell.inFlight > 0 || this.hooksPending) return false
    this.toEnd ??= [...(cell.children?.values() ?? [])]
    for (let youngest = this.toEnd.at(-1); youngest !== undefined; youngest = this.toEnd.at(-1)) {
      youngest.lifecycle.requestStop('parent')
      if (!youngest.lifecycle.stopped) return false
      this.toEnd.pop()
    }
    this.toEnd = undefined
    const { incarnation } = cell
    if (incarnation !== undefined) {
      if (incarnation.hooks.length > 0 && !this.mayRunHooks()) return false
      for (let hook = incarnation.runHooks(); hook !== undefined; hook = incarnation.runHooks()) {
        if (!incarnation.awaited) continue
        this.awaitHook(hook)
        return false
      }
      incarnation.dispose()
      cell.incarnation = undefined
    }
    for (const watched of this.watching ?? []) watched.lifecycle.watchers?.delete(cell)
    this.watching = undefined
    this.linksMade?.endLife()
    cell.become(undefined)
    return true
  }

  /**
   * Hooks belong on the actor's queue. Under a root that is wherever the actor has no turn; where it shares a queue with
   * others, which may be suspended or await, it takes a turn of its own.
   */
  private mayRunHooks(): boolean {
    const { cell } = this
    if (this.onTurn || cell.target === cell.root) return true
    cell.endRequested = true
    cell.schedule()
    return false
  }

  private awaitHook(hook: Promise<void>): void {
    const { incarnation } = this.cell
    this.hooksPending = true
    hook.then(() => {
      if (incarnation?.awaited !== true) return
      this.hooksPending = false
      this.advance()
    })
  }

  private finish(): void {
    const { cell, reason } = this
    cell.closed = true
    cell.discardMailbox(reason.type === 'failed')
    cell.note(STOPPED, 0, reason.type)
    cell.system.recorder?.forgetActor(cell.id)
    if (diagnostics.stopped.hasSubscribers) diagnostics.stopped.publish({ ...cell.event(), reason })
    this.linksMade?.end()
    const { watchers } = this
    this.watchers = undefined
    for (const [watcher, message] of watchers ?? []) {
      watcher.lifecycle.watching?.delete(cell)
      watcher.lifecycle.notify(message, { path: cell.path, reason })
    }
    cell.parent?.onChildEnded(cell, reason)
    this.leaveBatch()
    cell.options.row?.ended(reason)
  }

  /** Tells this actor, which watched it, of an end. */
  notify(message: WatchMessage<Message>, notice: Terminated): void {
    try {
      this.cell.deliver(typeof message === 'function' ? message(notice) : message)
    } catch (error) {
      // What makes the notice is the watcher's, and so is its failure.
      this.fail(error)
    }
  }

  private decide(ended: 'failed' | 'stopped'): void {
    const { cell } = this
    // Others of a batch go down just now, and its turn comes: that is decided. A linked one may have brought it there.
    if (this.state !== 'failed' || this.batch?.comesUp === false) return
    const { parent, system, options } = cell
    // The top of the tree has nobody above: the system shuts down (System.report).
    if (parent === undefined) return
    if (!parent.lifecycle.takesChildren) {
      this.requestStop('parent', this.reason)
      return
    }
    parent.policy ??= new SupervisionPolicy(parent.behavior.options.supervision ?? {}, system.randomness)
    const decision = parent.policy.decide(ended, options.row?.restart ?? options.restart ?? 'transient', system.now())
    if (decision.type === 'restart') {
      const earlier = this.batch
      new RestartBatch(parent, cell, decision.strategy, decision.delayMs).advance()
      earlier?.advance()
      return
    }
    this.requestStop('parent', this.reason)
    if (decision.type === 'remove') return
    const cause = this.reason.type === 'failed' ? this.reason.error : undefined
    parent.lifecycle.fail(intensityExceeded(parent.path, cell.name, decision.restarts, cause))
  }
}
