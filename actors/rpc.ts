import type { RecordDecoder } from '../src/identity/record-decoder.ts'
import { type Method, type NodeApi, RpcServer } from '../src/rpc/rpc.ts'
import { behavior, type ReplyTo } from '../src/runtime/runtime.ts'

export type RpcMessage =
  /** Binds the listener; the actor's first message to itself. */
  | { readonly type: 'listen' }
  /** Where it serves; answered once it does. */
  | { readonly type: 'address'; readonly replyTo: ReplyTo<string> }

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
  let { port } = options
  return behavior<RpcMessage>(context => {
    const { api, records, host, methods, shutdownMs } = options
    let server: RpcServer | undefined

    context.onStop(() => server?.close({ deadlineMs: shutdownMs }))
    context.self.tell({ type: 'listen' })

    return {
      // Its promise suspends the queue: `address` waits behind it.
      async listen() {
        server = await RpcServer.listen({
          api,
          parseRecord: text => records.parse(text),
          host,
          port,
          methods,
          onInternalError: (error, method) => context.log.error('a method failed', { method, error }),
        })
        port = server.port
      },
      address: ({ replyTo }) => {
        if (server !== undefined) replyTo.tell(server.url)
      },
    }
  })
}
