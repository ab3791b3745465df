import { equalBytes } from '../../codec/bytes.ts'
import { refused } from '../../errors.ts'
import type { BlockHeader } from './header.ts'
import type { HeaderAnswer, HeaderSource } from './header-source.ts'

/** About 1.3 kB each, so 6 MB in all. */
const CACHED_HEADERS = 4096
/** How many different blocks may be asked for at a time. */
const MAX_HEADER_REQUESTS = 256

export interface HeaderCacheOptions {
  readonly capacity?: number
  readonly maxRequests?: number
}

/**
 * A header source in front of a slower one: keeps the headers used last, and asks once for what many want at the same
 * moment. A failure is not kept. Part of a port's implementation, not of a core.
 */
export class HeaderCache implements HeaderSource {
  readonly #source: HeaderSource
  readonly #capacity: number
  readonly #maxRequests: number
  /** In the order of use, the oldest first. */
  readonly #headers = new Map<bigint, HeaderAnswer & { readonly ok: true }>()
  readonly #inFlight = new Map<bigint, Promise<HeaderAnswer>>()

  constructor(source: HeaderSource, options: HeaderCacheOptions = {}) {
    this.#source = source
    this.#capacity = options.capacity ?? CACHED_HEADERS
    this.#maxRequests = options.maxRequests ?? MAX_HEADER_REQUESTS
  }

  get size(): number {
    return this.#headers.size
  }

  async headerByNumber(number: bigint, signal?: AbortSignal, doubted?: BlockHeader): Promise<HeaderAnswer> {
    if (signal?.aborted) return abandoned(number)
    const known = this.#headers.get(number)
    if (known !== undefined && (doubted === undefined || !equalBytes(doubted.hash, known.value.hash))) {
      this.#keep(number, known)
      return known
    }
    let request = this.#inFlight.get(number)
    if (request === undefined) {
      if (this.#inFlight.size >= this.#maxRequests) {
        return refused('HEADER_UNAVAILABLE', `${this.#maxRequests} headers are being asked for already`)
      }
      // Without the signal: whoever else waits for this header still wants it when the first one gives up.
      request = this.#ask(number)
      this.#inFlight.set(number, request)
    }
    return signal === undefined ? request : untilAborted(request, number, signal)
  }

  async close(): Promise<void> {
    this.#headers.clear()
    await this.#source.close()
  }

  async #ask(number: bigint): Promise<HeaderAnswer> {
    try {
      const answer = await this.#source.headerByNumber(number)
      if (answer.ok) this.#keep(number, answer)
      return answer
    } finally {
      this.#inFlight.delete(number)
    }
  }

  #keep(number: bigint, answer: HeaderAnswer & { readonly ok: true }): void {
    this.#headers.delete(number)
    this.#headers.set(number, answer)
    if (this.#headers.size <= this.#capacity) return
    const oldest = this.#headers.keys().next()
    if (!oldest.done) this.#headers.delete(oldest.value)
  }
}

/** The answer, or a refusal as soon as the signal fires; the listener goes with whichever comes first. */
function untilAborted(request: Promise<HeaderAnswer>, number: bigint, signal: AbortSignal): Promise<HeaderAnswer> {
  return new Promise(resolve => {
    const abandon = () => resolve(abandoned(number))
    signal.addEventListener('abort', abandon, { once: true })
    void request.then(answer => {
      signal.removeEventListener('abort', abandon)
      resolve(answer)
    })
  })
}

function abandoned(number: bigint): HeaderAnswer {
  return refused('HEADER_UNAVAILABLE', `the wait for the header of block ${number} was abandoned`)
}
