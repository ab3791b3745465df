import type { Scheduler } from '../../../src/transport/simulated.ts'

/** A clock that only `run` moves. */
export class VirtualScheduler implements Scheduler {
  #now = 0
  #order = 0
  #actions: { readonly when: number; readonly order: number; readonly action: () => void }[] = []

  now(): number {
    return this.#now
  }

  at(when: number, action: () => void): void {
    const entry = { when: Math.max(when, this.#now), order: this.#order++, action }
    // Sorted insertion from the end: tests have few actions at a time.
    let index = this.#actions.length
    while (index > 0 && (this.#actions[index - 1]?.when ?? 0) > entry.when) index--
    this.#actions.splice(index, 0, entry)
  }

  /** Runs all actions that are due until `until`, and those that they schedule until then. */
  run(until = Number.POSITIVE_INFINITY): void {
    for (;;) {
      const next = this.#actions[0]
      if (next === undefined || next.when > until) break
      this.#actions.shift()
      this.#now = next.when
      next.action()
    }
    if (until !== Number.POSITIVE_INFINITY) this.#now = until
  }
}
