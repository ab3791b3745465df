import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SpimplError } from '../../errors.ts'
import { DISPATCH_LIMITS, Dispatcher, type DispatchLimits } from '../dispatching/dispatcher.ts'
import { discoveryMethods } from '../methods/discovery-methods.ts'
import { historyMethods } from '../methods/history-methods.ts'
import { type Method, methodTable } from '../methods/method.ts'
import type { ParseRecord } from '../methods/parameters.ts'
import { serviceMethods } from '../methods/service-methods.ts'
import type { NodeApi } from '../node-api.ts'
import { type HttpLimits, httpDoor } from './http-door.ts'
import { refuseOrigin } from './origin-guard.ts'
import { WebSocketDoor } from './websocket.ts'

/** Bounds of the HTTP and WebSocket listeners; reaching one closes or refuses, and nothing grows. */
export interface RpcServerLimits extends DispatchLimits, HttpLimits {
  readonly webSocketConnections: number
  readonly webSocketCallsInFlight: number
  readonly webSocketUnsentBytes: number
  readonly heartbeatMs: number
}

/** The limits of a server that is given none. */
export const RPC_LIMITS: RpcServerLimits = {
  ...DISPATCH_LIMITS,
  // The largest content item has 16 MiB, which is 32 MiB of hex, and a call around it.
  bodyBytes: 33 * 1024 * 1024,
  connections: 256,
  webSocketConnections: 64,
  webSocketCallsInFlight: 64,
  webSocketUnsentBytes: 64 * 1024 * 1024,
  heartbeatMs: 30_000,
  requestTimeoutMs: 60_000,
}

/** What an `RpcServer` serves, and where. */
export interface RpcServerOptions {
  readonly api: NodeApi
  /** `RecordDecoder.parse` of the node. */
  readonly parseRecord: ParseRecord
  /** A literal address or a name; 127.0.0.1 unless said otherwise. */
  readonly host?: string
  /** 0 takes a free one; `RpcServer.port` says which. */
  readonly port: number
  readonly limits?: Partial<RpcServerLimits>
  /** Further methods, for instance those of a second sub-network. */
  readonly methods?: readonly Method[]
  /** Receives the failures that are defects of a handler, and that clients are not told. */
  readonly onInternalError?: (error: unknown, method: string) => void
}

/** All methods that a node serves, by name. */
export function rpcMethods(
  api: NodeApi,
  parseRecord: ParseRecord,
  extra: readonly Method[] = [],
): ReadonlyMap<string, Method> {
  const rows = [...discoveryMethods(api, parseRecord), ...historyMethods(api, parseRecord), ...extra]
  return methodTable([...rows, ...serviceMethods(api, rows)])
}

/**
 * JSON-RPC 2.0 over HTTP (POST /) and WebSocket on one port, and GET /health.
 *
 * @example
 * const server = await RpcServer.listen({ api, parseRecord: text => decoder.parse(text), port: 0 })
 * console.log(server.url) // http://127.0.0.1:40123
 * await server.close({ deadlineMs: 2000 })
 */
export class RpcServer {
  readonly host: string
  readonly port: number
  readonly #http: Server
  readonly #webSocket: WebSocketDoor
  readonly #dispatcher: Dispatcher
  #closing: Promise<void> | undefined

  private constructor(http: Server, webSocket: WebSocketDoor, dispatcher: Dispatcher) {
    const { address, port } = http.address() as AddressInfo
    this.host = address
    this.port = port
    this.#http = http
    this.#webSocket = webSocket
    this.#dispatcher = dispatcher
  }

  /** Rejects with ADDRESS_IN_USE, ADDRESS_INVALID or SOCKET_FAILED, naming the address and the flag to change. */
  static async listen(options: RpcServerOptions): Promise<RpcServer> {
    const name = options.host ?? '127.0.0.1'
    const { port } = options
    // One address, even of a name that has several (localhost): the Host header is compared with it.
    const bound = await lookup(name).then(
      ({ address }) => ({ name, address }),
      (cause: unknown) => {
        throw listenError(cause, name, port)
      },
    )
    const limits = { ...RPC_LIMITS, ...options.limits }
    const report = options.onInternalError ?? (() => {})
    const dispatcher = new Dispatcher(rpcMethods(options.api, options.parseRecord, options.methods), limits, report)
    const refuse = (request: IncomingMessage) => refuseOrigin(request.headers, bound)
    const http = httpDoor({ api: options.api, dispatcher, limits, refuse, report })
    try {
      http.listen({ host: bound.address, port })
      await once(http, 'listening')
    } catch (cause) {
      throw listenError(cause, name, port)
    }
    const webSocket = new WebSocketDoor(
      http,
      dispatcher,
      {
        connections: limits.webSocketConnections,
        messageBytes: limits.bodyBytes,
        callsInFlight: limits.webSocketCallsInFlight,
        unsentBytes: limits.webSocketUnsentBytes,
        heartbeatMs: limits.heartbeatMs,
      },
      refuse,
    )
    return new RpcServer(http, webSocket, dispatcher)
  }

  get url(): string {
    return `http://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`
  }

  get callsInFlight(): number {
    return this.#dispatcher.callsInFlight
  }

  /**
   * Accepts no new connections, lets calls in flight finish until the deadline, ends the rest with an error, and
   * closes. Never rejects.
   */
  close(options: { readonly deadlineMs: number } = { deadlineMs: 2000 }): Promise<void> {
    this.#closing ??= this.#shutdown(options.deadlineMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #shutdown(deadlineMs: number): Promise<void> {
    this.#dispatcher.closing()
    const httpClosed = once(this.#http, 'close')
    // Idle connections end with it (Node 19).
    this.#http.close()
    const deadline = delay(deadlineMs)
    await Promise.race([this.#dispatcher.idle(), deadline.over])
    this.#dispatcher.abort()
    deadline.clear()
    // The answers are written by now; a client that does not read them has this long.
    const grace = delay(LAST_ANSWER_MS)
    await this.#webSocket.close(grace.over)
    await Promise.race([httpClosed, grace.over])
    grace.clear()
    this.#http.closeAllConnections()
    await httpClosed
  }
}

const LAST_ANSWER_MS = 250

function delay(ms: number): { readonly over: Promise<void>; clear(): void } {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms)
  })
  return { over, clear: () => clearTimeout(timer) }
}

function listenError(cause: unknown, host: string, port: number): SpimplError {
  const { code, message } = cause as NodeJS.ErrnoException
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const advice = 'choose another rpc.port (--rpc-port; 0 takes a free one) or rpc.host (--rpc-host)'
  if (code === 'EADDRINUSE') {
    return new SpimplError('ADDRESS_IN_USE', `JSON-RPC: the address ${where} is in use by another program; ${advice}`, {
      cause,
    })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new SpimplError('ADDRESS_INVALID', `JSON-RPC: ${where} is no address of this machine; ${advice}`, { cause })
  }
  return new SpimplError('SOCKET_FAILED', `JSON-RPC: could not listen on ${where}: ${message}; ${advice}`, { cause })
}
