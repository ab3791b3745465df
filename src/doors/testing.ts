/**
 * The door `spimpl/testing`: actors in virtual time, a network without a kernel, a store in memory, randomness from a
 * seed, and small valid chains.
 */
export {
  type Probe,
  SimulationExecutor,
  seededRandomness,
  TestSystem,
  type TestSystemOptions,
} from 'spimpl-runtime/testing'
export { type ChainOptions, makeChain } from '../history/chain-maker/chain-maker.ts'
export type { BlockProfile } from '../history/chain-maker/chain-transactions.ts'
export { type Block, formatBlockFile } from '../history/headers/block-file.ts'
export { MemoryStore } from '../store/memory-store.ts'
export { type LinkConditions, type Scheduler, SimulatedNetwork } from '../transport/simulated.ts'
