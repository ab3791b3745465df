import { SpimplError } from '../errors.ts'
import type { DispatchQueue, Work } from './dispatch-queue.ts'

/** Work that belongs together, wherever it runs: counts what has begun and says when all of it is done. */
export class DispatchGroup {
  private entered = 0
  private notifications: { readonly queue: DispatchQueue; readonly work: Work }[] = []
  private waiters: (() => void)[] = []

  /** What has begun and is not done. */
  get size(): number {
    return this.entered
  }

  enter(): void {
    this.entered++
  }

  /** @throws SpimplError `GROUP_UNBALANCED` when it was not entered so often */
  leave(): void {
    if (this.entered === 0) {
      throw new SpimplError('GROUP_UNBALANCED', 'expected a leave for each enter, got one more')
    }
    if (--this.entered === 0) this.complete()
  }

  /** Runs `work` on `queue` once the group is empty; at once if it is. */
  notify(queue: DispatchQueue, work: Work): void {
    if (this.entered === 0) queue.async(work)
    else this.notifications.push({ queue, work })
  }

  /** Settles when the group is empty: true, or after `timeoutMs`: false. */
  wait(timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (this.entered === 0) return Promise.resolve(true)
    return new Promise(resolve => {
      const timer =
        timeoutMs === Number.POSITIVE_INFINITY
          ? undefined
          : setTimeout(() => {
              this.waiters = this.waiters.filter(other => other !== waiter)
              resolve(false)
            }, timeoutMs)
      const waiter = () => {
        clearTimeout(timer)
        resolve(true)
      }
      this.waiters.push(waiter)
    })
  }

  private complete(): void {
    const { notifications, waiters } = this
    this.notifications = []
    this.waiters = []
    for (const { queue, work } of notifications) queue.async(work)
    for (const waiter of waiters) waiter()
  }
}
