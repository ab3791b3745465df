import test from 'ava'
import { DispatchExecutor } from 'spimpl-runtime/dispatch'
import { executorCases } from './executor-cases.ts'
import { polling } from './polling.ts'
import { conformance, type ExecutorFactory } from './stage.ts'

const dispatch: ExecutorFactory = () => {
  const executor = new DispatchExecutor({ label: 'spimpl.conformance' })
  return {
    executor,
    advance: async byMs => {
      if (byMs === 0) return
      const untilMs = executor.clock.now() + byMs
      while (executor.clock.now() < untilMs) {
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
