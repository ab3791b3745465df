import type { Readable, Writable } from 'node:stream'
import { DispatchQueue } from './dispatch-queue.ts'
import { Timer } from './timer-wheel.ts'

/** When a timer source fires. */
export interface TimerSchedule {
  /** From `activate()`. */
  readonly afterMs: number
  /** Default: once. */
  readonly repeatingMs?: number
  /**
   * The event may come this much later, so that timers that are due at about the same time wake the process once.
   * Default 0; at most half the interval of a repeating timer, as in libdispatch.
   */
  readonly leewayMs?: number
}

/** The event emitter behind a source. */
interface Attachment {
  detach(): void
  /** Called after the event handler: delivers again if something is left. */
  handled?(): void
}

const unattached: Attachment = { detach: () => {} }

/**
 * Delivers events of one kind on a queue. Events that arrive while the handler waits for its turn, or for a promise,
 * are merged into one: a handler never overlaps itself, also on a concurrent queue. A new source is inactive: set its
 * handlers, then activate it.
 */
export class DispatchSource {
  readonly queue: DispatchQueue
  /** A serial queue on which its handlers run one after the other; its target is the user's queue. */
  readonly #turns: DispatchQueue
  readonly #merge: (pending: number, value: number) => number
  readonly #attach: (source: DispatchSource) => Attachment
  #eventHandler: (() => unknown) | undefined
  #cancelHandler: (() => unknown) | undefined
  #attachment: Attachment = unattached
  #pending: number | undefined
  #queued = false
  #active = false
  #suspensions = 0
  #cancelled = false
  #value = 0

  private constructor(
    queue: DispatchQueue,
    merge: (pending: number, value: number) => number,
    attach: (source: DispatchSource) => Attachment = () => unattached,
  ) {
    this.queue = queue
    const onError = (error: unknown) => queue.fail(error)
    this.#turns = new DispatchQueue(`${queue.label}.source`, { target: queue, inactive: true, onError })
    this.#merge = merge
    this.#attach = attach
  }

  /** Values given to `mergeData` are added up. */
  static dataAdd(queue: DispatchQueue): DispatchSource {
    return new DispatchSource(queue, (pending, value) => pending + value)
  }

  /** Values given to `mergeData` are combined bit by bit (32 bits). */
  static dataOr(queue: DispatchQueue): DispatchSource {
    return new DispatchSource(queue, (pending, value) => (pending | value) >>> 0)
  }

  /** The last value given to `mergeData` counts. */
  static dataReplace(queue: DispatchQueue): DispatchSource {
    return new DispatchSource(queue, (_pending, value) => value)
  }

  /** Fires by the clock; `data` is how often the timer was due since the last event. */
  static timer(queue: DispatchQueue, schedule: TimerSchedule): DispatchSource {
    return new DispatchSource(
      queue,
      (pending, value) => pending + value,
      source => {
        const timer = new SourceTimer(source, schedule)
        return { detach: () => queue.root.cancelTimer(timer) }
      },
    )
  }

  /**
   * Fires when the stream has bytes to read, again if a handler has left some of them, and at the end of the stream;
   * `data` is the number of bytes, 0 at the end. A stream whose end nobody reads does not close.
   */
  static readable(queue: DispatchQueue, stream: Readable): DispatchSource {
    return new DispatchSource(
      queue,
      (_pending, value) => value,
      source => {
        let told = 0
        const tell = () => {
          told = stream.readableLength
          source.deliver(told)
        }
        stream.on('readable', tell)
        if (stream.readableLength > 0) tell()
        return {
          detach: () => stream.off('readable', tell),
          handled: () => {
            const left = stream.readableLength
            if (left > 0 && left !== told) tell()
          },
        }
      },
    )
  }

  /** Fires when the stream takes bytes again; `data` is how many it takes before it is full. */
  static writable(queue: DispatchQueue, stream: Writable): DispatchSource {
    return new DispatchSource(
      queue,
      (_pending, value) => value,
      source => {
        const room = () => stream.writableHighWaterMark - stream.writableLength
        const onDrain = () => source.deliver(room())
        stream.on('drain', onDrain)
        if (room() > 0) onDrain()
        return { detach: () => stream.off('drain', onDrain) }
      },
    )
  }

  /** Inside the event handler: the merged value of the events. */
  get data(): number {
    return this.#value
  }

  get isCancelled(): boolean {
    return this.#cancelled
  }

  setEventHandler(handler: () => unknown): void {
    this.#eventHandler = handler
  }

  /** Runs once, on the queue, behind the last event; for a suspended or inactive source when it goes on. */
  setCancelHandler(handler: () => unknown): void {
    this.#cancelHandler = handler
  }

  activate(): void {
    if (this.#active) return
    this.#active = true
    if (!this.#cancelled) this.#attachment = this.#attach(this)
    this.#turns.activate()
  }

  /** Holds events back and merges them. Counted. */
  suspend(): void {
    this.#suspensions++
    this.#turns.suspend()
  }

  /**
   * Undoes one `suspend`. Activates a source that is inactive and not suspended, as in libdispatch.
   * @throws SpimplError `QUEUE_OVER_RESUMED` if every `suspend` has had its `resume`
   */
  resume(): void {
    if (this.#suspensions === 0 && !this.#active) {
      this.activate()
      return
    }
    this.#turns.resume()
    this.#suspensions--
  }

  /** Delivers no further event, not even a waiting one. */
  cancel(): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#attachment.detach()
    this.#pending = undefined
    const handler = this.#cancelHandler
    if (handler !== undefined) this.#turns.async(handler)
  }

  /**
   * Adds to the data of a data source. Data of zero is no event; of a replacing source, a zero also removes the waiting
   * value.
   */
  mergeData(value: number): void {
    this.deliver(value)
    if (this.#pending === 0) this.#pending = undefined
  }

  /** @internal */
  deliver(value: number): void {
    if (this.#cancelled) return
    this.#pending = this.#pending === undefined ? this.#merge(0, value) : this.#merge(this.#pending, value)
    this.#enqueue()
  }

  #enqueue(): void {
    if (this.#queued) return
    this.#queued = true
    this.#turns.async(this.#onTurn)
  }

  readonly #onTurn = (): unknown => {
    this.#queued = false
    if (this.#cancelled || this.#pending === undefined) return undefined
    this.#value = this.#pending
    this.#pending = undefined
    const result = this.#eventHandler?.()
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
      return Promise.resolve(result).then(this.#onHandled)
    }
    this.#onHandled()
    return undefined
  }

  readonly #onHandled = (): void => {
    if (!this.#cancelled) this.#attachment.handled?.()
  }
}

class SourceTimer extends Timer {
  readonly #source: DispatchSource
  readonly #schedule: TimerSchedule
  #dueMs: number

  constructor(source: DispatchSource, schedule: TimerSchedule) {
    super()
    this.#source = source
    this.#schedule = schedule
    const { root } = source.queue
    this.#dueMs = root.executor.clock.now() + schedule.afterMs
    this.#arm()
  }

  override fire(nowMs: number): void {
    const { repeatingMs } = this.#schedule
    let times = 1
    if (repeatingMs !== undefined && repeatingMs > 0) {
      // Missed intervals are counted, but their events are not repeated, as in libdispatch.
      times += Math.max(Math.floor((nowMs - this.#dueMs) / repeatingMs), 0)
      this.#dueMs += times * repeatingMs
      this.#arm()
    }
    this.#source.deliver(times)
  }

  #arm(): void {
    const { leewayMs = 0, repeatingMs } = this.#schedule
    const mostMs = repeatingMs !== undefined && repeatingMs > 0 ? repeatingMs / 2 : leewayMs
    this.#source.queue.root.setTimer(this, withLeeway(this.#dueMs, Math.min(leewayMs, mostMs)))
  }
}

/**
 * The moment within the leeway that most timers share: the next multiple of the largest power of two within the leeway.
 */
export function withLeeway(dueMs: number, leewayMs: number): number {
  if (leewayMs < 1) return dueMs
  const grid = 2 ** Math.floor(Math.log2(leewayMs))
  return Math.ceil(dueMs / grid) * grid
}
