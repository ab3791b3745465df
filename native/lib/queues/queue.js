// dispatch_queue_t in JavaScript. Functions run on the lane that made the queue, native jobs on whatever thread
// libdispatch gives to the queue's root.
import { AddonError } from '../glue/addon-error.js'
import { expectFunction, expectInteger, expectNumber } from '../glue/argument.js'
import { execution, items, listeners, requireDispatch, specificValues } from '../threads/lane.js'
import { bandOf, qosNumber } from './quality-of-service.js'
import { QueueKey } from './queue-key.js'
import { itemOf, QueueState } from './work.js'

const SECRET = Symbol('made by this package')

/** The native object behind a queue, for the other files of this package. */
export let handleOf
/** The QueueState of a queue, for the other files of this package. */
export let stateOf

/** Each iteration is an item in memory, so a larger number is a mistake. */
const MOST_ITERATIONS = 10_000_000

let main
const globals = new Map()

export function expectQueue(what, queue, code = 'ARGUMENT_INVALID') {
  if (!(queue instanceof DispatchQueue)) throw new AddonError(code, `expected ${what} to be a DispatchQueue`)
}

export class DispatchQueue {
  label
  concurrent
  band
  #native
  #handle
  #target
  #root
  #listener
  #state

  static {
    handleOf = queue => queue.#alive()
    stateOf = queue => queue.#state
  }

  /** See index.d.ts. */
  constructor(label, options = {}, secret, adopted) {
    const { target, concurrent = false, inactive = false, qos, onError } = options
    this.#native = requireDispatch()
    this.label = String(label)
    this.concurrent = concurrent === true
    const quality = qos === undefined ? 0 : qosNumber(qos)
    this.band = bandOf(qos ?? 'default')
    if (onError !== undefined) expectFunction('onError', onError)
    this.#state = new QueueState(onError)
    if (secret === SECRET) {
      this.#handle = adopted.handle
      this.#root = adopted.root
      return
    }
    this.#target = target ?? DispatchQueue.main
    expectQueue('the target', this.#target, 'QUEUE_TARGET_INVALID')
    this.#handle = this.#native.queueCreate(
      this.label,
      this.concurrent,
      inactive === true,
      quality,
      this.#target.#alive(),
    )
  }

  /** The root of this JavaScript thread: the main queue on the main thread. */
  static get main() {
    if (main !== undefined) return main
    const native = requireDispatch()
    const handle = native.queueRoot()
    if (handle === undefined) {
      const { laneObstacle } = native.dispatchInfo()
      throw new AddonError('LIBDISPATCH_UNAVAILABLE', `libdispatch cannot serve this thread: ${laneObstacle}`)
    }
    main = new DispatchQueue('main', {}, SECRET, { handle, root: 'lane' })
    return main
  }

  /** A global queue: only native jobs run on it and on what targets it. */
  static global(qos = 'default') {
    let queue = globals.get(qos)
    if (queue === undefined) {
      const handle = requireDispatch().queueGlobal(qosNumber(qos))
      queue = new DispatchQueue(`global.${qos}`, { concurrent: true, qos }, SECRET, { handle, root: 'global' })
      globals.set(qos, queue)
    }
    return queue
  }

  /** The value that the running queue, or the nearest one that it targets, has for `key`. */
  static getSpecific(key) {
    const number = QueueKey.numberOf(key)
    return execution.running ? specificValues.get(requireDispatch().getSpecific(number)) : undefined
  }

  get target() {
    return this.#target
  }

  /** Whether JavaScript can run on it: its targets end at this lane's root. */
  get runsJavaScript() {
    let queue = this
    while (queue.#target !== undefined) queue = queue.#target
    return queue.#root === 'lane'
  }

  /** Items that wait to begin. */
  get size() {
    return this.#native.queueSize(this.#alive())
  }

  get suspended() {
    return this.#native.queueSuspended(this.#alive())
  }

  /**
   * libdispatch still counts the continuations of promises as part of the item, so it is asked only while the item
   * itself runs.
   */
  get isCurrent() {
    return execution.running && this.#native.queueIsCurrent(this.#alive())
  }

  async(work, options) {
    expectFunction('work', work)
    const handle = this.#handleForWork()
    if (options === undefined && !this.#state.handlesErrors) this.#native.queueAsync(handle, items.add(work))
    else this.#enqueue(handle, work, options)
  }

  asyncAndWait(work, options = {}) {
    expectFunction('work', work)
    const handle = this.#handleForWork()
    return new Promise((resolve, reject) => {
      this.#refuseWaitingForItself(options.barrier === true ? this : undefined)
      this.#enqueue(handle, work, options, resolve, reject)
    })
  }

  after(delayMs, work) {
    expectNumber('a delay in ms', delayMs, { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY })
    expectFunction('work', work)
    const handle = this.#handleForWork()
    if (delayMs === Number.POSITIVE_INFINITY) return () => false
    const item = itemOf(this.#state, work)
    let waits = true
    const id = items.add(() => {
      waits = false
      return item()
    })
    this.#native.queueAfter(handle, id, delayMs)
    return () => {
      if (!waits) return false
      waits = false
      items.take(id)
      this.#native.queueCancelAfter(handle, id)
      return true
    }
  }

  async apply(iterations, work) {
    expectInteger('iterations', iterations, 0, MOST_ITERATIONS)
    expectFunction('work', work)
    const handle = this.#handleForWork()
    this.#refuseWaitingForItself()
    const all = Array.from({ length: iterations }, (_, iteration) => {
      return new Promise((resolve, reject) => this.#enqueue(handle, () => work(iteration), undefined, resolve, reject))
    })
    for (const result of await Promise.allSettled(all)) if (result.status === 'rejected') throw result.reason
  }

  suspend() {
    this.#changed(this.#native.queueSuspend(this.#alive()), 'suspend')
  }

  resume() {
    if (this.#native.queueResume(this.#alive())) return
    throw new AddonError('QUEUE_OVER_RESUMED', `expected ${this.label} to be suspended, it was resumed more often`)
  }

  activate() {
    this.#changed(this.#native.queueActivate(this.#alive()), 'activate')
  }

  setTarget(target) {
    expectQueue('the target', target, 'QUEUE_TARGET_INVALID')
    for (let above = target; above !== undefined; above = above.#target) {
      if (above === this) {
        throw new AddonError('QUEUE_TARGET_INVALID', `expected a tree, ${this.label} would target itself`)
      }
    }
    if (this.runsJavaScript && !target.runsJavaScript) {
      throw new AddonError(
        'QUEUE_TARGET_INVALID',
        `expected a target on this thread, because ${this.label} may have JavaScript, got ${target.label}`,
      )
    }
    if (!this.#native.queueSetTarget(this.#alive(), target.#alive())) {
      throw new AddonError('QUEUE_TARGET_INVALID', `expected an inactive queue, ${this.label} is active`)
    }
    this.#target = target
  }

  setSpecific(key, value) {
    const handle = this.#alive()
    const number = QueueKey.numberOf(key)
    if (this.#root === 'global') throw new AddonError('QUEUE_TARGET_INVALID', 'a global queue keeps no data')
    this.#native.queueSetSpecific(handle, number, value === undefined ? undefined : specificValues.add(value))
  }

  getSpecific(key) {
    return specificValues.get(this.#native.queueGetSpecific(this.#alive(), QueueKey.numberOf(key)))
  }

  assertCurrent() {
    if (this.isCurrent) return
    const running = execution.running ? this.#native.runningLabel() : undefined
    throw new AddonError('QUEUE_WRONG', `expected to run on ${this.label}, runs on ${running ?? 'no queue'}`)
  }

  assertNotCurrent() {
    if (this.isCurrent) throw new AddonError('QUEUE_WRONG', `expected not to run on ${this.label}`)
  }

  /** Lets other lanes send bytes to this queue; the answer is what they open with `new RemoteQueue(port)`. */
  listen(onMessages) {
    expectFunction('onMessages', onMessages)
    const handle = this.#handleForWork()
    this.#listener = this.#native.queueId(handle)
    // The entry keeps the queue alive: a collected queue stops listening.
    listeners.set(this.#listener, { queue: this, onMessages })
    this.#native.queueListen(handle)
    return this.#listener
  }

  unlisten() {
    if (this.#listener === undefined) return
    listeners.delete(this.#listener)
    this.#listener = undefined
    this.#native.queueUnlisten(this.#alive())
  }

  /** Lets go of the queue; enqueued items still run. */
  release() {
    if (this.#root !== undefined || this.#handle === undefined) return
    this.unlisten()
    this.#handle = undefined
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.release()
  }

  #enqueue(handle, work, options, resolve, reject) {
    if (options?.group !== undefined) expectFunction('group.enter', options.group?.enter)
    options?.group?.enter()
    const id = items.add(itemOf(this.#state, work, options, resolve, reject))
    if (options?.barrier === true) this.#native.queueBarrierAsync(handle, id)
    else this.#native.queueAsync(handle, id)
  }

  /** @param also the queue on which that is forbidden even if it is concurrent */
  #refuseWaitingForItself(also) {
    for (let queue = this; queue.#root === undefined; queue = queue.#target) {
      if (queue.isCurrent && (!queue.concurrent || queue === also || queue.#state.runsBarrier)) {
        throw new AddonError(
          'QUEUE_SYNC_ON_SELF',
          `expected to call from another queue, ${this.label} would wait for itself through ${queue.label}`,
        )
      }
    }
  }

  #changed(done, what) {
    if (!done) throw new AddonError('QUEUE_TARGET_INVALID', `a root queue cannot ${what}: ${this.label}`)
  }

  #alive() {
    if (this.#handle !== undefined) return this.#handle
    throw new AddonError('QUEUE_RELEASED', `queue ${this.label} was released`)
  }

  #handleForWork() {
    if (this.runsJavaScript) return this.#alive()
    throw new AddonError(
      'QUEUE_WRONG',
      `expected a queue on this thread (target DispatchQueue.main), ${this.label} runs native jobs on libdispatch's threads`,
    )
  }
}
