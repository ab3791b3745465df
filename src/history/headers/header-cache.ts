import { checkedLimits } from 'spimpl-runtime/core'
import { equalBytes } from '../../codec/bytes.ts'
import { refused } from '../../errors.ts'
import type { BlockHeader } from './header.ts'
import type { HeaderAnswer, HeaderSource } from './header-source.ts'
import { RecentHeaders } from './recent-headers.ts'

interface HeaderCacheLimits {
  /** Headers that are kept: about 1.3 kB each, so 6 MB in all. */
  readonly capacity: number
  /** Different blocks that are requested at the same time. */
  readonly maxRequests: number
}

const defaultHeaderCacheLimits: HeaderCacheLimits = { capacity: 4096, maxRequests: 256 }

export type HeaderCacheOptions = Partial<HeaderCacheLimits>

/**
 * A header source in front of a slower one: keeps the most recently used headers, and sends one request for a header
 * that several callers want at the same time. Failures are not kept. Part of a port's implementation, not of a core.
 */
export class HeaderCache implements HeaderSource {
  readonly #source: HeaderSource
  readonly #maxRequests: number
  readonly #headers: RecentHeaders<HeaderAnswer & { readonly ok: true }>
  readonly #inFlight = new Map<bigint, Promise<HeaderAnswer>>()

  constructor(source: HeaderSource, options: HeaderCacheOptions = {}) {
    const { capacity, maxRequests } = checkedLimits('the header cache', defaultHeaderCacheLimits, options)
    this.#source = source
    this.#headers = new RecentHeaders(capacity)
    this.#maxRequests = maxRequests
  }

  get size(): number {
    return this.#headers.size
  }

  async headerByNumber(number: bigint, signal?: AbortSignal, doubted?: BlockHeader): Promise<HeaderAnswer> {
    if (signal?.aborted) return aborted(number)
    const known = this.#headers.get(number)
    if (known !== undefined && (doubted === undefined || !equalBytes(doubted.hash, known.value.hash))) {
      this.#headers.keep(number, known)
      return known
    }
    let request = this.#inFlight.get(number)
    if (request === undefined) {
      if (this.#inFlight.size >= this.#maxRequests) {
        return refused('HEADER_UNAVAILABLE', `${this.#maxRequests} header requests are in flight already`)
      }
      // Without the signal: other callers still want the header if the first one gives up.
      request = this.#request(number)
      this.#inFlight.set(number, request)
    }
    return signal === undefined ? request : untilAborted(request, number, signal)
  }

  async close(): Promise<void> {
    this.#headers.clear()
    await this.#source.close()
  }

  async #request(number: bigint): Promise<HeaderAnswer> {
    try {
      const answer = await this.#source.headerByNumber(number)
      if (answer.ok) this.#headers.keep(number, answer)
      return answer
    } finally {
      this.#inFlight.delete(number)
    }
  }
}

/** The answer, or a refusal as soon as the signal fires. The listener is removed in either case. */
function untilAborted(request: Promise<HeaderAnswer>, number: bigint, signal: AbortSignal): Promise<HeaderAnswer> {
  return new Promise(resolve => {
    const abort = () => resolve(aborted(number))
    signal.addEventListener('abort', abort, { once: true })
    void request.then(answer => {
      signal.removeEventListener('abort', abort)
      resolve(answer)
    })
  })
}

function aborted(number: bigint): HeaderAnswer {
  return refused('HEADER_UNAVAILABLE', `the request for block ${number} was aborted`)
}
