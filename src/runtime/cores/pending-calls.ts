import { invariant } from './invariant.ts'

/**
 * Calls that await their result, by number. Each is taken once: by its result, its deadline or its caller's
 * cancellation, whichever comes first; the others find nothing. The bound is checked by the caller with `hasRoom`, who
 * reports it as a typed result.
 *
 * @example
 * const calls = new PendingCalls<{ settle(result: string): void }>(1_024)
 * const ref = calls.add({ settle: result => result })
 * // later, from the answer, the deadline or a cancellation:
 * calls.take(ref)?.settle('pong')
 */
export class PendingCalls<Call> implements Iterable<Call> {
  readonly limit: number
  readonly #calls = new Map<number, Call>()
  #lastRef = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get size(): number {
    return this.#calls.size
  }

  get hasRoom(): boolean {
    return this.#calls.size < this.limit
  }

  /** @returns its number, which is never used twice */
  add(call: Call): number {
    this.#lastRef += 1
    this.addAs(this.#lastRef, call)
    return this.#lastRef
  }

  /** Under a number that the caller chose, so that a call keeps one number on its whole way. */
  addAs(ref: number, call: Call): void {
    // The sentences are built only for a failure: a core adds a call for each request.
    if (!this.hasRoom) invariant(false, `at most ${this.limit} pending calls`)
    if (this.#calls.has(ref)) invariant(false, `a number that no pending call has, got ${ref}`)
    this.#calls.set(ref, call)
  }

  /** The call, which stays. */
  peek(ref: number): Call | undefined {
    return this.#calls.get(ref)
  }

  /** Takes the call out; undefined if it was taken before. */
  take(ref: number): Call | undefined {
    const call = this.#calls.get(ref)
    if (call !== undefined) this.#calls.delete(ref)
    return call
  }

  /**
   * Takes all calls out, in the order in which they were added: for an owner that stops and owes each of them an
   * answer.
   */
  takeAll(): Call[] {
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    return calls
  }

  /** In the order in which they were added. */
  [Symbol.iterator](): Iterator<Call> {
    return this.#calls.values()
  }
}
