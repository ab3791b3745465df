// This JavaScript thread as a lane. All calls from the addon arrive at one entry function; the functions and objects
// that they refer to are kept here by number.
import { AddonError } from '../glue/addon-error.js'
import { binding } from '../glue/binding.js'

const { native } = binding

// The numbers of `Arrival` in src/threads/lane.h.
const ITEM = 0
const MESSAGES = 1
const SOURCE = 2
const CANCELLED = 3
const JOBS = 4
const PATH = 5
const CONNECTION = 6
const FORGOTTEN = 7

/** A table that reuses its numbers, so that it grows only with the entries that are there at one time. */
class Numbered {
  #values = []
  #free = []

  add(value) {
    const id = this.#free.pop() ?? this.#values.length
    this.#values[id] = value
    return id
  }

  get(id) {
    return this.#values[id]
  }

  take(id) {
    const value = this.#values[id]
    if (value === undefined) return undefined
    this.#values[id] = undefined
    this.#free.push(id)
    return value
  }
}

/** Functions of items that wait on a queue. */
export const items = new Numbered()
/** Handlers of sources: `{ fired(data), cancelled() }`. */
export const sources = new Numbered()
/** Callbacks of native jobs. They must not throw. */
export const jobs = new Numbered()
/** Queues that listen to other lanes, by their id: `{ queue, onMessages(batch) }`. */
export const listeners = new Map()
/** Handlers of network path monitors: `{ changed(path) }`. */
export const monitors = new Numbered()
/** Handlers of connections and listeners: `{ arrived(event) }`. */
export const connections = new Numbered()

/** Values of queue-specific data. libdispatch reports when a queue has dropped one. */
export const specificValues = new Numbered()

/** Native code writes the ids of finished jobs here and then calls the entry function, once for each 256 ids. */
const answers = new Uint32Array(256)

/**
 * Whether a function of a queue is on the stack. Code behind an `await` runs on no queue, although libdispatch has not
 * ended its item yet.
 */
export const execution = { running: false }

/** Throws on an empty stack, so that the error is an uncaught exception. */
export function throwUncaught(error) {
  queueMicrotask(() => {
    throw error
  })
}

function runOnQueue(work, argument) {
  execution.running = true
  try {
    return work(argument)
  } finally {
    execution.running = false
  }
}

export function isPromise(value) {
  return typeof value === 'object' && value !== null && typeof value.then === 'function'
}

/** A promise that work returns holds the queue and its targets until it settles. */
function holdFor(result) {
  if (!isPromise(result)) return
  const hold = native.holdRunning()
  const release = () => native.releaseHold(hold)
  // Promise.resolve guards against a foreign thenable that throws or calls back twice.
  Promise.resolve(result).then(release, error => {
    release()
    throwUncaught(error)
  })
}

function entry(kind, id, data) {
  switch (kind) {
    case ITEM:
      holdFor(runOnQueue(items.take(id)))
      break
    case MESSAGES:
      if (listeners.has(id)) runOnQueue(listeners.get(id).onMessages, data)
      break
    case SOURCE:
      if (sources.get(id) !== undefined) holdFor(runOnQueue(value => sources.get(id).fired(value), data))
      break
    case CANCELLED:
      holdFor(runOnQueue(() => sources.take(id).cancelled()))
      break
    case JOBS:
      for (let index = 0; index < id; index++) jobs.take(answers[index])?.()
      break
    case PATH:
      monitors.get(id)?.changed(data)
      break
    case CONNECTION:
      connections.get(id)?.arrived(data)
      break
    case FORGOTTEN:
      specificValues.take(id)
      break
  }
}

native?.attachEntry(entry, answers)

/** The compiled addon, or an error that says why it is not there. */
export function requireNative() {
  if (native !== undefined) return native
  throw new AddonError('ADDON_UNAVAILABLE', `the addon did not load: ${binding.reasons.join('; ')}`)
}

/** The compiled addon with libdispatch behind it, or an error that says why not. */
export function requireDispatch() {
  const found = requireNative()
  if (found.queueCreate !== undefined) return found
  const { refused } = found.dispatchInfo()
  throw new AddonError('LIBDISPATCH_UNAVAILABLE', `libdispatch was not found: ${refused.join('; ')}`)
}

/** Runs the items of this lane's root queue now, instead of after the next poll of the event loop. */
export function drainLane() {
  native?.drainLane()
}
