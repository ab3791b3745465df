/** The door `spimpl/runtime/dispatch`: the executor on libdispatch (node-dispatch-addon). */
export * from 'spimpl-runtime/dispatch'
