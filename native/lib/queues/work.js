// What an item of a queue runs: the user's function, and the steps after it.
import { isPromise, throwUncaught } from '../threads/lane.js'

/**
 * What a queue shares with its items. It does not refer to the queue: a queue that its user has lost must be collected
 * although items wait, and is then resumed.
 */
export class QueueState {
  /** Whether a barrier of the queue is on the stack. */
  runsBarrier = false
  #onError

  constructor(onError) {
    this.#onError = onError
  }

  get handlesErrors() {
    return this.#onError !== undefined
  }

  /** The thread survives an `onError` that throws: its error is reported as uncaught. */
  fail(error) {
    try {
      if (this.#onError === undefined) throwUncaught(error)
      else this.#onError(error)
    } catch (failure) {
      throwUncaught(failure)
    }
  }
}

/**
 * The function of an item with a barrier, a group, an error handler or a caller that waits. If it returns a promise,
 * the promise settles after the work and the steps after it.
 */
export function itemOf(state, work, { barrier = false, group } = {}, resolve, reject) {
  const leave = () => {
    try {
      group?.leave()
    } catch (error) {
      state.fail(error)
    }
  }
  const done = value => {
    resolve?.(value)
    leave()
  }
  const failed = error => {
    if (reject === undefined) state.fail(error)
    else reject(error)
    leave()
  }
  return () => {
    let result
    state.runsBarrier = barrier
    try {
      result = work()
    } catch (error) {
      failed(error)
      return undefined
    } finally {
      state.runsBarrier = false
    }
    // As in `holdFor` of lane.js.
    if (isPromise(result)) return Promise.resolve(result).then(done, failed)
    done(result)
    return undefined
  }
}
