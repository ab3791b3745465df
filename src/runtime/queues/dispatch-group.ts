import { SpimplError } from '../errors.ts'
import type { RootQueue } from './root-queue.ts'
import { Timer } from './timer-wheel.ts'
import type { Work, WorkQueue } from './work.ts'

class GroupDeadline extends Timer {
  readonly #passed: () => void

  constructor(passed: () => void) {
    super()
    this.#passed = passed
  }

  override fire(): void {
    this.#passed()
  }
}

/** Work that belongs together, on any queues: counts what has begun and reports when all of it is done. */
export class DispatchGroup {
  #entered = 0
  #notifications: { readonly queue: WorkQueue; readonly work: Work }[] = []
  #waiters: (() => void)[] = []

  /** Work that has begun and is not done. */
  get size(): number {
    return this.#entered
  }

  enter(): void {
    this.#entered++
  }

  /** @throws SpimplError `GROUP_UNBALANCED` if every `enter` has had its `leave` */
  leave(): void {
    if (this.#entered === 0) {
      throw new SpimplError('GROUP_UNBALANCED', 'expected one leave for each enter, got another leave')
    }
    if (--this.#entered === 0) this.#complete()
  }

  /** Runs `work` on `queue` once the group is empty; at once if it is. */
  notify(queue: WorkQueue, work: Work): void {
    if (this.#entered === 0) queue.async(work)
    else this.#notifications.push({ queue, work })
  }

  /** Settles when the group is empty. */
  wait(): Promise<void> {
    if (this.#entered === 0) return Promise.resolve()
    return new Promise(resolve => this.#waiters.push(resolve))
  }

  /** Settles with true when the group is empty, with false after `timeoutMs` of the root's clock. */
  waitWithin(timeoutMs: number, root: RootQueue): Promise<boolean> {
    if (this.#entered === 0) return Promise.resolve(true)
    return new Promise(resolve => {
      const waiter = () => {
        root.cancelTimer(deadline)
        resolve(true)
      }
      const deadline = new GroupDeadline(() => {
        this.#waiters = this.#waiters.filter(other => other !== waiter)
        resolve(false)
      })
      root.setTimer(deadline, root.executor.clock.now() + timeoutMs)
      this.#waiters.push(waiter)
    })
  }

  #complete(): void {
    const notifications = this.#notifications
    const waiters = this.#waiters
    this.#notifications = []
    this.#waiters = []
    for (const { queue, work } of notifications) queue.async(work)
    for (const waiter of waiters) waiter()
  }
}
