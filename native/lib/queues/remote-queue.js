import { AddonError } from '../glue/addon-error.js'
import { expectInteger } from '../glue/argument.js'
import { requireDispatch } from '../threads/lane.js'

const DEFAULT_CAPACITY = 65_536
const MOST_CAPACITY = 2 ** 32 - 1

/** A queue of another lane, as a place to send bytes to. See index.d.ts. */
export class RemoteQueue {
  #native
  #remote
  #capacity

  constructor(port, { capacity = DEFAULT_CAPACITY } = {}) {
    this.#native = requireDispatch()
    expectInteger('the port', port, 0, MOST_CAPACITY)
    expectInteger('the capacity', capacity, 1, MOST_CAPACITY)
    this.#remote = this.#native.remoteOpen(port)
    this.#capacity = capacity
    if (this.#remote === undefined) throw new AddonError('QUEUE_RELEASED', `no queue listens on port ${port}`)
  }

  /** Copies the bytes. Returns false if the inbox of the queue is full or the queue no longer listens. */
  send(bytes) {
    return this.#native.remoteSend(this.#remote, bytes, this.#capacity)
  }
}
