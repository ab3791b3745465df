import { backendInfo, DispatchQueue, DispatchSource, drainLane } from 'node-dispatch-addon'
import { SpimplError } from '../errors.ts'
import { type Clock, systemClock } from '../ports/clock.ts'
import { DrainedTime } from './drained-time.ts'
import type { Drainer, Executor } from './executor.ts'

/**
 * Wake-ups that may drain before the event loop polls, unless their time is exhausted earlier: as in the event-loop
 * executor, an endless chain of messages and promises must not keep libuv from its sockets. To enqueue an item for each
 * wake-up would not help: libdispatch drains a queue until it is empty, and the promises of an item run meanwhile.
 */
const WAKEUPS_AT_ONCE = 64

const resolved = Promise.resolve()

export interface DispatchExecutorOptions {
  /** The label of the root's `dispatch_queue_t`, which debuggers and system tools show. */
  readonly label?: string
  readonly clock?: Clock
}

/**
 * Runs a root queue as items of a real serial `dispatch_queue_t`, which targets the main queue on the main thread and
 * the lane's own root in a worker. So the root is in one order with what other threads enqueue on libdispatch (finished
 * jobs, sources, messages of other lanes).
 */
export class DispatchExecutor implements Executor {
  readonly name = 'dispatch'
  readonly clock: Clock
  readonly queue: DispatchQueue
  readonly #alarm: DispatchSource
  #drainer: Drainer | undefined
  #enqueued = false
  #wakeupsSincePoll = 0
  readonly #time: DrainedTime
  #alarmMs = Number.POSITIVE_INFINITY
  #immediate: NodeJS.Immediate | undefined
  #stopped = false

  /** The reason why this executor cannot be used here; undefined if it can. */
  static obstacle(): string | undefined {
    const { addon, libdispatch } = backendInfo()
    if (!addon.loaded) return `the addon did not load (${addon.reasons.join('; ')})`
    if (!libdispatch.found) return notFound(libdispatch.refused)
    if (libdispatch.root === 'none') return `libdispatch cannot serve this thread (${libdispatch.laneObstacle})`
    return undefined
  }

  /** @throws SpimplError `EXECUTOR_UNAVAILABLE` if there is no libdispatch */
  constructor({ label = 'spimpl', clock = systemClock }: DispatchExecutorOptions = {}) {
    const obstacle = DispatchExecutor.obstacle()
    if (obstacle !== undefined) {
      throw new SpimplError('EXECUTOR_UNAVAILABLE', `expected libdispatch for the executor "dispatch": ${obstacle}`)
    }
    this.clock = clock
    this.#time = new DrainedTime(clock)
    this.queue = new DispatchQueue(label)
    this.#alarm = DispatchSource.timer(this.queue, { afterMs: Number.POSITIVE_INFINITY }, { strict: true })
    this.#alarm.setEventHandler(this.#onAlarm)
    this.#alarm.activate()
  }

  attach(drainer: Drainer): void {
    this.#drainer = drainer
  }

  wake(): void {
    if (this.#stopped || this.#enqueued || this.#immediate !== undefined) return
    if (this.#wakeupsSincePoll++ >= WAKEUPS_AT_ONCE || this.#time.spent) {
      this.#immediate = setImmediate(this.#onImmediate)
      return
    }
    this.#enqueue()
    void resolved.then(this.#onMicrotask)
  }

  wakeAt(atMs: number): void {
    this.#alarmMs = atMs
    if (this.#stopped) return
    // While the alarm is set, it keeps the process alive.
    this.#alarm.schedule({ afterMs: Math.max(atMs - this.clock.now(), 0) })
  }

  stop(): void {
    this.#stopped = true
    if (this.#immediate !== undefined) clearImmediate(this.#immediate)
    this.#immediate = undefined
    this.#alarm.cancel()
    this.queue.release()
  }

  #enqueue(): void {
    this.#enqueued = true
    this.queue.async(this.#onItem)
  }

  #drain(): void {
    if (this.#stopped) return
    const left = this.#drainer!.drain()
    this.#time.drained(this.#drainer!.startedMs)
    if (!left || this.#immediate !== undefined) return
    this.#immediate = setImmediate(this.#onImmediate)
  }

  readonly #onImmediate = (): void => {
    this.#immediate = undefined
    this.#wakeupsSincePoll = 0
    this.#time.polled()
    if (!this.#enqueued) this.#enqueue()
    drainLane()
  }

  readonly #onItem = (): void => {
    this.#enqueued = false
    this.#drain()
  }

  /** Drains the root now; this also reads the main queue's descriptor, so libuv does not wake for it again. */
  readonly #onMicrotask = (): void => {
    if (this.#enqueued) drainLane()
  }

  readonly #onAlarm = (): void => {
    if (this.#stopped) return
    // A timer may fire early because its delay is rounded.
    if (this.clock.now() < this.#alarmMs) {
      this.wakeAt(this.#alarmMs)
      return
    }
    this.#alarmMs = Number.POSITIVE_INFINITY
    this.#wakeupsSincePoll = 0
    this.#time.polled()
    this.#drain()
  }
}

/**
 * Explains why no libdispatch was found. The list of places that were searched is long and says nothing, so only
 * libraries that did not load are named; if libdispatch is hidden on purpose, no command is proposed. The command works
 * in a clone and with an installed package.
 */
export function notFound(refused: readonly string[]): string {
  const hidden = refused.find(reason => reason.startsWith('SPIMPL_LIBDISPATCH=none'))
  if (hidden !== undefined) return `no libdispatch was found (${hidden})`
  const telling = refused.filter(reason => !/no such file/i.test(reason))
  const why = telling.length === 0 ? `looked in ${refused.length} places` : telling.join('; ')
  return `no libdispatch was found (${why}); "npm explore node-dispatch-addon -- npm run setup:libdispatch" makes one`
}
