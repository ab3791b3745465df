/** One thing that an agenda holds: cancel it with `Agenda.cancel`. */
export interface Appointment<Job> {
  readonly at: number
  /** Undefined once it was cancelled or taken. */
  job: Job | undefined
}

/**
 * Moments and what is due at them: a binary heap, so that asking for the next moment costs nothing and setting one
 * costs a logarithm. A cancelled appointment stays in the heap until it would be next; `compact` bounds how many such
 * there are.
 */
export class Agenda<Job> {
  #heap: Appointment<Job>[] = []
  #cancelled = 0

  get size(): number {
    return this.#heap.length - this.#cancelled
  }

  set(at: number, job: Job): Appointment<Job> {
    const appointment = { at, job }
    this.#heap.push(appointment)
    this.#rise(this.#heap.length - 1)
    return appointment
  }

  cancel(appointment: Appointment<Job> | undefined): void {
    if (appointment?.job === undefined) return
    appointment.job = undefined
    this.#cancelled += 1
    if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#compact()
    else this.#dropCancelled()
  }

  /** The next moment, `Infinity` if there is none. */
  next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY
  }

  /** The earliest job that is due at `now`, removed from the agenda. */
  take(now: number): Job | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.at > now) return undefined
    const { job } = first
    first.job = undefined
    this.#pop()
    this.#dropCancelled()
    return job
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]!.job === undefined) {
      this.#pop()
      this.#cancelled -= 1
    }
  }

  #compact(): void {
    this.#heap = this.#heap.filter(appointment => appointment.job !== undefined)
    this.#cancelled = 0
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index--) this.#sink(index)
  }

  #pop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #rise(from: number): void {
    const heap = this.#heap
    const appointment = heap[from]!
    let index = from
    while (index > 0) {
      const above = (index - 1) >> 1
      if (heap[above]!.at <= appointment.at) break
      heap[index] = heap[above]!
      index = above
    }
    heap[index] = appointment
  }

  #sink(from: number): void {
    const heap = this.#heap
    const appointment = heap[from]!
    let index = from
    for (;;) {
      let below = 2 * index + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && heap[below + 1]!.at < heap[below]!.at) below += 1
      if (heap[below]!.at >= appointment.at) break
      heap[index] = heap[below]!
      index = below
    }
    heap[index] = appointment
  }
}
