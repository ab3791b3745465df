import { behavior, type ReplyTo } from 'spimpl-runtime'
import type { RecordDecoder } from '../src/identity/record-decoder.ts'
import { type Method, type NodeApi, RpcServer, type RpcServerOptions } from '../src/rpc/rpc.ts'
import { type Open, onceOpen, Resource } from './resource.ts'

export type RpcMessage =
  /** Where it serves; answered once it does. */
  { readonly type: 'address'; readonly replyTo: ReplyTo<string> }

export interface RpcOptions {
  readonly api: NodeApi
  readonly records: RecordDecoder
  readonly host: string
  readonly port: number
  readonly methods: readonly Method[]
  /** How long calls in flight may go on when the node stops. */
  readonly shutdownMs: number
}

/** Owns the HTTP and WebSocket listeners; every method is an ask of another actor. */
export function rpc(options: RpcOptions) {
  const { api, records, host, methods, shutdownMs } = options
  let { port } = options
  let report: RpcServerOptions['onInternalError'] = () => {}
  const server = new Resource(async () => {
    const listening = await RpcServer.listen({
      api,
      parseRecord: text => records.parse(text),
      host,
      port,
      methods,
      onInternalError: (error, method) => report?.(error, method),
    })
    port = listening.port
    return listening
  })

  return behavior<RpcMessage | Open>(context => {
    report = (error, method) => context.log.error('a method failed', { method, error })
    context.onStop(() => server.take()?.close({ deadlineMs: shutdownMs }))
    return onceOpen<RpcMessage>(context, server, {
      address: ({ replyTo }) => server.answer(replyTo, listening => listening.url),
    })
  })
}
