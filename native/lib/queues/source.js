import { AddonError } from '../glue/addon-error.js'
import { expectFunction, expectInteger, expectNumber } from '../glue/argument.js'
import { isPromise, requireDispatch, sources } from '../threads/lane.js'
import { expectQueue, handleOf, stateOf } from './queue.js'

// The order of SourceKind in src/queues/source_calls.cc.
const kinds = ['timer', 'readable', 'writable', 'dataAdd', 'dataOr', 'dataReplace']

const SECRET = Symbol('made by this package')
const MOST_DESCRIPTOR = 2 ** 31 - 1

/**
 * The part of a source that the lane's table keeps until the cancel handler has run. It does not refer to the queue: a
 * queue that its user has lost must be collected, and is then resumed.
 */
class SourceEvents {
  data = 0
  eventHandler
  cancelHandler
  isActive = false
  isCancelled = false
  /** Whether the source can fire without a call of `mergeData`. A timer that will not fire again cannot. */
  isExpected
  isReferenced
  native
  #state
  #repeats
  #holding = false

  constructor(state, kind) {
    this.#state = state
    // Only the program itself can fire a data source, so it never keeps the program alive.
    this.isReferenced = !kind.startsWith('data')
    this.isExpected = kind === 'readable' || kind === 'writable'
    this.#repeats = this.isExpected
  }

  arm({ afterMs, repeatingMs, leewayMs }) {
    this.#repeats = repeatingMs > 0
    this.isExpected = afterMs !== Number.POSITIVE_INFINITY
    this.settle()
    requireDispatch().sourceSchedule(this.native, afterMs, repeatingMs, leewayMs)
  }

  /** An active source keeps the program alive while it is expected to fire. */
  settle() {
    const holds = this.isReferenced && this.isActive && this.isExpected && !this.isCancelled
    if (this.#holding === holds) return
    this.#holding = holds
    requireDispatch().holdLane(holds ? 1 : -1)
  }

  fired(data) {
    if (this.isCancelled) return undefined
    if (!this.#repeats) this.isExpected = false
    this.settle()
    this.data = data
    const handled = this.#run(this.eventHandler)
    if (handled === undefined) return undefined
    // A handler never overlaps itself, not even on a concurrent queue.
    const dispatch = requireDispatch()
    dispatch.sourceHold(this.native)
    return handled.then(() => dispatch.sourceRelease(this.native))
  }

  cancelled() {
    return this.#run(this.cancelHandler)
  }

  /** Errors go to `onError` of the queue, so the promise of a handler never rejects. */
  #run(handler) {
    try {
      const result = handler?.()
      return isPromise(result) ? Promise.resolve(result).catch(error => this.#state.fail(error)) : undefined
    } catch (error) {
      this.#state.fail(error)
      return undefined
    }
  }
}

/** dispatch_source_t of this lane. See index.d.ts. */
export class DispatchSource {
  queue
  #dispatch = requireDispatch()
  #kind
  #events
  #schedule
  #suspensions = 0

  constructor(secret, kind, queue, { descriptor = 0, strict = false } = {}) {
    if (secret !== SECRET) throw new AddonError('SOURCE_INVALID', 'expected DispatchSource.timer or one of its like')
    expectQueue('the queue', queue, 'SOURCE_INVALID')
    expectInteger('the descriptor', descriptor, 0, MOST_DESCRIPTOR, 'SOURCE_INVALID')
    if (!queue.runsJavaScript) throw new AddonError('QUEUE_WRONG', `queue ${queue.label} has no lane for JavaScript`)
    this.queue = queue
    this.#kind = kind
    this.#events = new SourceEvents(stateOf(queue), kind)
    const id = sources.add(this.#events)
    const handle = handleOf(queue)
    this.#events.native = this.#dispatch.sourceCreate(kinds.indexOf(kind), descriptor, handle, id, strict === true)
    if (this.#events.native !== undefined) return
    sources.take(id)
    throw new AddonError(
      'SOURCE_INVALID',
      `libdispatch takes no ${kind} source on descriptor ${descriptor}: is it open?`,
    )
  }

  static dataAdd(queue) {
    return new DispatchSource(SECRET, 'dataAdd', queue)
  }

  static dataOr(queue) {
    return new DispatchSource(SECRET, 'dataOr', queue)
  }

  static dataReplace(queue) {
    return new DispatchSource(SECRET, 'dataReplace', queue)
  }

  static timer(queue, schedule, options) {
    const source = new DispatchSource(SECRET, 'timer', queue, options)
    source.schedule(schedule)
    return source
  }

  static readable(queue, descriptor) {
    return new DispatchSource(SECRET, 'readable', queue, { descriptor })
  }

  static writable(queue, descriptor) {
    return new DispatchSource(SECRET, 'writable', queue, { descriptor })
  }

  get data() {
    return this.#events.data
  }

  get isCancelled() {
    return this.#events.isCancelled
  }

  setEventHandler(handler) {
    expectFunction('the event handler', handler, 'SOURCE_INVALID')
    this.#events.eventHandler = handler
  }

  setCancelHandler(handler) {
    expectFunction('the cancel handler', handler, 'SOURCE_INVALID')
    this.#events.cancelHandler = handler
  }

  schedule({ afterMs, repeatingMs = 0, leewayMs = 0 }) {
    if (this.#kind !== 'timer') throw new AddonError('SOURCE_INVALID', `a ${this.#kind} source has no schedule`)
    const bounds = { most: Number.POSITIVE_INFINITY, code: 'SOURCE_INVALID' }
    expectNumber('afterMs', afterMs, { ...bounds, least: Number.NEGATIVE_INFINITY })
    expectNumber('repeatingMs', repeatingMs, bounds)
    expectNumber('leewayMs', leewayMs, bounds)
    this.#schedule = { afterMs, repeatingMs, leewayMs }
    if (this.#events.isActive) this.#events.arm(this.#schedule)
  }

  activate() {
    const events = this.#events
    if (events.isActive) return
    events.isActive = true
    if (this.#schedule !== undefined) events.arm(this.#schedule)
    events.settle()
    this.#dispatch.sourceActivate(events.native)
  }

  ref() {
    this.#events.isReferenced = true
    this.#events.settle()
  }

  unref() {
    this.#events.isReferenced = false
    this.#events.settle()
  }

  suspend() {
    this.#suspensions++
    this.#dispatch.sourceSuspend(this.#events.native)
  }

  resume() {
    if (this.#suspensions > 0) {
      this.#suspensions--
      this.#dispatch.sourceResume(this.#events.native)
    } else if (this.#events.isActive) {
      throw new AddonError('QUEUE_OVER_RESUMED', 'expected the source to be suspended, it was resumed more often')
    } else {
      this.activate()
    }
  }

  mergeData(value) {
    if (!this.#kind.startsWith('data')) {
      throw new AddonError('SOURCE_INVALID', `a ${this.#kind} source merges no data`)
    }
    expectInteger('the data', value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'SOURCE_INVALID')
    this.#dispatch.sourceMerge(this.#events.native, this.#kind === 'dataOr' ? value >>> 0 : value)
  }

  cancel() {
    if (this.#events.isCancelled) return
    this.#events.isCancelled = true
    // From now on only the pending cancellation, which the native side counts as an item, keeps the program alive.
    this.#events.settle()
    this.#dispatch.sourceCancel(this.#events.native)
  }
}
