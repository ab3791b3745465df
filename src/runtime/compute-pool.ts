import { availableParallelism } from 'node:os'
import { move } from 'piscina'
import { FairQueue } from './computing/fair-queue.ts'
import { type RunningJob, TaskThreads } from './computing/task-threads.ts'
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
  /**
   * The class of the caller. Tasks of one share run in the order of the calls; shares take turns. Default: one share
   * for all.
   */
  readonly share?: string
}

/** The longest delay that Node accepts. */
const LONGEST_MS = 0x7fff_ffff

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
  readonly #taskThreads: TaskThreads
  readonly #queue = new FairQueue<Call>()
  /** Calls that wait for room, in their order. */
  readonly #outside: Call[] = []
  readonly #watchers: (() => void)[] = []
  #closed = false

  constructor({ threads, maxQueued = 256, idleTimeoutMs = 30_000 }: ComputePoolOptions = {}) {
    this.threads = threads ?? Math.max(availableParallelism() - 1, 1)
    this.maxQueued = maxQueued
    if (!Number.isInteger(this.threads) || this.threads < 1) {
      throw new SpimplError('CONFIG_INVALID', `expected at least one thread, got ${threads}`)
    }
    if (!(maxQueued >= 0)) throw new SpimplError('CONFIG_INVALID', `expected maxQueued from 0 on, got ${maxQueued}`)
    if (!(idleTimeoutMs >= 0)) {
      throw new SpimplError('CONFIG_INVALID', `expected idleTimeoutMs from 0 on, got ${idleTimeoutMs}`)
    }
    this.#taskThreads = new TaskThreads(this.threads, idleTimeoutMs)
  }

  /** Running and waiting tasks. */
  get size(): number {
    return this.#taskThreads.running + this.#queue.size
  }

  /** The load: 0 if every thread is free, 1 if none is, more while tasks wait. */
  get pressure(): number {
    return this.size / this.threads
  }

  get full(): boolean {
    return this.size >= this.threads + this.maxQueued
  }

  /** Calls that wait for room. */
  get waiting(): number {
    return this.#outside.length
  }

  /** Settles when there is room, which any other call may take first. To reserve a place, `run` with `wait`. */
  room(): Promise<void> {
    if (!this.full || this.#closed) return Promise.resolve()
    return new Promise(resolve => this.#watchers.push(resolve))
  }

  /**
   * Runs a task on a free thread.
   * @throws SpimplError `POOL_FULL`, `POOL_CLOSED`, `TASK_TIMEOUT`, `TASK_ABORTED`, `THREAD_DIED`,
   * `MESSAGE_NOT_CLONEABLE` of what goes in or comes out, `CONFIG_INVALID`; and whatever the task throws
   */
  async run<Input, Output>(
    task: ComputeTask<Input, Output>,
    input: Input,
    { signal, timeoutMs, transfer, share = '', wait = false }: ComputeOptions = {},
  ): Promise<Output> {
    const { module, name } = task
    if (this.#closed) throw closed(name)
    if (Number.isNaN(timeoutMs)) throw new SpimplError('CONFIG_INVALID', `expected a timeoutMs for ${name}, got NaN`)
    if (signal?.aborted === true) throw aborted(name, signal)
    if (this.full && !wait) {
      throw new SpimplError('POOL_FULL', `expected at most ${this.maxQueued} waiting tasks, ${name} would be one more`)
    }
    const call = new Call({ module: String(module), name, input }, transfer, share)
    const ignoreSignal =
      signal === undefined ? undefined : onAbort(signal, () => this.#end(call, aborted(name, signal)))
    const onTimeout = () =>
      this.#end(call, new SpimplError('TASK_TIMEOUT', `expected ${name} to end within ${timeoutMs} ms, it did not`))
    const timer = (timeoutMs ?? LONGEST_MS) < LONGEST_MS ? setTimeout(onTimeout, timeoutMs) : undefined
    if (this.full) this.#outside.push(call)
    else this.#queue.push(call)
    this.#startNext()
    try {
      return (await call.result) as Output
    } finally {
      clearTimeout(timer)
      ignoreSignal?.()
    }
  }

  /** Ends every thread; running and waiting tasks reject with `POOL_CLOSED`. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const waiting = this.#outside.splice(0)
    for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) waiting.push(call)
    for (const call of waiting) call.reject(closed(call.job.name))
    await this.#taskThreads.close()
    for (const watcher of this.#watchers.splice(0)) watcher()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Gives free threads the next calls, and free places of the queue to the calls outside. */
  #startNext(): void {
    for (;;) {
      while (!this.full && this.#outside.length > 0) this.#queue.push(this.#outside.shift()!)
      if (this.#taskThreads.running >= this.threads) return
      const call = this.#queue.shift()
      if (call === undefined) return
      void this.#start(call)
    }
  }

  async #start(call: Call): Promise<void> {
    const { name } = call.job
    try {
      call.resolve(await this.#taskThreads.run(call))
    } catch (error) {
      call.reject(this.#closed && !call.cancel.signal.aborted ? closed(name, error) : error)
    }
    if (this.#closed) return
    this.#startNext()
    // All watchers are called, because the first may no longer want the room.
    if (!this.full) for (const watcher of this.#watchers.splice(0)) watcher()
  }

  /** Ends a call before its result: a waiting call leaves the queue, a running one loses its thread. */
  #end(call: Call, error: SpimplError): void {
    const index = this.#outside.indexOf(call)
    if (index >= 0) this.#outside.splice(index, 1)
    if (index >= 0 || this.#queue.remove(call)) {
      call.reject(error)
      this.#startNext()
    } else call.cancel.abort(error)
  }
}

/** One call of `run`, from its place in the queue to its result. */
class Call implements RunningJob {
  readonly job: RunningJob['job']
  readonly transfer: RunningJob['transfer']
  readonly share: string
  readonly cancel = new AbortController()
  readonly result: Promise<unknown>
  resolve: (value: unknown) => void = () => {}
  reject: (error: unknown) => void = () => {}

  constructor(job: RunningJob['job'], transfer: RunningJob['transfer'], share: string) {
    this.job = job
    this.transfer = transfer
    this.share = share
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}

function closed(name: string, cause?: unknown): SpimplError {
  return new SpimplError('POOL_CLOSED', `expected an open pool for ${name}, it is closed`, { cause })
}

function aborted(name: string, signal: AbortSignal): SpimplError {
  return new SpimplError('TASK_ABORTED', `the task ${name} was aborted`, { cause: signal.reason })
}
