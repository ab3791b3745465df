/** The door of the test kit: actors in virtual time, in an order drawn from a seed. */
export { SimulationExecutor } from './executors/simulation.ts'
export { seededRandomness } from './ports/randomness.ts'
export { type Probe, TestSystem, type TestSystemOptions } from './testing/test-system.ts'
