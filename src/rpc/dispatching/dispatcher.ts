import { setMaxListeners } from 'node:events'
import type { Method } from '../methods/method.ts'
import { joinedJson, toJson } from './json-writer.ts'
import { NO_ID, type RequestId, RequestIds } from './request-id.ts'
import { RpcCode, RpcError, toRpcError } from './rpc-errors.ts'

/** Limits of one server. */
export interface DispatchLimits {
  /** Calls in one batch. */
  readonly batchCalls: number
  /** Calls of one batch in flight at once. */
  readonly batchConcurrency: number
  /** Characters of all responses of one batch; calls beyond it are refused. */
  readonly batchResponseCharacters: number
  /** Calls of all clients in flight at once. */
  readonly callsInFlight: number
  readonly callTimeoutMs: number
}

/** The limits of a dispatcher that is given none. */
export const DISPATCH_LIMITS: DispatchLimits = {
  batchCalls: 128,
  batchConcurrency: 16,
  batchResponseCharacters: 64 * 1024 * 1024,
  callsInFlight: 512,
  callTimeoutMs: 300_000,
}

interface Request {
  readonly id: RequestId
  /** A request without an id: the client expects no answer. */
  readonly notification: boolean
  readonly method: string
  readonly params: unknown
}

/** Something that is not a request, and the error that answers it. */
interface Unreadable {
  readonly id: RequestId
  readonly error: RpcError
}

/** JSON-RPC 2.0: text in, text out, over any transport. Never rejects and never throws, whatever the text is. */
export class Dispatcher {
  readonly #methods: ReadonlyMap<string, Method>
  readonly #limits: DispatchLimits
  readonly #report: (error: unknown, method: string) => void
  readonly #stop = new AbortController()
  #inFlight = 0
  #isClosing = false
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
   * @param signal aborted when the client disconnects
   * @returns the response as text or as UTF-8; undefined if there is none (notifications)
   */
  async handle(text: string, signal: AbortSignal): Promise<string | Buffer | undefined> {
    // Every call in flight is a listener. `callsInFlight` bounds them, so Node's leak warning is turned off.
    setMaxListeners(0, signal)
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return failure(NO_ID, new RpcError(RpcCode.parseError, 'Parse error: expected JSON'))
    }
    const ids = new RequestIds(text)
    if (!Array.isArray(message)) return this.#one(readRequest(message, ids, 0), signal)
    if (message.length === 0) {
      return failure(
        NO_ID,
        new RpcError(RpcCode.invalidRequest, 'Invalid request: expected a batch of calls, got none'),
      )
    }
    if (message.length > this.#limits.batchCalls) {
      const detail = `expected at most ${this.#limits.batchCalls} calls in a batch, got ${message.length}`
      return failure(NO_ID, new RpcError(RpcCode.limitExceeded, `Limit exceeded: ${detail}`))
    }
    const calls = message.map((call: unknown, index) => readRequest(call, ids, index))
    return this.#batch(calls, signal)
  }

  /** Whether no further calls are accepted. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Accepts no further calls. */
  closing(): void {
    this.#isClosing = true
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

  async #batch(calls: readonly (Request | Unreadable)[], signal: AbortSignal): Promise<string | Buffer | undefined> {
    const responses: (string | Buffer | undefined)[] = new Array(calls.length)
    let characters = 0
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < calls.length) {
        const at = next++
        const full = characters >= this.#limits.batchResponseCharacters
        const response = full ? this.#refuse(calls[at]!) : await this.#one(calls[at]!, signal)
        characters += response?.length ?? 0
        responses[at] = response
      }
    }
    await Promise.all(Array.from({ length: Math.min(calls.length, this.#limits.batchConcurrency) }, worker))
    const given = responses.filter(response => response !== undefined)
    if (given.length === 0) return undefined
    return joinedJson('[', ...given.flatMap((response, at) => (at === 0 ? [response] : [',', response])), ']')
  }

  #refuse(request: Request | Unreadable): string | Buffer | undefined {
    if ('error' in request) return failure(request.id, request.error)
    const limit = `the responses of a batch may have ${this.#limits.batchResponseCharacters} characters`
    const error = new RpcError(RpcCode.limitExceeded, `Limit exceeded: ${limit}`)
    return request.notification ? undefined : failure(request.id, error)
  }

  async #one(request: Request | Unreadable, signal: AbortSignal): Promise<string | Buffer | undefined> {
    if ('error' in request) return failure(request.id, request.error)
    const response = await this.#call(request, signal)
    return request.notification ? undefined : response
  }

  async #call({ id, method, params }: Request, signal: AbortSignal): Promise<string | Buffer> {
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

  /** A handler may ignore its signal; the client is answered anyway. */
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
    const onAbort = (): void => end(new RpcError(RpcCode.unavailable, 'Unavailable: the server is stopping'))
    const { callTimeoutMs } = this.#limits
    const onTimeout = (): void =>
      end(new RpcError(RpcCode.unavailable, `Unavailable: no result within ${callTimeoutMs} ms`))
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

function readRequest(message: unknown, ids: RequestIds, index: number): Request | Unreadable {
  const invalid = (detail: string, id = NO_ID): Unreadable => ({
    id,
    error: new RpcError(RpcCode.invalidRequest, `Invalid request: ${detail}`),
  })
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return invalid('expected an object')
  const { jsonrpc, id: given, method, params } = message as Record<string, unknown>
  const id = ids.of(given, index)
  if (jsonrpc !== '2.0') return invalid('expected jsonrpc to be "2.0"', id)
  if (typeof method !== 'string') return invalid('expected method to be a string', id)
  if (params !== undefined && typeof params !== 'object') {
    return invalid('expected params to be an array or an object', id)
  }
  if (id === undefined) return invalid('expected id to be a string, a number or null')
  return { id, notification: !Object.hasOwn(message, 'id'), method, params }
}

const success = (id: RequestId, result: unknown): string | Buffer =>
  toJson(result ?? null, `{"jsonrpc":"2.0","id":${id},"result":`, '}')

function failure(id: RequestId, { code, message, data }: RpcError): string | Buffer {
  const error = data === undefined ? { code, message } : { code, message, data }
  return toJson(error, `{"jsonrpc":"2.0","id":${id},"error":`, '}')
}
