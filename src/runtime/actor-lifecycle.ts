import { SpimplError } from '../errors.ts'
import type { Message } from './actor.ts'
import type { ActorCell } from './actor-cell.ts'
import { execution } from './root-queue.ts'
import { SupervisionPolicy, type SupervisionStrategy } from './supervision.ts'
import { Timer } from './timer-wheel.ts'

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

/** What belongs to one life of an actor and ends with it: timers, hooks, watches. */
export interface Incarnation {
  readonly hooks: (() => void | PromiseLike<void>)[]
  dispose(): void
}

type State = 'starting' | 'running' | 'failed' | 'restarting' | 'waiting' | 'stopping' | 'stopped'

const stoppedNormally: StopReason = { type: 'stopped' }

/**
 * The life of one actor: start, failure, restart, stop. An end goes in this order: the handler that runs finishes, the
 * children end (the youngest first, one after the other), the `onStop` hooks run, then whoever watches is told.
 */
export class Lifecycle {
  state: State = 'starting'
  startRequested = false
  private readonly cell: ActorCell
  private reason: StopReason = stoppedNormally
  private hooksPending = false
  /** Children that are to end, the oldest first. */
  private toEnd: ActorCell[] | undefined = undefined
  private advancing = false
  private batch: RestartBatch | undefined = undefined
  private watchers: Map<ActorCell, WatchMessage<Message>> | undefined = undefined
  private watching: Set<ActorCell> | undefined = undefined

  constructor(cell: ActorCell) {
    this.cell = cell
  }

  get stopped(): boolean {
    return this.state === 'stopped'
  }

  /** It is on its way to its end. */
  get ending(): boolean {
    return this.state === 'stopping' || this.state === 'stopped'
  }

  get takesChildren(): boolean {
    return this.state === 'running' || this.state === 'starting'
  }

  requestStart(): void {
    this.state = 'starting'
    this.startRequested = true
    this.cell.schedule()
  }

  /** Runs `setup`, on the actor's queue. */
  start(): void {
    const { cell } = this
    this.startRequested = false
    this.reason = stoppedNormally
    execution.messageId = 0
    try {
      const context = cell.makeContext()
      cell.incarnation = context
      cell.open = true
      this.state = 'running'
      cell.become(cell.behavior.setup(context))
    } catch (error) {
      this.fail(error)
    }
  }

  /** A handler or `setup` threw: the parent's policy decides. */
  fail(error: unknown): void {
    if (this.state !== 'running' && this.state !== 'starting') {
      this.cell.system.report(this.cell, 'failed while it ended', error)
      return
    }
    this.cell.open = false
    this.state = 'failed'
    this.reason = { type: 'failed', error }
    this.cell.system.report(this.cell, 'failed', error)
    this.decide('failed')
  }

  /** @param by `self` when the actor asked for it, and so its restart kind counts; `parent` when it is told to end */
  requestStop(by: 'self' | 'parent', reason?: StopReason): void {
    if (this.ending) return
    if (reason !== undefined) this.reason = reason
    else if (this.state !== 'failed') this.reason = stoppedNormally
    if (by === 'self' && this.cell.options.restart === 'permanent' && this.state === 'running') {
      this.cell.open = false
      this.state = 'failed'
      this.decide('stopped')
      return
    }
    this.cell.open = false
    this.startRequested = false
    this.state = 'stopping'
    this.advance()
  }

  /** Ends it and all below it now, whatever still runs: for a deadline that has passed. @returns the paths that were late */
  force(late: string[]): void {
    const { cell } = this
    for (const child of [...(cell.children?.values() ?? [])].reverse()) child.lifecycle.force(late)
    if (this.stopped) return
    late.push(cell.path)
    this.reason = { type: 'late' }
    cell.open = false
    this.finish()
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
    if (this.advancing || (this.state !== 'stopping' && this.state !== 'restarting')) return
    this.advancing = true
    const complete = this.stepsDone()
    this.advancing = false
    if (!complete) return
    if (this.state === 'stopping') {
      this.finish()
    } else {
      this.state = 'waiting'
      this.batch?.advance()
    }
  }

  /** Joins a restart of its parent's children: goes down now, and starts when the batch does. */
  goDown(batch: RestartBatch): void {
    this.batch = batch
    this.cell.open = false
    this.startRequested = false
    this.state = 'restarting'
    this.advance()
  }

  comeUp(): void {
    this.batch = undefined
    if (this.state !== 'waiting') return
    this.cell.restarts++
    this.requestStart()
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
      for (let hook = incarnation.hooks.pop(); hook !== undefined; hook = incarnation.hooks.pop()) {
        if (this.runHook(hook)) return false
      }
      incarnation.dispose()
      cell.incarnation = undefined
    }
    for (const watched of this.watching ?? []) watched.lifecycle.watchers?.delete(cell)
    this.watching = undefined
    cell.become(undefined)
    return true
  }

  /** @returns whether it takes its time */
  private runHook(hook: () => void | PromiseLike<void>): boolean {
    const { cell } = this
    try {
      const result = hook()
      if (result === undefined || typeof result.then !== 'function') return false
      this.hooksPending = true
      const done = () => {
        this.hooksPending = false
        this.advance()
      }
      result.then(done, error => {
        cell.system.report(cell, 'failed in onStop', error)
        done()
      })
      return true
    } catch (error) {
      cell.system.report(cell, 'failed in onStop', error)
      return false
    }
  }

  private finish(): void {
    const { cell, reason } = this
    this.state = 'stopped'
    cell.closed = true
    cell.incarnation?.dispose()
    cell.incarnation = undefined
    cell.discardMailbox()
    const { watchers } = this
    this.watchers = undefined
    for (const [watcher, message] of watchers ?? []) {
      watcher.lifecycle.watching?.delete(cell)
      watcher.lifecycle.notify(message, { path: cell.path, reason })
    }
    const { batch } = this
    this.batch = undefined
    cell.parent?.onChildEnded(cell, reason)
    batch?.advance()
  }

  private notify(message: WatchMessage<Message>, notice: Terminated): void {
    this.cell.deliver(typeof message === 'function' ? message(notice) : message)
  }

  private decide(ended: 'failed' | 'stopped'): void {
    const { cell } = this
    const { parent, system } = cell
    // The top of the tree has nobody above: the system shuts down (System.report).
    if (parent === undefined) return
    if (!parent.lifecycle.takesChildren) {
      this.requestStop('parent', this.reason)
      return
    }
    parent.policy ??= new SupervisionPolicy(parent.behavior.options.supervision ?? {}, system.randomness)
    const decision = parent.policy.decide(ended, cell.options.restart ?? 'transient', system.now())
    if (decision.type === 'restart') {
      new RestartBatch(parent, cell, decision.strategy, decision.delayMs).advance()
      return
    }
    this.requestStop('parent', this.reason)
    if (decision.type === 'remove') return
    const cause = this.reason.type === 'failed' ? this.reason.error : undefined
    parent.lifecycle.fail(
      new SpimplError(
        'RESTART_INTENSITY',
        `expected at most ${decision.restarts} restarts under ${parent.path}/, ${cell.name} would be one more`,
        { cause },
      ),
    )
  }
}

/** A restart of one child or several: they go down from the youngest to the oldest, and come up in the order of their start. */
class RestartBatch extends Timer {
  private readonly cells: ActorCell[]
  private readonly parent: ActorCell
  private readonly delayMs: number
  private down: number
  private done = false

  constructor(parent: ActorCell, failed: ActorCell, strategy: SupervisionStrategy, delayMs: number) {
    super()
    this.parent = parent
    this.delayMs = delayMs
    const siblings = [...parent.children!.values()]
    const from = strategy === 'one-for-one' ? siblings.indexOf(failed) : 0
    const first = strategy === 'rest-for-one' ? siblings.indexOf(failed) : from
    const to = strategy === 'one-for-one' ? first + 1 : siblings.length
    this.cells = siblings.slice(first, to).filter(cell => {
      const { state } = cell.lifecycle
      return state === 'running' || state === 'starting' || state === 'failed'
    })
    this.down = this.cells.length
  }

  /** Called whenever one of its cells is down. */
  advance(): void {
    while (!this.done && this.down > 0) {
      const { lifecycle } = this.cells[this.down - 1]!
      if (lifecycle.state === 'running' || lifecycle.state === 'starting' || lifecycle.state === 'failed') {
        lifecycle.goDown(this)
      }
      if (lifecycle.state !== 'waiting' && lifecycle.state !== 'stopped') return
      this.down--
    }
    if (this.done) return
    this.done = true
    if (this.delayMs > 0) this.parent.root.setTimer(this, this.parent.system.now() + this.delayMs)
    else this.fire()
  }

  override fire(): void {
    for (const cell of this.cells) cell.lifecycle.comeUp()
  }
}
