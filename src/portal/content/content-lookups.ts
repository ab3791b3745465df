import type { ContentName } from '../messages.ts'
import { ContentLookup, type ContentLookupParts, type ContentLookupResult } from './content-lookup.ts'
import type { TraceBuilder } from './content-trace.ts'

/** A content lookup that a caller wants. */
export interface LookupOrder {
  readonly name: ContentName
  readonly trace: TraceBuilder | undefined
  /** Called once, possibly before `start` returns. */
  readonly settle: (result: ContentLookupResult) => void
}

/** The content lookups that run, and those that wait in line for one to end. */
export class ContentLookups {
  readonly #parts: ContentLookupParts
  readonly #running = new Map<LookupOrder, ContentLookup>()
  /** The longest waiting first. */
  readonly #waiting = new Set<LookupOrder>()
  #isStarting = false

  constructor(parts: ContentLookupParts) {
    this.#parts = parts
  }

  get running(): number {
    return this.#running.size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** @returns false if too many lookups wait already; `settle` is not called then */
  start(order: LookupOrder): boolean {
    const { counters, limits } = this.#parts.state
    if (this.#running.size < limits.contentLookups) this.#run(order)
    else if (this.#waiting.size < limits.waitingLookups) this.#waiting.add(order)
    else {
      counters.add('limit.lookups')
      return false
    }
    return true
  }

  /** Ends a lookup; its `settle` is not called any more. */
  cancel(order: LookupOrder): void {
    if (this.#waiting.delete(order)) return
    this.#running.get(order)?.cancel()
    if (this.#running.delete(order)) this.#startWaiting()
  }

  #run(order: LookupOrder): void {
    const lookup = new ContentLookup(this.#parts, order.name, order.trace, result => {
      this.#running.delete(order)
      order.settle(result)
      this.#startWaiting()
    })
    this.#running.set(order, lookup)
    lookup.start()
  }

  /** A loop instead of recursion: a lookup without anybody to query ends as it starts, and thousands may wait. */
  #startWaiting(): void {
    if (this.#isStarting) return
    this.#isStarting = true
    for (const order of this.#waiting) {
      if (this.#running.size >= this.#parts.state.limits.contentLookups) break
      this.#waiting.delete(order)
      this.#run(order)
    }
    this.#isStarting = false
  }
}
