import { type ActorSystem, behavior, type ReplyTo } from 'spimpl-runtime'
import type { RecordDecoder } from '../src/identity/record-decoder.ts'
import type { Method, NodeApi, RpcServer, RpcServerOptions } from '../src/rpc/rpc.ts'
import { type Open, onceOpen, Resource } from './resource.ts'

/** What the owner of the JSON-RPC server is asked. */
export type RpcMessage =
  /** The URL at which it serves; answered once it does. */
  { readonly type: 'address'; readonly replyTo: ReplyTo<string> }

export interface RpcOptions {
  readonly api: NodeApi
  readonly records: RecordDecoder
  readonly listen: (options: RpcServerOptions) => Promise<RpcServer>
  readonly host: string
  readonly port: number
  /** Further methods. */
  readonly methods: (system: ActorSystem) => readonly Method[]
  /** How long calls in flight may go on when the node stops. */
  readonly shutdownMs: number
}

/** Owns the HTTP and WebSocket listeners; every method is an ask of another actor. */
export function rpc(options: RpcOptions) {
  const { api, records, listen, host, port, methods, shutdownMs } = options

  return behavior<RpcMessage | Open>(context => {
    const server = new Resource(() =>
      listen({
        api,
        parseRecord: text => records.parse(text),
        host,
        port,
        methods: methods(context.system),
        onInternalError: (error, method) => context.log.error('a method failed', { method, error }),
      }),
    )
    context.onStop(() => server.take()?.close({ deadlineMs: shutdownMs }))
    return onceOpen<RpcMessage>(context, server, {
      address: ({ replyTo }) => server.answer(replyTo, listening => listening.url),
    })
  })
}
