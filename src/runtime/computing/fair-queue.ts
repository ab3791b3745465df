/**
 * Calls that wait for a thread. The calls of one share leave in the order in which they came; shares take turns, so a
 * share with many calls delays another by one call.
 *
 *     share a   1 4 5 6     leaves: 1 2 3 4 5 6, one of each share at a time:
 *     share b   2           a1 b2 c3 a4 a5 a6
 *     share c   3
 */
export class FairQueue<Call extends { readonly share: string }> {
  /** In the order of their turns; none is empty. */
  readonly #shares = new Map<string, Call[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(call: Call): void {
    const calls = this.#shares.get(call.share)
    if (calls === undefined) this.#shares.set(call.share, [call])
    else calls.push(call)
    this.#size++
  }

  /** The next call, whose share then waits behind the others. */
  shift(): Call | undefined {
    for (const [share, calls] of this.#shares) {
      const call = calls.shift()!
      this.#shares.delete(share)
      if (calls.length > 0) this.#shares.set(share, calls)
      this.#size--
      return call
    }
    return undefined
  }

  /** @returns whether the call was waiting */
  remove(call: Call): boolean {
    const calls = this.#shares.get(call.share)
    const index = calls?.indexOf(call) ?? -1
    if (calls === undefined || index < 0) return false
    calls.splice(index, 1)
    if (calls.length === 0) this.#shares.delete(call.share)
    this.#size--
    return true
  }
}
