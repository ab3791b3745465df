import { SimulationExecutor } from 'spimpl-runtime/internal/executors/simulation.js'
import { executorCases } from './executor-cases.ts'
import { conformance, type ExecutorFactory } from './stage.ts'

const simulation: ExecutorFactory = () => {
  const executor = new SimulationExecutor({ seed: Number(process.env.SPIMPL_SEED ?? 1) })
  return { executor, advance: byMs => executor.advance(byMs) }
}

for (const cases of executorCases) conformance('simulation', simulation, cases)
