/** The door of the executor on libdispatch: needs the package node-dispatch-addon and a libdispatch. */
export { DispatchExecutor } from './executors/dispatch.ts'
