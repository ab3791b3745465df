import { SpimplError } from '../errors.ts'
import { EventLoopExecutor } from '../executors/event-loop.ts'
import { throwUncaught } from '../watching/uncaught.ts'
import { DelayedWork } from './delayed-work.ts'
import { hold, release } from './holding.ts'
import type { QualityOfService } from './quality-of-service.ts'
import type { QueueKey } from './queue-key.ts'
import { Ring } from './ring.ts'
import { type Drainable, execution, RootQueue, rootBand, type Target } from './root-queue.ts'
import type { Work } from './work.ts'
import { WorkItem, type WorkOptions } from './work-item.ts'

/** The attributes of a queue, as `dispatch_queue_attr_t` has them. */
export interface DispatchQueueOptions {
  /** Default: this thread's main root. Exclusion and priority come from the target. */
  readonly target?: Target
  /** Default `default`. Has an effect if the target is a root. */
  readonly qos?: QualityOfService
  /** Default serial. */
  readonly concurrent?: boolean
  /** Runs nothing before `activate()`; until then its target can be changed. */
  readonly inactive?: boolean
  /** Gets the errors that work throws or rejects with. Default: an uncaught exception, as libdispatch crashes. */
  readonly onError?: (error: unknown) => void
}

let mainRoot: RootQueue | undefined

/**
 * A queue as in libdispatch. A serial queue runs one item at a time, first in, first out for each sender; in a
 * concurrent queue, items that await promises overlap. Queues form a tree through `target`.
 *
 * @example
 * const index = new DispatchQueue('net.example.index', { qos: 'utility' })
 * let words = 0
 * index.async(() => { words++ })
 * const count = await index.asyncAndWait(() => words)
 */
export class DispatchQueue implements Drainable, Target {
  readonly label: string
  readonly concurrent: boolean
  readonly band: number
  inFlight = 0
  #above: Target
  readonly #items = new Ring<Work | WorkItem | Drainable>()
  readonly #onError: ((error: unknown) => void) | undefined
  #specifics: Map<QueueKey<unknown>, unknown> | undefined = undefined
  #suspensions = 0
  #active: boolean
  #barrierInFlight = false
  /** A barrier of this queue is on the stack. */
  #barrierExecuting = false
  #scheduled = false
  /** Items of this queue, or of queues that target it, on this thread's stack: more than one only through `sync`. */
  #executing = 0

  constructor(label: string, options: DispatchQueueOptions = {}) {
    this.label = label
    this.concurrent = options.concurrent ?? false
    this.band = rootBand(options.qos)
    this.#above = options.target ?? DispatchQueue.main
    this.#active = options.inactive !== true
    this.#onError = options.onError
  }

  /** The root of this JavaScript thread: the target of queues that name none. */
  static get main(): RootQueue {
    mainRoot ??= new RootQueue(new EventLoopExecutor(), { label: 'main' })
    return mainRoot
  }

  get target(): Target {
    return this.#above
  }

  get root(): RootQueue {
    return this.#above.root
  }

  /** Waiting items and ready queues. */
  get size(): number {
    return this.#items.size
  }

  get suspended(): boolean {
    return this.#suspensions > 0 || !this.#active
  }

  /** Runs `work` later, behind the waiting work; never before this returns. */
  async(work: Work, options?: WorkOptions): void {
    if (options === undefined) {
      this.#items.push(work)
    } else {
      options.group?.enter()
      this.#items.push(new WorkItem(work, options))
    }
    if (!this.#scheduled) this.schedule()
  }

  /**
   * As `async`, and settles with what `work` returns or throws.
   * @throws SpimplError `QUEUE_SYNC_ON_SELF` where an item of a serial queue would wait for an item behind it; use
   * `async` if nobody awaits the result
   */
  asyncAndWait<R>(work: Work<R>, options: WorkOptions = {}): Promise<Awaited<R>> {
    return new Promise((resolve, reject) => {
      this.#refuseWaitingForItself(options.barrier === true ? this : undefined)
      options.group?.enter()
      this.#items.push(new WorkItem(work, options, resolve as (value: unknown) => void, reject))
      if (!this.#scheduled) this.schedule()
    })
  }

  /**
   * Runs `work` now, after the waiting work of this queue, which therefore runs now too.
   * @throws SpimplError `QUEUE_SYNC_ON_SELF` where libdispatch would deadlock, `QUEUE_SYNC_BLOCKED` where it would wait
   * for a promise or a suspended queue: a JavaScript thread cannot wait
   */
  sync<R>(work: Work<R>, { barrier = false }: { readonly barrier?: boolean } = {}): R {
    this.#refuseWaitingForItself(this)
    const outer = execution.current
    this.#occupyChain(1)
    try {
      // Work that these items enqueue comes behind `work`.
      let waiting = this.#items.size
      for (; waiting > 0 && !this.#chainHeld() && this.#mayRun(); waiting--) this.#runNext(this.root)
      if (waiting > 0 || this.#chainHeld() || (barrier && this.inFlight > 0)) throw this.#blocked()
      execution.current = this
      this.#barrierExecuting = barrier
      const result = work()
      if (isPromise(result)) this.#hold(result, new WorkItem(work, { barrier }))
      return result
    } finally {
      execution.current = outer
      if (barrier) this.#barrierExecuting = false
      this.#occupyChain(-1)
    }
  }

  /** Runs `work` after `delayMs`. @returns a function that cancels it, and returns false if it was too late */
  after(delayMs: number, work: Work): () => boolean {
    const timer = new DelayedWork(this, work)
    const { root } = this
    root.setTimer(timer, root.executor.clock.now() + delayMs)
    return () => root.cancelTimer(timer)
  }

  /**
   * Runs `work(0)` to `work(iterations - 1)` and settles when all of them are done, failed ones included; rejects with
   * the first error.
   * @throws SpimplError `QUEUE_SYNC_ON_SELF` where a serial queue would wait for itself
   */
  async apply(iterations: number, work: (iteration: number) => unknown): Promise<void> {
    this.#refuseWaitingForItself()
    const all = Array.from({ length: iterations }, (_, iteration) => this.asyncAndWait(() => work(iteration)))
    for (const result of await Promise.allSettled(all)) if (result.status === 'rejected') throw result.reason
  }

  /** Runs nothing more until `resume()` has been called as often. Running items and items in flight go on. */
  suspend(): void {
    this.#suspensions++
    this.root.disturbances++
  }

  /** @throws SpimplError `QUEUE_OVER_RESUMED` if every `suspend` has had its `resume` */
  resume(): void {
    if (this.#suspensions === 0) {
      throw new SpimplError('QUEUE_OVER_RESUMED', `expected ${this.label} to be suspended, it is not`)
    }
    if (--this.#suspensions === 0) this.schedule()
  }

  /** Lets an inactive queue begin; does nothing on an active one. */
  activate(): void {
    if (this.#active) return
    this.#active = true
    this.schedule()
  }

  /**
   * @throws SpimplError `QUEUE_TARGET_INVALID` on an active queue, or if the queue would target itself through others
   */
  setTarget(target: Target): void {
    if (this.#active) {
      throw new SpimplError('QUEUE_TARGET_INVALID', `expected an inactive queue, ${this.label} is active`)
    }
    for (let above: Target | undefined = target; above !== undefined; above = above.target) {
      if (above === this)
        throw new SpimplError('QUEUE_TARGET_INVALID', `expected a tree of queues, ${this.label} would target itself`)
    }
    this.#above = target
  }

  setSpecific<T>(key: QueueKey<T>, value: T | undefined): void {
    this.#specifics ??= new Map()
    if (value === undefined) this.#specifics.delete(key)
    else this.#specifics.set(key, value)
  }

  /** The value that this queue itself holds under the key. */
  getSpecific<T>(key: QueueKey<T>): T | undefined {
    return this.#specifics?.get(key) as T | undefined
  }

  /** The value that the current queue, or the nearest of its targets, holds under the key. */
  static getSpecific<T>(key: QueueKey<T>): T | undefined {
    for (let at: Target | Drainable | undefined = execution.current; at !== undefined; at = at.target) {
      const value = at instanceof DispatchQueue ? at.getSpecific(key) : undefined
      if (value !== undefined) return value
    }
    return undefined
  }

  /**
   * As `dispatch_assert_queue`: it holds also while an item of this queue waits in `sync` on another one. After an
   * `await` the current queue is unknown.
   * @throws SpimplError `QUEUE_WRONG` unless the code runs on this queue, or on a queue that targets it
   */
  assertCurrent(): void {
    if (this.#executing === 0) {
      throw new SpimplError('QUEUE_WRONG', `expected to run on ${this.label}, runs on ${currentLabel()}`)
    }
  }

  /** @throws SpimplError `QUEUE_WRONG` if the code runs on this queue, or on a queue that targets it */
  assertNotCurrent(): void {
    if (this.#executing > 0) throw new SpimplError('QUEUE_WRONG', `expected not to run on ${this.label}`)
  }

  enqueue(ready: Drainable): void {
    this.#items.push(ready)
    this.schedule()
  }

  schedule(): void {
    if (this.#scheduled || !this.#mayRun()) return
    this.#scheduled = true
    this.#above.enqueue(this)
  }

  drain(root: RootQueue): boolean {
    const { disturbances } = root
    let turns = root.itemsPerTurn
    while (this.#mayRun()) {
      this.#runNext(root)
      if (root.spent || --turns === 0 || root.disturbances !== disturbances) break
    }
    this.#scheduled = this.#mayRun()
    return this.#scheduled
  }

  #mayRun(): boolean {
    if (this.#items.size === 0 || this.#suspensions > 0 || !this.#active) return false
    if (this.inFlight === 0) return true
    if (!this.concurrent || this.#barrierInFlight) return false
    const next = this.#items.at(0)
    return !(next instanceof WorkItem && next.barrier)
  }

  #runNext(root: RootQueue): void {
    const item = this.#items.shift()!
    const outer = execution.current
    const outerId = execution.messageId
    execution.current = this
    execution.messageId = 0
    this.#executing++
    if (typeof item === 'function') {
      this.#run(item)
      root.ran()
    } else if (item instanceof WorkItem) {
      this.#barrierExecuting = item.barrier
      this.#runItem(item)
      this.#barrierExecuting = false
      root.ran()
    } else if (item.drain(root)) {
      this.#items.push(item)
    }
    this.#executing--
    execution.current = outer
    execution.messageId = outerId
  }

  #run(work: Work): void {
    try {
      const result = work()
      if (isPromise(result)) this.#hold(result, undefined)
    } catch (error) {
      this.fail(error)
    }
  }

  #runItem(item: WorkItem): void {
    try {
      const result = item.work()
      if (isPromise(result)) {
        this.#hold(result, item)
        return
      }
      item.resolve?.(result)
    } catch (error) {
      if (item.reject !== undefined) item.reject(error)
      else this.fail(error)
    }
    this.#leave(item)
  }

  /** An unbalanced `leave` is reported as a failure of the work item. */
  #leave(item: WorkItem | undefined): void {
    try {
      item?.group?.leave()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Holds this queue and all its targets until the promise settles, because exclusion comes from the targets. */
  #hold(promise: PromiseLike<unknown>, item: WorkItem | undefined): void {
    if (item?.barrier === true) this.#barrierInFlight = true
    hold(this)
    const settled = () => {
      if (item?.barrier === true) this.#barrierInFlight = false
      release(this)
      this.#leave(item)
    }
    // A foreign thenable may throw, or call back twice; `resolve` passes a promise through as it is.
    Promise.resolve(promise).then(
      value => {
        item?.resolve?.(value)
        settled()
      },
      error => {
        if (item?.reject !== undefined) item.reject(error)
        settled()
        if (item?.reject === undefined) this.fail(error)
      },
    )
  }

  /**
   * @internal Reports an error of the work. An error of `onError` is an uncaught exception, so that the thread goes on
   * draining.
   */
  fail(error: unknown): void {
    try {
      if (this.#onError === undefined) throwUncaught(error)
      else this.#onError(error)
    } catch (failure) {
      throwUncaught(failure)
    }
  }

  #chainHeld(): boolean {
    if (this.suspended || this.#barrierInFlight || (!this.concurrent && this.inFlight > 0)) return true
    return this.#above instanceof DispatchQueue && this.#above.#chainHeld()
  }

  #occupyChain(by: 1 | -1): void {
    for (let at: Target | undefined = this; at instanceof DispatchQueue; at = at.target) at.#executing += by
  }

  #blocked(): SpimplError {
    return new SpimplError(
      'QUEUE_SYNC_BLOCKED',
      `expected ${this.label} to be free for sync, it is suspended or waits for a promise; use asyncAndWait`,
    )
  }

  /** @param also a queue on which waiting is refused even if it is concurrent */
  #refuseWaitingForItself(also?: DispatchQueue): void {
    for (let at: Target | undefined = this; at instanceof DispatchQueue; at = at.target) {
      if (at.#executing > 0 && (!at.concurrent || at === also || at.#barrierExecuting)) {
        throw new SpimplError(
          'QUEUE_SYNC_ON_SELF',
          `expected to call from another queue, ${currentLabel()} would wait for itself through ${at.label}`,
        )
      }
    }
  }
}

function currentLabel(): string {
  const { current } = execution
  return current instanceof DispatchQueue ? current.label : current === undefined ? 'no queue' : 'an actor'
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
