import { Worker } from 'node:worker_threads'
import { AddonError } from '../glue/addon-error.js'
import { expectInteger, expectString } from '../glue/argument.js'
import { jobs, requireNative } from './lane.js'

const ANY_CPU = -1
const MOST_CPU = 2 ** 31 - 1

function traitsOf({ name, cpu, priority = 0 }) {
  expectString('a name for the thread', name, 'THREAD_INVALID')
  if (cpu !== undefined) expectInteger('the cpu', cpu, 0, MOST_CPU, 'THREAD_INVALID')
  expectInteger('the priority', priority, -20, 19, 'THREAD_INVALID')
  return [name, cpu ?? ANY_CPU, priority]
}

/** The native object behind a thread, for the other files of this package. */
export let threadOf

/** One OS thread for native jobs, in order. See index.d.ts. */
export class PinnedThread {
  #native = requireNative()
  #thread
  #stopped
  name

  static {
    threadOf = thread => thread.#thread
  }

  constructor(options) {
    const traits = traitsOf(options)
    this.name = options.name
    const thread = this.#native.threadCreate(...traits)
    if (typeof thread === 'string') throw new AddonError('THREAD_REFUSED', `the system gives no thread: ${thread}`)
    this.#thread = thread
  }

  /**
   * Applies the traits to the calling thread. A Worker calls it for the thread that runs its JavaScript.
   * @returns the traits that the system refused, or an empty string
   */
  static pinHere(options) {
    return requireNative().threadApplyHere(...traitsOf(options))
  }

  /** See index.d.ts. */
  static confine(module, options) {
    traitsOf(options)
    return ConfinedModule.start(module, options)
  }

  /** The OS thread id, as in /proc/self/task. */
  get systemId() {
    return this.#native.threadInfo(this.#thread).systemId
  }

  /** The traits (`cpu`, `priority`) that the system refused, with its reasons; empty if it granted all. */
  get refused() {
    return this.#native.threadInfo(this.#thread).refused
  }

  /** Performs the jobs that it has, then ends. Every call settles at that end. */
  stop() {
    this.#stopped ??= new Promise(resolve => {
      this.#native.threadStop(this.#thread, jobs.add(resolve))
    }).then(() => this.#native.threadJoin(this.#thread))
    return this.#stopped
  }
}

/** Puts an error together again that `portable` of confined-worker.js has taken apart. */
function failureOf({ error, code }) {
  // A DOMException that crossed intact, as on newer Node, has its code, which cannot be assigned.
  return !(error instanceof Error) || error.code === code ? error : Object.assign(error, { code })
}

/** A module whose functions all run on one thread, from its first import to its end. */
class ConfinedModule {
  #worker
  #calls = new Map()
  #lastCall = 0
  #ended
  #failure
  /** The error for calls after the end of the thread. */
  #stopped
  refused = ''

  static async start(module, options) {
    const confined = new ConfinedModule()
    await confined.#start(String(module), options)
    return confined
  }

  #start(module, options) {
    const { name, cpu, priority, initial } = options
    this.#worker = new Worker(new URL('./confined-worker.js', import.meta.url), {
      name,
      workerData: { module, traits: { name, cpu, priority }, initial },
    })
    this.#ended = new Promise(resolve => this.#worker.once('exit', resolve))
    this.#worker.on('error', error => {
      this.#failure = error
    })
    return new Promise((resolve, reject) => {
      this.#worker.on('message', message => {
        if (message.type === 'ready') {
          this.refused = message.refused
          resolve()
        } else if (message.type === 'failed') {
          this.#failure = failureOf(message)
          reject(this.#failure)
          // Timers and handles that the module has opened would keep the thread, and the program, alive.
          void this.#worker.terminate()
        } else this.#answered(message)
      })
      void this.#ended.then(code => {
        this.#stopped = this.#failure ?? new AddonError('THREAD_STOPPED', `thread ${name} ended with code ${code}`)
        reject(this.#stopped)
        for (const call of this.#calls.values()) call.reject(this.#stopped)
        this.#calls.clear()
      })
    })
  }

  /** Calls an exported function on that thread. Arguments and result are cloned; buffers in `transfer` move instead. */
  call(name, parameters = [], transfer = []) {
    // A Worker that has ended ignores messages without an error.
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped)
    return new Promise((resolve, reject) => {
      const id = ++this.#lastCall
      // Throws for a parameter that cannot be cloned, before the call is registered.
      this.#worker.postMessage({ id, name, parameters }, transfer)
      this.#calls.set(id, { resolve, reject })
    })
  }

  async stop() {
    await this.#worker.terminate()
    await this.#ended
  }

  #answered(message) {
    const call = this.#calls.get(message.id)
    this.#calls.delete(message.id)
    if (message.type === 'answer') call?.resolve(message.value)
    else call?.reject(failureOf(message))
  }
}
