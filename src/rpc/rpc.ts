/**
 * JSON-RPC: the server, the table of methods, and the interface that a node implements for them (`node-api.ts`).
 *
 *     methods      the methods of the specification, their parameters and results
 *     dispatching  one request or batch to its answer, and the errors
 *     server       HTTP and WebSocket listeners, and the guard against other sites
 */
export { DISPATCH_LIMITS, Dispatcher, type DispatchLimits } from './dispatching/dispatcher.ts'
export { RpcCode, RpcError } from './dispatching/rpc-errors.ts'
export { type Call, type Method, method } from './methods/method.ts'
export type { ParseRecord } from './methods/parameters.ts'
export type * from './node-api.ts'
export { RPC_LIMITS, RpcServer, type RpcServerLimits, type RpcServerOptions, rpcMethods } from './server/rpc-server.ts'
