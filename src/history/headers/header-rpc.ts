import { scheduler } from 'node:timers/promises'
import { checkedLimits } from 'spimpl-runtime/core'
import { fromHex } from '../../codec/hex.ts'
import { ok, type Result, refused, SpimplError } from '../../errors.ts'
import { type BlockHeader, decodeHeader } from './header.ts'
import { headerFromJson } from './header-json.ts'
import type { HeaderAnswer, HeaderSource } from './header-source.ts'

interface HeaderRpcLimits {
  /** For one HTTP request, from its first byte to the last byte of the answer. */
  readonly timeoutMs: number
  /** Attempts in all, if the server is unreachable, too slow or busy. */
  readonly attempts: number
  /** Before the second attempt; it doubles with each further one. */
  readonly backoffMs: number
}

const defaultHeaderRpcLimits: HeaderRpcLimits = { timeoutMs: 5000, attempts: 3, backoffMs: 250 }

export interface HeaderRpcOptions extends Partial<HeaderRpcLimits> {
  /** Waits between two attempts; rejects when the signal fires. Tests replace it, and do not wait. */
  readonly pause?: (delayMs: number, signal: AbortSignal) => Promise<void>
}

/** A block with the hashes of its transactions has 66 characters for each; a raw header has 1.3 kB. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024
/** JSON-RPC 2.0, 5.1. */
const METHOD_NOT_FOUND = -32601
const ABORTED = 'the request was aborted'

/** The outcome of one request. `retry`: another attempt may succeed. */
type Outcome =
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly code: number; readonly detail: string }
  | { readonly kind: 'failed'; readonly retry: boolean; readonly detail: string }

/**
 * Headers from the JSON-RPC of an execution client: `debug_getRawHeader`, which gives the bytes, or, if the server does
 * not offer it, `eth_getBlockByNumber`, whose header is rebuilt and compared with the block hash.
 *
 * The server is trusted to know the canonical chain. It is not trusted to answer with well-formed, timely or bounded
 * data, or to answer at all. An implementation of a port, not a core: it does I/O and waits.
 */
export class HeaderRpc implements HeaderSource {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #limits: HeaderRpcLimits
  readonly #pause: (delayMs: number, signal: AbortSignal) => Promise<void>
  /** One for each request, so that no signal outlives its listeners. */
  readonly #requests = new Set<AbortController>()
  #closed = false
  #rawHeaderServed = true
  #nextId = 1

  /** @throws SpimplError CONFIG_INVALID for a `url` that is not http or https, or a limit */
  constructor(url: string, options: HeaderRpcOptions = {}) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
      throw new SpimplError('CONFIG_INVALID', 'expected an http or https URL of an execution client')
    }
    const { username, password } = parsed
    const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
    // fetch refuses a URL with credentials, and error messages must not show them.
    parsed.username = ''
    parsed.password = ''
    this.#url = parsed.href
    this.#headers = {
      'content-type': 'application/json',
      ...(username !== '' && { authorization: `Basic ${credentials}` }),
    }
    const { pause, ...limits } = options
    this.#limits = checkedLimits('header requests', defaultHeaderRpcLimits, limits)
    this.#pause = pause ?? ((delayMs, signal) => scheduler.wait(delayMs, { signal }))
  }

  async headerByNumber(number: bigint, signal?: AbortSignal): Promise<HeaderAnswer> {
    if (this.#closed || signal?.aborted) return refused('HEADER_UNAVAILABLE', ABORTED)
    const request = new AbortController()
    const abort = (): void => request.abort()
    signal?.addEventListener('abort', abort, { once: true })
    this.#requests.add(request)
    try {
      const header = await this.#ask(`0x${number.toString(16)}`, request.signal)
      if (!header.ok || header.value.number === number) return header
      const detail = `expected the header of block ${number}, got that of ${header.value.number}`
      return refused('HEADER_UNAVAILABLE', detail)
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#requests.delete(request)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const request of this.#requests) request.abort()
  }

  async #ask(number: string, signal: AbortSignal): Promise<HeaderAnswer> {
    if (this.#rawHeaderServed) {
      const raw = await this.#call('debug_getRawHeader', [number], signal)
      if (raw.kind === 'result' && typeof raw.value === 'string') return available(headerFromHex(raw.value))
      if (raw.kind === 'failed' && raw.retry) return refused('HEADER_UNAVAILABLE', raw.detail)
      // Many servers hide the debug methods, each with its own error. Only this code says that the method does not
      // exist.
      if (raw.kind === 'error' && raw.code === METHOD_NOT_FOUND) this.#rawHeaderServed = false
    }
    const block = await this.#call('eth_getBlockByNumber', [number, false], signal)
    if (block.kind !== 'result') return refused('HEADER_UNAVAILABLE', block.detail)
    if (block.value === null) return refused('HEADER_UNAVAILABLE', `the execution client has no block ${number}`)
    return available(headerFromJson(block.value))
  }

  async #call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<Outcome> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#request(method, params, signal)
      const again = outcome.kind === 'failed' && outcome.retry && attempt < this.#limits.attempts && !signal.aborted
      if (!again) return outcome
      try {
        await this.#pause(this.#limits.backoffMs * 2 ** (attempt - 1), signal)
      } catch {
        return { kind: 'failed', retry: true, detail: ABORTED }
      }
    }
  }

  async #request(method: string, params: readonly unknown[], signal: AbortSignal): Promise<Outcome> {
    const id = this.#nextId++
    const failed = (retry: boolean, what: string): Outcome => ({ kind: 'failed', retry, detail: `${method}: ${what}` })
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#limits.timeoutMs)]),
      })
      const { status } = response
      const text = await readBounded(response, MAX_RESPONSE_BYTES)
      if (status === 429 || status >= 500)
        return failed(true, `the execution client answered with HTTP status ${status}`)
      if (text === undefined)
        return failed(false, `expected an answer of at most ${MAX_RESPONSE_BYTES} bytes, got more`)
      const outcome = readAnswer(text, id)
      if (outcome !== undefined) return outcome
      return failed(false, `expected a JSON-RPC answer to request ${id}, got something else with HTTP status ${status}`)
    } catch (error) {
      return failed(true, signal.aborted ? ABORTED : reasonOf(error))
    }
  }
}

/** Decodes a part of a URL; a part with a lone % is taken literally. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Undefined if the text is no answer to this request. */
function readAnswer(text: string, id: number): Outcome | undefined {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(answer)) return undefined
  const { error, result } = answer
  if (isRecord(error)) {
    const code = typeof error.code === 'number' ? error.code : 0
    const message = typeof error.message === 'string' ? error.message.slice(0, 200) : 'no message'
    return { kind: 'error', code, detail: `the execution client answered: ${message} (${code})` }
  }
  if (answer.id !== id || result === undefined) return undefined
  return { kind: 'result', value: result }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function headerFromHex(text: string): Result<BlockHeader> {
  const bytes = fromHex(text)
  return bytes.ok ? decodeHeader(bytes.value) : bytes
}

function available(header: Result<BlockHeader>): HeaderAnswer {
  return header.ok ? ok(header.value) : refused('HEADER_UNAVAILABLE', `the execution client's header: ${header.detail}`)
}

/** The body as text, or undefined as soon as it exceeds the limit. */
async function readBounded(response: Response, limit: number): Promise<string | undefined> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.length
    // Leaving the loop cancels the stream and its connection.
    if (length > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length).toString('utf8')
}

/** fetch puts the reason of a failure into the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'the execution client did not answer in time'
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}
