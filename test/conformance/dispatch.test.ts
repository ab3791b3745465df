import test from 'ava'
import { DispatchExecutor } from '../../src/runtime/executors/dispatch.ts'
import type { Drainer } from '../../src/runtime/executors/executor.ts'
import { executorCases } from './executor-cases.ts'
import { polling } from './polling.ts'
import { conformance, type ExecutorFactory } from './stage.ts'

/** Timers of libdispatch come through a thread of its own, which a busy machine may run later than setTimeout here. */
class WatchedExecutor extends DispatchExecutor {
  /** The moment of the alarm that has not been drained yet. */
  dueMs = Number.POSITIVE_INFINITY

  override wakeAt(atMs: number): void {
    this.dueMs = atMs
    super.wakeAt(atMs)
  }

  override attach(drainer: Drainer): void {
    const drain = (): boolean => {
      if (this.clock.now() >= this.dueMs) this.dueMs = Number.POSITIVE_INFINITY
      return drainer.drain()
    }
    super.attach({ drain })
  }
}

const dispatch: ExecutorFactory = () => {
  const executor = new WatchedExecutor({ label: 'spimpl.conformance' })
  return {
    executor,
    advance: async byMs => {
      if (byMs === 0) return
      const untilMs = executor.clock.now() + byMs
      while (executor.clock.now() < untilMs || executor.dueMs <= untilMs) {
        await new Promise(resolve => setTimeout(resolve, untilMs - executor.clock.now()))
      }
    },
  }
}

const obstacle = DispatchExecutor.obstacle()
if (obstacle === undefined || process.env.CI === 'true') {
  for (const cases of [...executorCases, polling]) conformance('dispatch', dispatch, cases)
} else {
  // Names the reason in the list of tests; CI installs libdispatch, so there it is no excuse.
  test.skip(`dispatch: not here, ${obstacle}`, () => {})
}
