/** The door of this floor: the server, the table of methods, and the interface that a node implements for them. */
export { DISPATCH_LIMITS, Dispatcher, type DispatchLimits } from './dispatcher.ts'
export { type Call, type Method, method } from './method.ts'
export type * from './node-api.ts'
export type { ParseRecord } from './parameters.ts'
export { RpcCode, RpcError } from './rpc-errors.ts'
export { RPC_LIMITS, RpcServer, type RpcServerLimits, type RpcServerOptions, rpcMethods } from './rpc-server.ts'
