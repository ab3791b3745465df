import { AddonError } from '../glue/addon-error.js'

let lastNumber = 0

/** A key of queue-specific data. See index.d.ts. */
export class QueueKey {
  name
  /** What libdispatch knows the key by; 0 is no key. */
  #number = ++lastNumber

  constructor(name) {
    this.name = String(name)
  }

  static numberOf(key) {
    if (typeof key === 'object' && key !== null && #number in key) return key.#number
    throw new AddonError('ARGUMENT_INVALID', 'expected the key to be a QueueKey')
  }
}
