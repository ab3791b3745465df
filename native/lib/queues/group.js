import { AddonError } from '../glue/addon-error.js'
import { expectFunction } from '../glue/argument.js'
import { items, requireDispatch } from '../threads/lane.js'
import { DispatchQueue, expectQueue, HANDLE } from './queue.js'

/** dispatch_group_t of this lane. See index.d.ts. */
export class DispatchGroup {
  #native = requireDispatch()
  #group = this.#native.groupCreate()

  enter() {
    this.#native.groupEnter(this.#group)
  }

  leave() {
    if (this.#native.groupLeave(this.#group)) return
    throw new AddonError('GROUP_UNBALANCED', 'leave without a matching enter')
  }

  async(queue, work) {
    expectQueue('the queue', queue)
    expectFunction('work', work)
    this.enter()
    try {
      queue.async(() => {
        try {
          work()
        } finally {
          this.leave()
        }
      })
    } catch (error) {
      // A queue that refuses would leave the group entered for good.
      this.leave()
      throw error
    }
  }

  notify(queue, work) {
    expectQueue('the queue', queue)
    expectFunction('work', work)
    if (!queue.runsJavaScript) throw new AddonError('QUEUE_WRONG', `queue ${queue.label} has no lane for JavaScript`)
    this.#native.groupNotify(this.#group, queue.handle(HANDLE), items.add(work))
  }

  wait() {
    return new Promise(resolve => this.notify(DispatchQueue.lane, resolve))
  }
}
