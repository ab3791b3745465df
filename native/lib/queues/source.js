import { AddonError } from '../glue/addon-error.js'
import { expectFunction, expectInteger, expectNumber } from '../glue/argument.js'
import { requireDispatch, sources } from '../threads/lane.js'
import { expectQueue, HANDLE } from './queue.js'

// The order of `typeOf` in src/queues/source_calls.cc.
const sourceTypes = ['timer', 'read', 'write', 'data-add', 'data-or', 'data-replace']

const MOST_DESCRIPTOR = 2 ** 31 - 1

/** dispatch_source_t of this lane. See index.d.ts. */
export class DispatchSource {
  #native = requireDispatch()
  #source
  #type
  #onCancelled
  #cancelled
  #active = false
  #referenced
  #holding = false
  #ending = false

  constructor(type, { queue, descriptor = 0, strict = false, ref = true, onFire }) {
    const number = sourceTypes.indexOf(type)
    if (number < 0)
      throw new AddonError('SOURCE_INVALID', `expected one of ${sourceTypes.join(', ')}, got ${String(type)}`)
    expectQueue('the queue', queue, 'SOURCE_INVALID')
    expectFunction('onFire', onFire, 'SOURCE_INVALID')
    expectInteger('the descriptor', descriptor, 0, MOST_DESCRIPTOR, 'SOURCE_INVALID')
    if (!queue.runsJavaScript) throw new AddonError('QUEUE_WRONG', `queue ${queue.label} has no lane for JavaScript`)
    this.#type = type
    // Data sources wait for nobody but the program itself, so they never keep it alive.
    this.#referenced = ref === true && number <= 2
    const handle = queue.handle(HANDLE)
    // The table holds a source until it is cancelled: one that fires must not be collected.
    const id = sources.add({ fired: onFire, cancelled: () => this.#ended() })
    this.#source = this.#native.sourceCreate(number, descriptor, handle, id, strict === true)
    if (this.#source === undefined) {
      sources.take(id)
      throw new AddonError(
        'SOURCE_INVALID',
        `libdispatch takes no ${type} source on descriptor ${descriptor}: is it open?`,
      )
    }
    this.#cancelled = new Promise(resolve => {
      this.#onCancelled = resolve
    })
  }

  schedule({ delayMs, intervalMs = 0, leewayMs = 0 }) {
    if (this.#type !== 'timer') throw new AddonError('SOURCE_INVALID', `a ${this.#type} source has no schedule`)
    expectNumber('delayMs', delayMs, Number.POSITIVE_INFINITY, 'SOURCE_INVALID')
    expectNumber('intervalMs', intervalMs, Number.POSITIVE_INFINITY, 'SOURCE_INVALID')
    expectNumber('leewayMs', leewayMs, Number.POSITIVE_INFINITY, 'SOURCE_INVALID')
    this.#native.sourceSchedule(this.#source, delayMs, intervalMs, leewayMs)
    return this
  }

  activate() {
    if (this.#active || this.#onCancelled === undefined) return this
    this.#active = true
    if (this.#referenced) this.#native.holdLane(1)
    this.#holding = this.#referenced
    this.#native.sourceActivate(this.#source)
    return this
  }

  /** While it is active it keeps the program alive. */
  ref() {
    if (this.#onCancelled === undefined || this.#ending) return this
    this.#referenced = true
    if (this.#active) this.#settleHold()
    return this
  }

  /** It may fire, but keeps nothing alive. */
  unref() {
    this.#referenced = false
    this.#settleHold()
    return this
  }

  suspend() {
    this.#native.sourceSuspend(this.#source)
  }

  resume() {
    if (!this.#native.sourceResume(this.#source))
      throw new AddonError('QUEUE_OVER_RESUMED', 'the source is not suspended')
  }

  merge(data) {
    if (!this.#type.startsWith('data-')) throw new AddonError('SOURCE_INVALID', `a ${this.#type} source merges no data`)
    expectInteger('the data', data, 0, Number.MAX_SAFE_INTEGER, 'SOURCE_INVALID')
    this.#native.sourceMerge(this.#source, data)
  }

  /** Settles when the source will never fire again, which is when a descriptor may be closed. */
  cancel() {
    this.#ending = true
    this.#native.sourceCancel(this.#source)
    // A source that never was active has no cancellation to tell of until it is.
    if (!this.#active) {
      this.#active = true
      this.#native.sourceActivate(this.#source)
    }
    // From now on the native side counts it, as an item that waits: what is suspended keeps no program alive.
    this.#referenced = false
    this.#settleHold()
    return this.#cancelled
  }

  #settleHold() {
    if (this.#holding === this.#referenced) return
    this.#holding = this.#referenced
    this.#native.holdLane(this.#holding ? 1 : -1)
  }

  #ended() {
    this.#referenced = false
    this.#settleHold()
    this.#onCancelled?.()
    this.#onCancelled = undefined
  }
}
