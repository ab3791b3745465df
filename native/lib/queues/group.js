import { AddonError } from '../glue/addon-error.js'
import { expectFunction } from '../glue/argument.js'
import { items, requireDispatch } from '../threads/lane.js'
import { DispatchQueue, expectQueue, handleOf, stateOf } from './queue.js'
import { itemOf } from './work.js'

/** dispatch_group_t of this lane. See index.d.ts. */
export class DispatchGroup {
  #native = requireDispatch()
  #group = this.#native.groupCreate()
  /** Callers that wait for the group to become empty. */
  #waiters

  get size() {
    return this.#native.groupSize(this.#group)
  }

  enter() {
    this.#native.groupEnter(this.#group)
  }

  leave() {
    const left = this.#native.groupLeave(this.#group)
    if (left < 0) throw new AddonError('GROUP_UNBALANCED', 'expected a leave for each enter, got one more')
    // Work that enters from now on belongs to later waiters.
    if (left === 0) this.#waiters = undefined
  }

  notify(queue, work) {
    expectQueue('the queue', queue)
    expectFunction('work', work)
    if (!queue.runsJavaScript) throw new AddonError('QUEUE_WRONG', `queue ${queue.label} has no lane for JavaScript`)
    this.#native.groupNotify(this.#group, handleOf(queue), items.add(itemOf(stateOf(queue), work)))
  }

  wait() {
    return new Promise(resolve => this.#await(resolve))
  }

  waitWithin(timeoutMs, root) {
    expectQueue('the root', root)
    return new Promise(resolve => {
      const cancel = root.after(timeoutMs, () => {
        forget()
        resolve(false)
      })
      const forget = this.#await(() => {
        cancel()
        resolve(true)
      })
    })
  }

  /** One notification of libdispatch serves all waiters. A waiter that has timed out is removed. */
  #await(settle) {
    if (this.#waiters === undefined) {
      const waiters = new Set()
      this.notify(DispatchQueue.main, () => {
        if (this.#waiters === waiters) this.#waiters = undefined
        for (const waiter of waiters) waiter()
      })
      this.#waiters = waiters
    }
    const waiters = this.#waiters
    waiters.add(settle)
    return () => waiters.delete(settle)
  }
}
