import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { SpimplError } from '../../errors.ts'
import type { Dispatcher } from '../dispatching/dispatcher.ts'
import { RpcCode } from '../dispatching/rpc-errors.ts'
import type { Health, NodeApi } from '../node-api.ts'

export interface HttpLimits {
  /** Bytes of one request. */
  readonly bodyBytes: number
  readonly connections: number
  /** Milliseconds in which a client must have sent its whole request. */
  readonly requestTimeoutMs: number
}

/** What the listener serves, and who may ask. */
export interface HttpDoorOptions {
  readonly api: NodeApi
  readonly dispatcher: Dispatcher
  readonly limits: HttpLimits
  /** Why a request is refused, or undefined. */
  readonly refuse: (request: IncomingMessage) => string | undefined
  /** Receives the failures that are defects of a handler, and not of the client. */
  readonly report: (error: unknown, method: string) => void
}

type Bindings = { readonly Bindings: HttpBindings }

/** An idle connection is kept for the client's next call for this long. */
const KEEP_ALIVE_MS = 72_000

/** The verbs of each path, as a 405 must name them (RFC 9110, 15.5.6). */
const ALLOWED: ReadonlyMap<string, string> = new Map([
  ['/', 'POST'],
  ['/health', 'GET, HEAD'],
])

/** A listener for JSON-RPC (POST /) and GET /health. The caller listens and closes. */
export function httpDoor(options: HttpDoorOptions): Server {
  const { limits } = options
  const server = createAdaptorServer({
    fetch: routes(options).fetch,
    createServer,
    serverOptions: { requestTimeout: limits.requestTimeoutMs, keepAliveTimeout: KEEP_ALIVE_MS },
  }) as Server
  server.maxConnections = limits.connections
  return server
}

function routes({ api, dispatcher, limits, refuse, report }: HttpDoorOptions): Hono<Bindings> {
  const app = new Hono<Bindings>()
  app.use(async (context, next) => {
    const refusal = refuse(context.env.incoming)
    if (refusal !== undefined) return invalid(context, 403, refusal)
    if (!dispatcher.isClosing) return next()
    // The request came on a connection that was kept.
    context.header('connection', 'close')
    return failure(context, 503, RpcCode.unavailable, 'Unavailable: the server is stopping')
  })
  const limited = bodyLimit({
    maxSize: limits.bodyBytes,
    onError: context => {
      // The client may still be sending: its connection serves no other call.
      context.header('connection', 'close')
      const detail = `expected a request of at most ${limits.bodyBytes} bytes`
      return failure(context, 413, RpcCode.limitExceeded, `Limit exceeded: ${detail}`)
    },
  })
  // The body is read as JSON-RPC whatever type it claims, so that its faults have the codes of JSON-RPC.
  app.post('/', limited, async context => {
    const answer = await dispatcher.handle(await context.req.text(), closed(context.env.outgoing))
    // A client that keeps its connection for a next call would hold up the stop.
    if (dispatcher.isClosing) context.header('connection', 'close')
    return answer === undefined ? context.body(null, 204) : json(context, 200, answer)
  })
  app.get('/health', async context => {
    const health = await api.health({ signal: closed(context.env.outgoing) }).catch(notReady)
    return json(context, health.ready ? 200 : 503, JSON.stringify(health))
  })
  app.notFound(context => {
    const allowed = ALLOWED.get(context.req.path)
    if (allowed !== undefined) context.header('allow', allowed)
    return invalid(context, allowed === undefined ? 404 : 405, 'expected POST / or GET /health')
  })
  app.onError((error, context) => {
    const { incoming } = context.env
    // The socket closed within the request: nobody is there to answer.
    if (!incoming.destroyed || incoming.complete) report(error, 'http')
    return failure(context, 500, RpcCode.internalError, 'Internal error')
  })
  return app
}

/** Fires when the response is sent or its client has gone. */
function closed(response: ServerResponse | HttpBindings['outgoing']): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}

/** `/health` reports a part of the node that restarts or does not answer in time; that is no defect of `/health`. */
function notReady(error: unknown): Health {
  if (error instanceof SpimplError) return { ready: false, reason: error.code }
  throw error
}

const invalid = (context: Context, status: ContentfulStatusCode, reason: string): Response =>
  failure(context, status, RpcCode.invalidRequest, `Invalid request: ${reason}`)

const failure = (context: Context, status: ContentfulStatusCode, code: number, message: string): Response =>
  json(context, status, JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }))

const json = (context: Context, status: ContentfulStatusCode, text: string | Buffer): Response =>
  context.body(text as string | Uint8Array<ArrayBuffer>, status, { 'content-type': 'application/json; charset=utf-8' })
