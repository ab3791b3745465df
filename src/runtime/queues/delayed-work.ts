import { Timer } from './timer-wheel.ts'
import type { Work, WorkQueue } from './work.ts'

/** Work that joins its queue when it is due. */
export class DelayedWork extends Timer {
  readonly #queue: WorkQueue
  readonly #work: Work

  constructor(queue: WorkQueue, work: Work) {
    super()
    this.#queue = queue
    this.#work = work
  }

  override fire(): void {
    this.#queue.async(this.#work)
  }
}
