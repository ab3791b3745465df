import type { Readable, Writable } from 'node:stream'
import { SpimplError } from '../errors.ts'
import type { DispatchQueue } from './dispatch-queue.ts'
import { Timer } from './timer-wheel.ts'

/** When a timer source fires. */
export interface TimerSchedule {
  /** From now. */
  readonly afterMs: number
  /** Default: once. */
  readonly repeatingMs?: number
  /** It may come this much later, so that timers that are due at about one time wake the process once. Default 0. */
  readonly leewayMs?: number
}

/**
 * Events of one kind that are delivered on a queue. Those that come while the handler waits for its turn are merged into
 * one. It is born inactive; its handlers are set, then it is activated.
 */
export class DispatchSource {
  readonly queue: DispatchQueue
  private readonly merge: (pending: number, value: number) => number
  private readonly attach: (source: DispatchSource) => () => void
  private eventHandler: (() => unknown) | undefined
  private cancelHandler: (() => unknown) | undefined
  private detach: (() => void) | undefined
  private pending: number | undefined
  private queued = false
  private suspensions = 0
  private active = false
  private cancelled = false
  private value = 0

  private constructor(
    queue: DispatchQueue,
    merge: (pending: number, value: number) => number,
    attach: (source: DispatchSource) => () => void = () => () => {},
  ) {
    this.queue = queue
    this.merge = merge
    this.attach = attach
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
        return () => queue.root.cancelTimer(timer)
      },
    )
  }

  /** Fires while the stream has bytes to read; `data` is how many. */
  static readable(queue: DispatchQueue, stream: Readable): DispatchSource {
    return new DispatchSource(
      queue,
      (_pending, value) => value,
      source => {
        const onReadable = () => {
          if (stream.readableLength > 0) source.deliver(stream.readableLength)
        }
        stream.on('readable', onReadable)
        onReadable()
        return () => stream.off('readable', onReadable)
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
        return () => stream.off('drain', onDrain)
      },
    )
  }

  /** Inside the event handler: the merged value of what happened. */
  get data(): number {
    return this.value
  }

  get isCancelled(): boolean {
    return this.cancelled
  }

  setEventHandler(handler: () => unknown): void {
    this.eventHandler = handler
  }

  /** Runs once, on the queue, behind the last event. */
  setCancelHandler(handler: () => unknown): void {
    this.cancelHandler = handler
  }

  activate(): void {
    if (this.active || this.cancelled) return
    this.active = true
    this.detach = this.attach(this)
    this.enqueue()
  }

  /** Holds events back; they are merged meanwhile. Counted. */
  suspend(): void {
    this.suspensions++
  }

  resume(): void {
    if (this.suspensions === 0) throw new SpimplError('QUEUE_OVER_RESUMED', 'expected a suspended source')
    if (--this.suspensions === 0) this.enqueue()
  }

  /** No event is delivered any more, not even one that waits. */
  cancel(): void {
    if (this.cancelled) return
    this.cancelled = true
    this.detach?.()
    this.pending = undefined
    const handler = this.cancelHandler
    if (handler !== undefined) this.queue.async(handler)
  }

  /** Adds to the data of a data source. Zero is no event. */
  mergeData(value: number): void {
    if (value !== 0) this.deliver(value)
  }

  /** @internal */
  deliver(value: number): void {
    if (this.cancelled) return
    this.pending = this.pending === undefined ? this.merge(0, value) : this.merge(this.pending, value)
    this.enqueue()
  }

  private enqueue(): void {
    if (this.queued || !this.active || this.suspensions > 0 || this.pending === undefined) return
    this.queued = true
    this.queue.async(this.onTurn)
  }

  private readonly onTurn = (): unknown => {
    this.queued = false
    if (this.cancelled || this.suspensions > 0 || this.pending === undefined) return undefined
    this.value = this.pending
    this.pending = undefined
    return this.eventHandler?.()
  }
}

class SourceTimer extends Timer {
  private readonly source: DispatchSource
  private readonly schedule: TimerSchedule
  private dueMs: number

  constructor(source: DispatchSource, schedule: TimerSchedule) {
    super()
    this.source = source
    this.schedule = schedule
    const { root } = source.queue
    this.dueMs = root.executor.clock.now() + schedule.afterMs
    this.arm()
  }

  override fire(nowMs: number): void {
    const { repeatingMs } = this.schedule
    let times = 1
    if (repeatingMs !== undefined && repeatingMs > 0) {
      // What was missed is counted and not made up for, as in libdispatch.
      times += Math.max(Math.floor((nowMs - this.dueMs) / repeatingMs), 0)
      this.dueMs += times * repeatingMs
      this.arm()
    }
    this.source.deliver(times)
  }

  private arm(): void {
    this.source.queue.root.setTimer(this, withLeeway(this.dueMs, this.schedule.leewayMs ?? 0))
  }
}

/** The moment within the leeway that most timers share: the next multiple of the largest power of two that fits. */
export function withLeeway(dueMs: number, leewayMs: number): number {
  if (leewayMs < 1) return dueMs
  const grid = 2 ** Math.floor(Math.log2(leewayMs))
  return Math.ceil(dueMs / grid) * grid
}
