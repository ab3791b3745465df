// dispatch_queue_t in JavaScript. Functions run on the lane that made the queue, native jobs on whatever thread
// libdispatch gives to the queue's root.
import { AddonError } from '../glue/addon-error.js'
import { expectFunction, expectInteger, expectNumber } from '../glue/argument.js'
import { items, listeners, requireDispatch, specificValues } from '../threads/lane.js'

const SECRET = Symbol('made by this package')

/** The numbers of sys/qos.h. */
export const qualities = {
  'user-interactive': 0x21,
  'user-initiated': 0x19,
  default: 0x15,
  utility: 0x11,
  background: 0x09,
}

export function qosNumber(name) {
  const number = qualities[name]
  if (number === undefined) {
    throw new AddonError('QOS_UNKNOWN', `expected one of ${Object.keys(qualities).join(', ')}, got ${String(name)}`)
  }
  return number
}

/** Keys of queue-specific data by the number under which libdispatch knows them; 0 is none. */
const specificKeys = new Map()

/** Each iteration is an item that waits, so a number beyond this is a mistake. */
const MOST_ITERATIONS = 10_000_000

let mainOrLane
const globals = new Map()

export function expectQueue(what, queue, code = 'ARGUMENT_INVALID') {
  if (!(queue instanceof DispatchQueue)) throw new AddonError(code, `expected ${what} to be a DispatchQueue`)
}

export class DispatchQueue {
  #native
  #handle
  #target
  #root
  #listener
  label

  /** See index.d.ts. */
  constructor(label, options = {}, secret, adopted) {
    this.#native = requireDispatch()
    if (secret === SECRET) {
      this.#handle = adopted.handle
      this.#root = adopted.root
      this.label = label
      return
    }
    const target = options.target ?? DispatchQueue.lane
    expectQueue('the target', target, 'QUEUE_TARGET_INVALID')
    this.label = String(label)
    this.#target = target
    this.#handle = this.#native.queueCreate(
      this.label,
      options.concurrent === true,
      options.inactive === true,
      options.qos === undefined ? 0 : qosNumber(options.qos),
      target.#alive(),
    )
  }

  /** The root of this JavaScript thread: the main queue on the main thread. */
  static get lane() {
    if (mainOrLane !== undefined) return mainOrLane
    const native = requireDispatch()
    const handle = native.queueRoot()
    if (handle === undefined) {
      const { laneObstacle } = native.dispatchInfo()
      throw new AddonError('LIBDISPATCH_UNAVAILABLE', `libdispatch cannot serve this thread: ${laneObstacle}`)
    }
    mainOrLane = new DispatchQueue('lane', {}, SECRET, { handle, root: 'lane' })
    return mainOrLane
  }

  /** A global queue: only native jobs run on it and on what targets it. */
  static global(qos = 'default') {
    let queue = globals.get(qos)
    if (queue === undefined) {
      const handle = requireDispatch().queueGlobal(qosNumber(qos))
      queue = new DispatchQueue(`global.${qos}`, {}, SECRET, { handle, root: 'global' })
      globals.set(qos, queue)
    }
    return queue
  }

  /** The value that the running queue, or the nearest one it targets, has for `key`. */
  static getSpecific(key) {
    const number = specificKeys.get(key)
    const value = number === undefined ? undefined : requireDispatch().getSpecific(number)
    return value === undefined ? undefined : specificValues.get(value)
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

  get isCurrent() {
    return this.#native.queueIsCurrent(this.#alive())
  }

  /** What the native side of this package knows the queue by; not for users. */
  handle(secret) {
    if (secret !== HANDLE) throw new AddonError('QUEUE_WRONG', 'the handle of a queue belongs to this package')
    return this.#alive()
  }

  async(work) {
    expectFunction('work', work)
    this.#native.queueAsync(this.#handleForWork(), items.add(work))
  }

  barrierAsync(work) {
    expectFunction('work', work)
    this.#native.queueBarrierAsync(this.#handleForWork(), items.add(work))
  }

  after(delayMs, work) {
    expectNumber('a delay in ms', delayMs)
    expectFunction('work', work)
    this.#native.queueAfter(this.#handleForWork(), items.add(work), delayMs)
  }

  apply(iterations, work) {
    expectInteger('iterations', iterations, 0, MOST_ITERATIONS)
    expectFunction('work', work)
    const handle = this.#handleForWork()
    if (iterations === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      let left = iterations
      const run = index => () => {
        try {
          work(index)
        } catch (error) {
          reject(error)
        }
        if (--left === 0) resolve()
      }
      for (let index = 0; index < iterations; index++) this.#native.queueAsync(handle, items.add(run(index)))
    })
  }

  suspend() {
    this.#changed(this.#native.queueSuspend(this.#alive()), 'suspend')
  }

  resume() {
    if (this.#native.queueResume(this.#alive())) return
    throw new AddonError('QUEUE_OVER_RESUMED', `queue ${this.label} is not suspended`)
  }

  activate() {
    this.#changed(this.#native.queueActivate(this.#alive()), 'activate')
  }

  setTarget(target) {
    expectQueue('the target', target, 'QUEUE_TARGET_INVALID')
    for (let above = target; above !== undefined; above = above.#target) {
      if (above === this) throw new AddonError('QUEUE_TARGET_INVALID', `queue ${this.label} cannot target itself`)
    }
    if (this.runsJavaScript && !target.runsJavaScript) {
      throw new AddonError(
        'QUEUE_TARGET_INVALID',
        `queue ${this.label} may have JavaScript, ${target.label} has no lane`,
      )
    }
    if (!this.#native.queueSetTarget(this.#alive(), target.#alive())) {
      throw new AddonError(
        'QUEUE_TARGET_INVALID',
        `queue ${this.label} can change its target only while it is inactive`,
      )
    }
    this.#target = target
  }

  setSpecific(key, value) {
    const handle = this.#alive()
    if (this.#root === 'global') throw new AddonError('QUEUE_TARGET_INVALID', 'a global queue keeps no data')
    let number = specificKeys.get(key)
    if (number === undefined) {
      number = specificKeys.size + 1
      specificKeys.set(key, number)
    }
    this.#native.queueSetSpecific(handle, number, value === undefined ? undefined : specificValues.add(value))
  }

  assertCurrent() {
    if (this.isCurrent) return
    throw new AddonError('QUEUE_WRONG', `expected to run on queue ${this.label}`)
  }

  /** Lets other lanes send bytes to this queue; the answer is what they open with `new RemoteQueue(port)`. */
  listen(onMessages) {
    expectFunction('onMessages', onMessages)
    const handle = this.#handleForWork()
    this.#listener = this.#native.queueId(handle)
    // The queue itself is kept as well: one that is collected listens no more.
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

  /** Lets go of the queue; what was enqueued still runs. */
  release() {
    if (this.#root !== undefined || this.#handle === undefined) return
    this.unlisten()
    this.#handle = undefined
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.release()
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
      `queue ${this.label} runs on libdispatch's own threads, where only native jobs can run; target DispatchQueue.lane for JavaScript`,
    )
  }
}

/** Opens `DispatchQueue.prototype.handle` to the other files of this package. */
export const HANDLE = Symbol('handle')

const DEFAULT_CAPACITY = 65_536
const MOST_CAPACITY = 2 ** 32 - 1

/** A queue of another lane, as a place to send bytes to. */
export class RemoteQueue {
  #native
  #remote
  #capacity

  constructor(port, { capacity = DEFAULT_CAPACITY } = {}) {
    this.#native = requireDispatch()
    expectInteger('the port', port, 0, MOST_CAPACITY)
    expectInteger('the capacity', capacity, 1, MOST_CAPACITY)
    this.#remote = this.#native.remoteOpen(port)
    this.#capacity = capacity
    if (this.#remote === undefined) throw new AddonError('QUEUE_RELEASED', `no queue listens on port ${port}`)
  }

  /** The bytes are copied. False where the queue's inbox is full or nobody listens any more. */
  send(bytes) {
    return this.#native.remoteSend(this.#remote, bytes, this.#capacity)
  }
}
