/** The doors `spimpl` and `spimpl/runtime`: actors and queues, the main door of the package spimpl-runtime. */
export * from 'spimpl-runtime'
