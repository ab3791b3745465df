import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { Dispatcher } from '../dispatching/dispatcher.ts'

export interface WebSocketLimits {
  readonly connections: number
  /** Bytes of one message. */
  readonly messageBytes: number
  /** Calls of one connection in flight; above it the socket is not read. */
  readonly callsInFlight: number
  /** Bytes of responses that the client has not read; above it the socket is not read. */
  readonly unsentBytes: number
  /** A client that does not answer a ping within this time is disconnected. */
  readonly heartbeatMs: number
}

/** JSON-RPC over WebSocket on the port of the HTTP server: each message is one request or batch. */
export class WebSocketDoor {
  readonly #server: WebSocketServer
  readonly #dispatcher: Dispatcher
  readonly #limits: WebSocketLimits
  readonly #heartbeat: NodeJS.Timeout
  readonly #silent = new WeakSet<WebSocket>()
  readonly #answers = new Set<Promise<void>>()

  constructor(
    http: Server,
    dispatcher: Dispatcher,
    limits: WebSocketLimits,
    refuse: (request: IncomingMessage) => string | undefined,
  ) {
    this.#dispatcher = dispatcher
    this.#limits = limits
    // Without compression: it costs more than loopback saves, and would let a small message expand to a large one.
    this.#server = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes, perMessageDeflate: false })
    http.on('upgrade', (request, socket, head) => {
      const reason = refuse(request)
      if (reason !== undefined) refuseUpgrade(socket, '403 Forbidden', reason)
      else if (this.#server.clients.size >= limits.connections) {
        refuseUpgrade(socket, '503 Service Unavailable', `expected at most ${limits.connections} connections`)
      } else this.#server.handleUpgrade(request, socket, head, client => this.#serve(client))
    })
    this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatMs).unref()
  }

  /** Sends the answers that are due, then closes every connection. */
  async close(deadline: Promise<void>): Promise<void> {
    clearInterval(this.#heartbeat)
    await Promise.race([Promise.all(this.#answers), deadline])
    const closed = [...this.#server.clients].map(
      client =>
        new Promise<void>(resolve => {
          client.once('close', () => resolve())
          client.close(1001, 'the server stops')
        }),
    )
    await Promise.race([Promise.all(closed), deadline])
    for (const client of this.#server.clients) client.terminate()
    this.#server.close()
  }

  #serve(client: WebSocket): void {
    const gone = new AbortController()
    let inFlight = 0
    const regulate = (): void => {
      const busy = inFlight >= this.#limits.callsInFlight || client.bufferedAmount > this.#limits.unsentBytes
      if (busy && !client.isPaused) client.pause()
      else if (!busy && client.isPaused) client.resume()
    }
    const answer = async (data: RawData): Promise<void> => {
      inFlight++
      regulate()
      const response = await this.#dispatcher.handle(data.toString(), gone.signal)
      inFlight--
      if (response !== undefined && client.readyState === client.OPEN)
        client.send(response, { binary: false }, regulate)
      regulate()
    }
    client.on('message', data => {
      const answered = answer(data).finally(() => this.#answers.delete(answered))
      this.#answers.add(answered)
    })
    client.on('pong', () => this.#silent.delete(client))
    client.on('close', () => gone.abort())
    // A broken frame or a message above the limit: ws closes the connection with the right code.
    client.on('error', () => {})
  }

  #beat(): void {
    for (const client of this.#server.clients) {
      // A paused client's pongs are not read either.
      if (client.isPaused) continue
      if (this.#silent.has(client)) client.terminate()
      this.#silent.add(client)
      client.ping()
    }
  }
}

function refuseUpgrade(socket: Duplex, status: string, reason: string): void {
  const body = `${reason}\n`
  socket.on('error', () => {})
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
