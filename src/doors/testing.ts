/** The door `spimpl/testing`: actors in virtual time, a network without a kernel, a store in memory, randomness from a seed. */
export * from 'spimpl-runtime/testing'
export { MemoryStore } from '../store/memory-store.ts'
export { SimulatedNetwork } from '../transport/simulated.ts'
