/** The door `spimpl/runtime/compute-pool`: tasks on a pool of threads (piscina). */
export * from 'spimpl-runtime/compute-pool'
