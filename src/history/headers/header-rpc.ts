import { scheduler } from 'node:timers/promises'
import { fromHex } from '../../codec/hex.ts'
import { ok, type Result, refused, SpimplError } from '../../errors.ts'
import { type BlockHeader, decodeHeader } from './header.ts'
import { headerFromJson } from './header-json.ts'
import type { HeaderAnswer, HeaderSource } from './header-source.ts'

export interface HeaderRpcOptions {
  /** For one HTTP request, from the first byte sent to the last one read. */
  readonly timeoutMs?: number
  /** How often a request is sent in all when the server cannot be reached, is too slow or says that it is busy. */
  readonly attempts?: number
  /** Before the second attempt; doubles with every further one. */
  readonly backoffMs?: number
  /** Waits between attempts; rejects when the signal fires. For tests, which do not wait. */
  readonly pause?: (delayMs: number, signal: AbortSignal) => Promise<void>
}

const DEFAULT_TIMEOUT_MS = 5000
const DEFAULT_ATTEMPTS = 3
const DEFAULT_BACKOFF_MS = 250
/** A block with the hashes of its transactions has 66 characters for each; a raw header 1.3 kB. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024
/** JSON-RPC 2.0, 5.1. */
const METHOD_NOT_FOUND = -32601
const WITHDRAWN = 'the question was withdrawn'

/** What one request came to. `retry` where another attempt could do better. */
type Outcome =
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly code: number; readonly detail: string }
  | { readonly kind: 'failed'; readonly retry: boolean; readonly detail: string }

/**
 * Headers from an execution client's JSON-RPC: `debug_getRawHeader`, the bytes themselves, or, where a server does
 * not offer that, `eth_getBlockByNumber`, rebuilt and checked against the block hash.
 *
 * The server is trusted to know the canonical chain; it is not trusted to answer well-formed, soon, briefly or at
 * all. The implementation of a port, not a core: it does I/O and waits.
 */
export class HeaderRpc implements HeaderSource {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeoutMs: number
  readonly #attempts: number
  readonly #backoffMs: number
  readonly #pause: (delayMs: number, signal: AbortSignal) => Promise<void>
  /** One for each question, so that no signal outlives what hangs on it. */
  readonly #questions = new Set<AbortController>()
  #closed = false
  #rawHeaderServed = true
  #nextId = 1

  /** @throws SpimplError CONFIG_INVALID where `url` is not http or https */
  constructor(url: string, options: HeaderRpcOptions = {}) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
      throw new SpimplError('CONFIG_INVALID', 'expected an http or https URL of an execution client')
    }
    const { username, password } = parsed
    const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
    // fetch refuses a URL with credentials; and this way they appear in no message.
    parsed.username = ''
    parsed.password = ''
    this.#url = parsed.href
    this.#headers = {
      'content-type': 'application/json',
      ...(username !== '' && { authorization: `Basic ${credentials}` }),
    }
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    this.#attempts = options.attempts ?? DEFAULT_ATTEMPTS
    this.#backoffMs = options.backoffMs ?? DEFAULT_BACKOFF_MS
    this.#pause = options.pause ?? ((delayMs, signal) => scheduler.wait(delayMs, { signal }))
  }

  async headerByNumber(number: bigint, signal?: AbortSignal): Promise<HeaderAnswer> {
    if (this.#closed || signal?.aborted) return refused('HEADER_UNAVAILABLE', WITHDRAWN)
    const question = new AbortController()
    const withdraw = (): void => question.abort()
    signal?.addEventListener('abort', withdraw, { once: true })
    this.#questions.add(question)
    try {
      const header = await this.#ask(`0x${number.toString(16)}`, question.signal)
      if (!header.ok || header.value.number === number) return header
      const detail = `expected the header of block ${number}, got that of ${header.value.number}`
      return refused('HEADER_UNAVAILABLE', detail)
    } finally {
      signal?.removeEventListener('abort', withdraw)
      this.#questions.delete(question)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const question of this.#questions) question.abort()
  }

  async #ask(number: string, signal: AbortSignal): Promise<HeaderAnswer> {
    if (this.#rawHeaderServed) {
      const raw = await this.#call('debug_getRawHeader', [number], signal)
      if (raw.kind === 'result' && typeof raw.value === 'string') return available(headerFromHex(raw.value))
      if (raw.kind === 'failed' && raw.retry) return refused('HEADER_UNAVAILABLE', raw.detail)
      // Many servers hide the debug methods, each with an error of its own; only one code says that they always will.
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
      const again = outcome.kind === 'failed' && outcome.retry && attempt < this.#attempts && !signal.aborted
      if (!again) return outcome
      try {
        await this.#pause(this.#backoffMs * 2 ** (attempt - 1), signal)
      } catch {
        return { kind: 'failed', retry: true, detail: WITHDRAWN }
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
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]),
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
      return failed(true, signal.aborted ? WITHDRAWN : reasonOf(error))
    }
  }
}

/** A part of a URL as it was meant; one with a lone % is meant as it stands. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Undefined for what is no answer to this request. */
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
    return { kind: 'error', code, detail: `the execution client said: ${message} (${code})` }
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

/** The body as text, or undefined as soon as it is longer than it may be. */
async function readBounded(response: Response, limit: number): Promise<string | undefined> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.length
    // Leaving the loop cancels the stream, and with it the connection.
    if (length > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length).toString('utf8')
}

/** fetch hides why it failed in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'the execution client did not answer in time'
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}
