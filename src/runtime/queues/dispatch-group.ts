import { SpimplError } from '../errors.ts'
import type { DispatchQueue } from './dispatch-queue.ts'
import type { RootQueue } from './root-queue.ts'
import { Timer } from './timer-wheel.ts'
import type { Work } from './work-item.ts'

class GroupDeadline extends Timer {
  private readonly passed: () => void

  constructor(passed: () => void) {
    super()
    this.passed = passed
  }

  override fire(): void {
    this.passed()
  }
}

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

  /** Settles when the group is empty. */
  wait(): Promise<void> {
    if (this.entered === 0) return Promise.resolve()
    return new Promise(resolve => this.waiters.push(resolve))
  }

  /** Settles when the group is empty: true, or after `timeoutMs` of the root's clock: false. */
  waitWithin(timeoutMs: number, root: RootQueue): Promise<boolean> {
    if (this.entered === 0) return Promise.resolve(true)
    return new Promise(resolve => {
      const waiter = () => {
        root.cancelTimer(deadline)
        resolve(true)
      }
      const deadline = new GroupDeadline(() => {
        this.waiters = this.waiters.filter(other => other !== waiter)
        resolve(false)
      })
      root.setTimer(deadline, root.executor.clock.now() + timeoutMs)
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
