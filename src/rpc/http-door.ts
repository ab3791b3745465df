import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { SpimplError } from '../errors.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Health, NodeApi } from './node-api.ts'
import { RpcCode } from './rpc-errors.ts'

export interface HttpLimits {
  /** Bytes of one request. */
  readonly bodyBytes: number
  readonly connections: number
  /** Milliseconds in which a client must have sent all of its request. */
  readonly requestTimeoutMs: number
}

/** What the listener serves, and who may ask. */
export interface HttpDoorOptions {
  readonly api: NodeApi
  readonly dispatcher: Dispatcher
  readonly limits: HttpLimits
  /** Why a request is refused, or undefined. */
  readonly refuse: (request: IncomingMessage) => string | undefined
  /** Told of what the client is not: a defect in a handler. */
  readonly report: (error: unknown, method: string) => void
}

/** An idle connection is kept for the client's next call for this long. */
const KEEP_ALIVE_MS = 72_000

/** The verbs of each path, as a 405 must name them (RFC 9110, 15.5.6). */
const ALLOWED: ReadonlyMap<string, readonly string[]> = new Map([
  ['/', ['POST']],
  ['/health', ['GET', 'HEAD']],
])

/** A listener for JSON-RPC (POST /) and GET /health. The caller listens and closes. */
export function httpDoor(options: HttpDoorOptions): Server {
  const server = createServer({ requestTimeout: options.limits.requestTimeoutMs, keepAliveTimeout: KEEP_ALIVE_MS })
  server.maxConnections = options.limits.connections
  server.on('request', (request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      // The socket closed within the request: nobody is there to answer.
      if (request.destroyed && !request.complete) return
      options.report(error, 'http')
      if (response.headersSent) response.destroy()
      else sendError(response, 500, RpcCode.internalError, 'Internal error')
    })
  })
  return server
}

async function serve(options: HttpDoorOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { api, dispatcher, limits } = options
  const invalid = (status: number, reason: string): void =>
    sendError(response, status, RpcCode.invalidRequest, `Invalid request: ${reason}`)
  const refusal = options.refuse(request)
  if (refusal !== undefined) return invalid(403, refusal)
  if (dispatcher.isClosing) {
    // The request came on a connection that was kept.
    response.setHeader('connection', 'close')
    return sendError(response, 503, RpcCode.unavailable, 'Unavailable: the server stops')
  }
  const path = request.url!.split('?', 1)[0]!
  const allowed = ALLOWED.get(path)
  if (allowed === undefined || !allowed.includes(request.method!)) {
    if (allowed !== undefined) response.setHeader('allow', allowed.join(', '))
    return invalid(allowed === undefined ? 404 : 405, 'expected POST / or GET /health')
  }
  if (path === '/health') {
    const health = await api.health({ signal: closed(response) }).catch(notReady)
    return sendJson(response, health.ready ? 200 : 503, JSON.stringify(health))
  }
  const body = await readBody(request, limits.bodyBytes)
  if (body === undefined) {
    // The client may still be sending: its connection serves no other call.
    response.setHeader('connection', 'close')
    const detail = `expected a request of at most ${limits.bodyBytes} bytes`
    return sendError(response, 413, RpcCode.limitExceeded, `Limit exceeded: ${detail}`)
  }
  const answer = await dispatcher.handle(body, closed(response))
  // A client that keeps its connection for the next call would hold up the stop: there is none.
  if (dispatcher.isClosing) response.setHeader('connection', 'close')
  if (answer === undefined) response.writeHead(204).end()
  else sendJson(response, 200, answer)
}

/** The body is read as JSON-RPC whatever type it claims. @returns undefined where it has more than `maxBytes` */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return undefined
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, bytes).toString()
}

/** Fires when the response is sent or its client has gone. */
function closed(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}

/** A part of the node that restarts, or does not answer in time, is what `/health` is asked for, and no defect of it. */
function notReady(error: unknown): Health {
  if (error instanceof SpimplError) return { ready: false, reason: error.code }
  throw error
}

function sendError(response: ServerResponse, status: number, code: number, message: string): void {
  sendJson(response, status, JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }))
}

function sendJson(response: ServerResponse, status: number, json: string | Buffer): void {
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(json),
    })
    .end(json)
}
