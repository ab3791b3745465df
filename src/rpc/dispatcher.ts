import { setMaxListeners } from 'node:events'
import { toJson } from './json-writer.ts'
import type { Method } from './method.ts'
import { RpcCode, RpcError, toRpcError } from './rpc-errors.ts'

/** What one server takes on at most. */
export interface DispatchLimits {
  /** Calls of one batch. */
  readonly batchCalls: number
  /** Calls of one batch that run at once. */
  readonly batchConcurrency: number
  /** Characters of all responses of one batch; the calls after it are refused. */
  readonly batchResponseCharacters: number
  /** Calls of all clients that run at once. */
  readonly callsInFlight: number
  readonly callTimeoutMs: number
}

/** What a dispatcher takes on at most unless told. */
export const DISPATCH_LIMITS: DispatchLimits = {
  batchCalls: 128,
  batchConcurrency: 16,
  batchResponseCharacters: 64 * 1024 * 1024,
  callsInFlight: 512,
  callTimeoutMs: 300_000,
}

interface Request {
  readonly id: string | number | null
  /** A request without an id: nobody waits for its answer. */
  readonly notification: boolean
  readonly method: string
  readonly params: unknown
}

/**
 * JSON-RPC 2.0: text in, text out, whatever the transport. Never rejects and never throws, whatever comes.
 */
export class Dispatcher {
  readonly #methods: ReadonlyMap<string, Method>
  readonly #limits: DispatchLimits
  readonly #report: (error: unknown, method: string) => void
  readonly #stop = new AbortController()
  #inFlight = 0
  #idle: (() => void)[] = []

  constructor(
    methods: ReadonlyMap<string, Method>,
    limits: DispatchLimits,
    report: (error: unknown, method: string) => void,
  ) {
    this.#methods = methods
    this.#limits = limits
    this.#report = report
    setMaxListeners(0, this.#stop.signal)
  }

  get callsInFlight(): number {
    return this.#inFlight
  }

  /**
   * @param signal fires when the client has gone
   * @returns the response, or undefined where there is none to give (notifications)
   */
  async handle(text: string, signal: AbortSignal): Promise<string | undefined> {
    // Each call listens until it ends; `callsInFlight` bounds them, not Node's guess at a leak.
    setMaxListeners(0, signal)
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return failure(null, new RpcError(RpcCode.parseError, 'Parse error: expected JSON'))
    }
    if (!Array.isArray(message)) return this.#one(message, signal)
    if (message.length === 0) {
      return failure(null, new RpcError(RpcCode.invalidRequest, 'Invalid request: expected a batch of calls, got none'))
    }
    if (message.length > this.#limits.batchCalls) {
      const detail = `expected at most ${this.#limits.batchCalls} calls in a batch, got ${message.length}`
      return failure(null, new RpcError(RpcCode.limitExceeded, `Limit exceeded: ${detail}`))
    }
    return this.#batch(message, signal)
  }

  /** Resolves once no call is in flight. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise(resolve => this.#idle.push(resolve))
  }

  /** Ends every call in flight, now and later, with an error. */
  abort(): void {
    this.#stop.abort()
  }

  async #batch(calls: readonly unknown[], signal: AbortSignal): Promise<string | undefined> {
    const responses: (string | undefined)[] = new Array(calls.length)
    let characters = 0
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < calls.length) {
        const at = next++
        const full = characters >= this.#limits.batchResponseCharacters
        const response = full ? this.#refuse(calls[at]) : await this.#one(calls[at], signal)
        characters += response?.length ?? 0
        responses[at] = response
      }
    }
    await Promise.all(Array.from({ length: Math.min(calls.length, this.#limits.batchConcurrency) }, worker))
    const given = responses.filter(response => response !== undefined)
    return given.length === 0 ? undefined : `[${given.join(',')}]`
  }

  #refuse(message: unknown): string | undefined {
    const request = readRequest(message)
    const limit = `the responses of a batch may have ${this.#limits.batchResponseCharacters} characters`
    const error = new RpcError(RpcCode.limitExceeded, `Limit exceeded: ${limit}`)
    if (request instanceof RpcError) return failure(idOf(message), request)
    return request.notification ? undefined : failure(request.id, error)
  }

  async #one(message: unknown, signal: AbortSignal): Promise<string | undefined> {
    const request = readRequest(message)
    if (request instanceof RpcError) return failure(idOf(message), request)
    const response = await this.#call(request, signal)
    return request.notification ? undefined : response
  }

  async #call({ id, method, params }: Request, signal: AbortSignal): Promise<string> {
    const row = this.#methods.get(method)
    if (row === undefined) {
      const name = JSON.stringify(method.slice(0, 80))
      return failure(id, new RpcError(RpcCode.methodNotFound, `Method not found: ${name}`))
    }
    if (this.#inFlight >= this.#limits.callsInFlight) {
      const detail = `${this.#limits.callsInFlight} calls are in flight`
      return failure(id, new RpcError(RpcCode.limitExceeded, `Limit exceeded: ${detail}`))
    }
    this.#inFlight++
    try {
      return success(id, await this.#run(row, params, signal))
    } catch (thrown) {
      return failure(
        id,
        toRpcError(thrown, error => this.#report(error, method)),
      )
    } finally {
      this.#inFlight--
      if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve()
    }
  }

  /** The handler may not heed its signal; the client is answered all the same. */
  async #run(row: Method, params: unknown, client: AbortSignal): Promise<unknown> {
    const controller = new AbortController()
    const sources = [client, this.#stop.signal]
    let end: (error: RpcError) => void = () => {}
    const ended = new Promise<never>((_, reject) => {
      end = error => {
        controller.abort(error)
        reject(error)
      }
    })
    const onAbort = (): void => end(new RpcError(RpcCode.unavailable, 'Unavailable: the server stops'))
    const { callTimeoutMs } = this.#limits
    const onTimeout = (): void =>
      end(new RpcError(RpcCode.unavailable, `Unavailable: no result in ${callTimeoutMs} ms`))
    const timer = setTimeout(onTimeout, callTimeoutMs)
    for (const source of sources) source.addEventListener('abort', onAbort, { once: true })
    try {
      if (sources.some(source => source.aborted)) onAbort()
      return await Promise.race([ended, row.call(params, { signal: controller.signal })])
    } finally {
      clearTimeout(timer)
      for (const source of sources) source.removeEventListener('abort', onAbort)
      ended.catch(() => {})
    }
  }
}

function readRequest(message: unknown): Request | RpcError {
  const invalid = (detail: string): RpcError => new RpcError(RpcCode.invalidRequest, `Invalid request: ${detail}`)
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return invalid('expected an object')
  const { jsonrpc, id, method, params } = message as Record<string, unknown>
  if (jsonrpc !== '2.0') return invalid('expected jsonrpc to be "2.0"')
  if (typeof method !== 'string') return invalid('expected method to be a string')
  if (params !== undefined && typeof params !== 'object') return invalid('expected params to be an array or an object')
  if (id !== undefined && id !== null && typeof id !== 'string' && typeof id !== 'number') {
    return invalid('expected id to be a string, a number or null')
  }
  return { id: id ?? null, notification: !Object.hasOwn(message, 'id'), method, params }
}

/** The id to answer an invalid request under, where it has a usable one. */
function idOf(message: unknown): string | number | null {
  if (typeof message !== 'object' || message === null) return null
  const { id } = message as Record<string, unknown>
  return typeof id === 'string' || typeof id === 'number' ? id : null
}

const success = (id: string | number | null, result: unknown): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${toJson(result ?? null)}}`

function failure(id: string | number | null, { code, message, data }: RpcError): string {
  const error = data === undefined ? { code, message } : { code, message, data }
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${toJson(error)}}`
}
