import { AddonError } from './addon-error.js'
import { items, requireDispatch } from './lane.js'
import { DispatchQueue, HANDLE } from './queue.js'

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
    this.enter()
    queue.async(() => {
      try {
        work()
      } finally {
        this.leave()
      }
    })
  }

  notify(queue, work) {
    if (!queue.runsJavaScript) throw new AddonError('QUEUE_WRONG', `queue ${queue.label} has no lane for JavaScript`)
    this.#native.groupNotify(this.#group, queue.handle(HANDLE), items.add(work))
  }

  wait() {
    return new Promise(resolve => this.notify(DispatchQueue.lane, resolve))
  }
}
