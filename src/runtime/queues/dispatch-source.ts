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
   * It may come this much later, so that timers that are due at about one time wake the process once. Default 0; of one that
   * repeats at most half its interval, as in libdispatch.
   */
  readonly leewayMs?: number
}

/** What a source listens to. */
interface Attachment {
  detach(): void
  /** The event handler is done: whether something is left to tell. */
  handled?(): void
}

const unattached: Attachment = { detach: () => {} }

/**
 * Events of one kind that are delivered on a queue. Those that come while the handler waits for its turn, or for a promise, are
 * merged into one: also on a concurrent queue a handler never overlaps itself. It is born inactive; its handlers are set,
 * then it is activated.
 */
export class DispatchSource {
  readonly queue: DispatchQueue
  /** Its handlers run here, one after the other: a serial queue that stands on that of the user. */
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

  /** Fires by the clock; `data` is how often it was due since the last event. */
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
   * Fires when the stream has bytes to read, again when a handler has left some of them, and at its end; `data` is how many, 0 at
   * the end. A stream whose end nobody reads does not close.
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

  /** Fires when the stream takes bytes again; `data` is how many fit before it says to wait. */
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

  /** Inside the event handler: the merged value of what happened. */
  get data(): number {
    return this.#value
  }

  get isCancelled(): boolean {
    return this.#cancelled
  }

  setEventHandler(handler: () => unknown): void {
    this.#eventHandler = handler
  }

  /** Runs once, on the queue, behind the last event; of a source that is suspended or inactive once it goes on. */
  setCancelHandler(handler: () => unknown): void {
    this.#cancelHandler = handler
  }

  activate(): void {
    if (this.#active) return
    this.#active = true
    if (!this.#cancelled) this.#attachment = this.#attach(this)
    this.#turns.activate()
  }

  /** Holds events back; they are merged meanwhile. Counted. */
  suspend(): void {
    this.#suspensions++
    this.#turns.suspend()
  }

  /**
   * As often as it was suspended. One that is inactive and not suspended it activates, as in libdispatch.
   * @throws SpimplError `QUEUE_OVER_RESUMED`
   */
  resume(): void {
    if (this.#suspensions === 0 && !this.#active) {
      this.activate()
      return
    }
    this.#turns.resume()
    this.#suspensions--
  }

  /** No event is delivered any more, not even one that waits. */
  cancel(): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#attachment.detach()
    this.#pending = undefined
    const handler = this.#cancelHandler
    if (handler !== undefined) this.#turns.async(handler)
  }

  /** Adds to the data of a data source. What comes to zero is no event: a zero takes the place of what waits to be replaced. */
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
      // What was missed is counted and not made up for, as in libdispatch.
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

/** The moment within the leeway that most timers share: the next multiple of the largest power of two that fits. */
export function withLeeway(dueMs: number, leewayMs: number): number {
  if (leewayMs < 1) return dueMs
  const grid = 2 ** Math.floor(Math.log2(leewayMs))
  return Math.ceil(dueMs / grid) * grid
}
