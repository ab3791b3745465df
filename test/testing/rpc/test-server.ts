import { RpcServer, type RpcServerOptions } from '../../../src/rpc/server/rpc-server.ts'
import { parse, type ScriptedApi, scriptedApi } from './scripted-api.ts'

export interface RpcResponse {
  readonly jsonrpc: string
  readonly id: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

export interface TestServer extends AsyncDisposable {
  readonly server: RpcServer
  readonly api: ScriptedApi
  readonly reported: unknown[]
  /** One call with id 1; the response. */
  call(method: string, params?: unknown): Promise<RpcResponse>
  post(body: string, headers?: Record<string, string>): Promise<Response>
}

/** A server on a free port of loopback, over a scripted node. */
export async function serve(
  api: ScriptedApi = scriptedApi(),
  options: Partial<RpcServerOptions> = {},
): Promise<TestServer> {
  const reported: unknown[] = []
  const server = await RpcServer.listen({
    api,
    parseRecord: parse,
    port: 0,
    onInternalError: error => reported.push(error),
    ...options,
  })
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(server.url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
  return {
    server,
    api,
    reported,
    post,
    call: async (method, params) => {
      const response = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
      return (await response.json()) as RpcResponse
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}
