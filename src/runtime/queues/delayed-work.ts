import type { DispatchQueue } from './dispatch-queue.ts'
import { Timer } from './timer-wheel.ts'
import type { Work } from './work-item.ts'

/** Work that joins its queue when its moment has come. */
export class DelayedWork extends Timer {
  private readonly queue: DispatchQueue
  private readonly work: Work

  constructor(queue: DispatchQueue, work: Work) {
    super()
    this.queue = queue
    this.work = work
  }

  override fire(): void {
    this.queue.async(this.work)
  }
}
