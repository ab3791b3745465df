import type { Clock } from '../ports/clock.ts'

/**
 * The root queue of one JavaScript thread, as an executor drives it.
 *
 * `drain` fires the timers that are due, runs ready queues until its budget is exhausted or nothing is ready, and
 * returns whether work is left. It is never called while it runs.
 */
export interface Drainer {
  drain(): boolean
  /** When the last drain began, on the executor's clock. */
  readonly startedMs: number
}

/**
 * Runs the root queue of one JavaScript thread. The queue contract itself (exclusion, order, target tree, barriers,
 * suspension, classes of service) is above this interface and is the same on every executor. An executor provides:
 *
 * - **a root**: it calls `drainer.drain()` on the thread it was made on, and only there, some time after `wake()`,
 *   never from within `wake()`. While `drain` returns true it calls again, but lets the event loop poll for I/O in
 *   between; it does the same if drains end without work left, but the promises of their items wake the root again and
 *   again.
 * - **wake-ups**: `wake()` is called on the root's own thread, at most once before the next drain, and must be cheap:
 *   the first message after a quiet moment pays for it. Work from another thread (a worker lane, libdispatch) enters
 *   through a port of the executor or the lane, which enqueues on the root and so ends in the same `wake()`.
 * - **one alarm**: `wakeAt(atMs)` asks for a drain at that moment of `clock.now()`, not earlier; the latest call
 *   counts, and `Infinity` disarms. The timers themselves are in the root's timing wheel.
 * - **a clock**, real or virtual.
 */
export interface Executor {
  readonly name: 'event-loop' | 'simulation' | 'dispatch'
  readonly clock: Clock
  /** Called once, before all other methods. */
  attach(drainer: Drainer): void
  wake(): void
  wakeAt(atMs: number): void
  /**
   * Which of `count` ready queues of one class runs next (0 is the one that waits longest). Only a simulation has it:
   * the order of ready queues is free by contract, so a seed may choose it.
   */
  readonly choose?: (count: number) => number
  /** No drain begins after this returns. */
  stop(): void
}
