// This JavaScript thread as a lane: what the addon calls here goes through one entry function, and what it should find
// again is kept here under a number.
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

/** A table whose numbers are used again, so that it does not grow with the work that went through it. */
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

/** Functions that wait on a queue. */
export const items = new Numbered()
/** Sources, by what answers them: `{ fired(data), cancelled() }`. */
export const sources = new Numbered()
/** Native jobs, by what answers them; must not throw. */
export const jobs = new Numbered()
/** Listeners of queues that other lanes reach, by the queue's own id: `{ queue, onMessages(batch) }`. */
export const listeners = new Map()
/** Network path monitors, by what answers them. */
export const monitors = new Numbered()
/** Connections, by what answers them. */
export const connections = new Numbered()

/** Values of queue-specific data, until libdispatch says that their queue keeps them no longer. */
export const specificValues = new Numbered()

/** The ids of jobs that are done, as native code writes them before it calls; more come in several calls. */
const answers = new Uint32Array(256)

/** Whether a function of a queue runs just now. What it awaited runs on no queue, although its item has not ended yet. */
export const execution = { running: false }

/** Throws on a stack of its own, where it is an uncaught exception. */
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

/** A promise that work returns holds the queue, and those that it targets, until it settles. */
function holdFor(result) {
  if (!isPromise(result)) return
  const hold = native.holdRunning()
  const release = () => native.releaseHold(hold)
  // A foreign thenable may throw, or call back twice; a promise is passed through as it is.
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

/** Runs what this lane's root queue has now, instead of when the event loop polls next. */
export function drainLane() {
  native?.drainLane()
}
