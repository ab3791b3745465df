import { EventLoopExecutor } from 'spimpl-runtime/internal/executors/event-loop.js'
import { executorCases } from './executor-cases.ts'
import { polling } from './polling.ts'
import { conformance, type ExecutorFactory } from './stage.ts'

const eventLoop: ExecutorFactory = () => {
  const executor = new EventLoopExecutor()
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

for (const cases of [...executorCases, polling]) conformance('event-loop', eventLoop, cases)
