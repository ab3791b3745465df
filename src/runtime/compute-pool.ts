import { availableParallelism } from 'node:os'
import { move, Piscina } from 'piscina'
import { SpimplError } from './errors.ts'
import { onAbort } from './references/abort-listeners.ts'

/**
 * A stateless function of a module, by name: it runs on whatever thread is free, so it may not rely on an earlier call.
 */
export interface ComputeTask<Input, Output> {
  /** URL of the module (`import.meta.url`, or `new URL('./file.js', import.meta.url)`). */
  readonly module: string | URL
  /** The name under which the module exports the function. */
  readonly name: string
  /** Only for the compiler: input and output. */
  readonly types?: (input: Input) => Output
}

/** The size of a pool. */
export interface ComputePoolOptions {
  /** Default: one less than the processors, at least one. */
  readonly threads?: number
  /** How many tasks may wait for a thread; the next is refused with `POOL_FULL`. Default 256. */
  readonly maxQueued?: number
  /** A thread without work ends after this time. Default 30,000. */
  readonly idleTimeoutMs?: number
}

/** How one task waits, ends and hands over its buffers. */
export interface ComputeOptions {
  /**
   * Aborting takes a waiting task out of the queue, and ends the thread of one that runs; another thread takes its
   * place.
   */
  readonly signal?: AbortSignal
  /** The limit from the call on, time in the queue included. Default, and `Infinity`: no limit. */
  readonly timeoutMs?: number
  /** Waits for room, in the order of the calls, instead of being refused. Default false. */
  readonly wait?: boolean
  /** Buffers of the input that change owner instead of being copied. */
  readonly transfer?: readonly ArrayBuffer[]
}

/** The longest delay that Node accepts. */
const LONGEST_MS = 0x7fff_ffff

/** A call that waits for room. */
interface Place {
  take(): void
  refuse(error: SpimplError): void
}

/** The whole result of a task, which changes owner on the way back and is not copied: `return moved(bytes)`. */
export function moved<T extends ArrayBuffer | ArrayBufferView>(value: T): T {
  // Piscina recognizes the wrapper and hands over what it wraps.
  return move(value as never) as unknown as T
}

/**
 * Threads for stateless CPU work (signature batches, trie roots, hashing). Bounded: a task beyond its queue
 * is refused, and `room()` says when to go on.
 *
 * @example
 * await using pool = new ComputePool({ threads: 2 })
 * const root = await pool.run<Uint8Array, Uint8Array>({ module: url, name: 'trieRoot' }, body, { timeoutMs: 20_000 })
 */
export class ComputePool implements AsyncDisposable {
  readonly threads: number
  readonly maxQueued: number
  readonly #piscina: Piscina
  /** Calls that wait for room: each takes the place of a task that ends. */
  readonly #queued: Place[] = []
  readonly #watchers: (() => void)[] = []
  #pending = 0
  #closed = false

  constructor({ threads, maxQueued = 256, idleTimeoutMs = 30_000 }: ComputePoolOptions = {}) {
    this.threads = threads ?? Math.max(availableParallelism() - 1, 1)
    this.maxQueued = maxQueued
    if (!Number.isInteger(this.threads) || this.threads < 1) {
      throw new SpimplError('CONFIG_INVALID', `expected at least one thread, got ${threads}`)
    }
    if (!(maxQueued >= 0)) throw new SpimplError('CONFIG_INVALID', `expected maxQueued from 0 on, got ${maxQueued}`)
    this.#piscina = new Piscina({
      minThreads: 0,
      maxThreads: this.threads,
      // The bound is kept here, because Piscina's own bound counts a task that goes straight to a thread differently.
      maxQueue: Number.POSITIVE_INFINITY,
      idleTimeout: idleTimeoutMs,
      recordTiming: false,
    })
  }

  /** Running and waiting tasks. */
  get size(): number {
    return this.#pending
  }

  /** The load: 0 if every thread is free, 1 if none is, more while tasks wait. */
  get pressure(): number {
    return this.#pending / this.threads
  }

  get full(): boolean {
    return this.#pending >= this.threads + this.maxQueued
  }

  /** Calls that wait for room. */
  get waiting(): number {
    return this.#queued.length
  }

  /** Settles when there is room, which any other call may take first. To reserve a place, `run` with `wait`. */
  room(): Promise<void> {
    if (!this.full || this.#closed) return Promise.resolve()
    return new Promise(resolve => this.#watchers.push(resolve))
  }

  /**
   * Runs a task on a free thread.
   * @throws SpimplError `POOL_FULL`, `POOL_CLOSED`, `TASK_TIMEOUT`, `TASK_ABORTED`, `MESSAGE_NOT_CLONEABLE` of what
   * goes in or comes out, `CONFIG_INVALID`; and whatever the task throws
   */
  async run<Input, Output>(
    task: ComputeTask<Input, Output>,
    input: Input,
    { signal, timeoutMs, transfer, wait = false }: ComputeOptions = {},
  ): Promise<Output> {
    const { name } = task
    if (this.#closed) throw closed(name)
    if (Number.isNaN(timeoutMs)) throw new SpimplError('CONFIG_INVALID', `expected a timeoutMs for ${name}, got NaN`)
    if (signal?.aborted === true) throw aborted(name, signal)
    if (this.full && !wait) {
      throw new SpimplError('POOL_FULL', `expected at most ${this.maxQueued} waiting tasks, ${name} would be one more`)
    }
    const cancel = new AbortController()
    const ignoreSignal = signal === undefined ? undefined : onAbort(signal, () => cancel.abort(aborted(name, signal)))
    const onTimeout = () =>
      cancel.abort(new SpimplError('TASK_TIMEOUT', `expected ${name} to end within ${timeoutMs} ms, it did not`))
    const timer = (timeoutMs ?? LONGEST_MS) < LONGEST_MS ? setTimeout(onTimeout, timeoutMs) : undefined
    try {
      if (this.full) await this.#place(cancel.signal)
      else this.#pending++
      return await this.#perform<Output>(task, input, cancel.signal, transfer)
    } finally {
      clearTimeout(timer)
      ignoreSignal?.()
    }
  }

  /** Ends every thread; running and waiting tasks reject with `POOL_CLOSED`. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const place of this.#queued.splice(0)) place.refuse(closed('a task that waited'))
    await this.#piscina.destroy()
    for (const watcher of this.#watchers.splice(0)) watcher()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Runs a task in its place, then gives the place to the next waiting call. */
  async #perform<Output>(
    { module, name }: { readonly module: string | URL; readonly name: string },
    input: unknown,
    signal: AbortSignal,
    transfer: readonly ArrayBuffer[] | undefined,
  ): Promise<Output> {
    try {
      const transferList = transfer === undefined ? {} : { transferList: [...transfer] }
      return (await this.#piscina.run(input, { filename: String(module), name, signal, ...transferList })) as Output
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (this.#closed) throw closed(name, error)
      throw isOfCloning(error) ? notCloneable(name, error) : error
    } finally {
      const next = this.#queued.shift()
      if (next === undefined) {
        this.#pending--
        // All watchers are called, because the first may no longer want the room.
        for (const watcher of this.#watchers.splice(0)) watcher()
      } else {
        next.take()
      }
    }
  }

  #place(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#queued.splice(this.#queued.indexOf(place), 1)
        reject(signal.reason)
      }
      const place: Place = {
        take: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
        refuse: error => {
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#queued.push(place)
    })
  }
}

function closed(name: string, cause?: unknown): SpimplError {
  return new SpimplError('POOL_CLOSED', `expected an open pool for ${name}, it is closed`, { cause })
}

/**
 * Node cannot clone its error about cloning either: an empty object arrives (Node 20), or an error with nothing but a
 * stack (Node 26).
 */
function isOfCloning(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  if (error instanceof Error) return error.name === 'DataCloneError' || /^DataCloneError/.test(error.stack ?? '')
  return Object.getPrototypeOf(error) === Object.prototype && Object.keys(error).length === 0
}

function notCloneable(name: string, cause: unknown): SpimplError {
  return new SpimplError('MESSAGE_NOT_CLONEABLE', `expected plain data as the input and the result of ${name}`, {
    cause,
  })
}

function aborted(name: string, signal: AbortSignal): SpimplError {
  return new SpimplError('TASK_ABORTED', `the task ${name} was aborted`, { cause: signal.reason })
}
