// What an item of a queue runs: the user's function, and what follows when it is done.
import { isPromise, throwUncaught } from '../threads/lane.js'

/**
 * What a queue shares with its items. It holds no reference to the queue, because a queue that its user has lost must be
 * collected although items wait: libdispatch then resumes it.
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

  /** Whatever `onError` does, the thread goes on: what it throws is uncaught. */
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
 * The function of an item that has more to it than work. A promise that it returns has settled when the work, and all that
 * follows from it, is done.
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
