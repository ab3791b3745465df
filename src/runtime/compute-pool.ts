import { availableParallelism } from 'node:os'
import { move, Piscina } from 'piscina'
import { SpimplError } from '../errors.ts'

/** A stateless function of a module, by name: it runs on whatever thread is free, so it may not rely on an earlier call. */
export interface ComputeTask<Input, Output> {
  /** URL of the module (`import.meta.url`, or `new URL('./file.js', import.meta.url)`). */
  readonly module: string | URL
  /** The name under which the module exports the function. */
  readonly name: string
  /** Only for the compiler: what goes in and out. */
  readonly types?: (input: Input) => Output
}

export interface ComputePoolOptions {
  /** Default: one less than the processors, at least one. */
  readonly threads?: number
  /** How many tasks may wait for a thread; the next is refused with `POOL_FULL`. Default 256. */
  readonly maxQueued?: number
  /** A thread without work ends after this time. Default 30,000. */
  readonly idleTimeoutMs?: number
}

export interface ComputeOptions {
  /** Aborting takes a waiting task out of the queue, and ends the thread of one that runs; another thread takes its place. */
  readonly signal?: AbortSignal
  /** Counts from the call, time in the queue included. */
  readonly timeoutMs?: number
  /** Buffers of the input that change owner and are not copied. */
  readonly transfer?: readonly ArrayBuffer[]
}

/** The result of a task whose buffers change owner on the way back. Call it in the task: `return moved(bytes)`. */
export function moved<T extends ArrayBuffer | ArrayBufferView>(value: T): T {
  // Piscina recognizes the wrapper and hands over what it wraps.
  return move(value as never) as unknown as T
}

/**
 * Threads for stateless CPU work (signature batches, trie roots, hashing). Bounded: who gives it more than it can queue is
 * refused, and `room()` says when to go on.
 *
 * @example
 * const pool = new ComputePool({ threads: 2 })
 * const root = await pool.run<Uint8Array, Uint8Array>({ module: url, name: 'trieRoot' }, body, { timeoutMs: 1_000 })
 */
export class ComputePool implements AsyncDisposable {
  readonly threads: number
  readonly maxQueued: number
  private readonly piscina: Piscina
  private readonly waiters: (() => void)[] = []
  private pending = 0
  private closed = false

  constructor({ threads, maxQueued = 256, idleTimeoutMs = 30_000 }: ComputePoolOptions = {}) {
    this.threads = threads ?? Math.max(availableParallelism() - 1, 1)
    this.maxQueued = maxQueued
    if (!Number.isInteger(this.threads) || this.threads < 1) {
      throw new SpimplError('CONFIG_INVALID', `expected at least one thread, got ${threads}`)
    }
    this.piscina = new Piscina({
      minThreads: 0,
      maxThreads: this.threads,
      // The bound is kept here; Piscina's own counts a task that goes straight to a thread in another way.
      maxQueue: Number.POSITIVE_INFINITY,
      idleTimeout: idleTimeoutMs,
      recordTiming: false,
    })
  }

  /** Tasks that run or wait. */
  get size(): number {
    return this.pending
  }

  /** From 0, every thread is free, over 1, none is, to the bound of the queue: how hard it is pressed. */
  get pressure(): number {
    return this.pending / this.threads
  }

  get full(): boolean {
    return this.pending >= this.threads + this.maxQueued
  }

  /** Settles when a task would be taken, in the order of the calls. */
  room(): Promise<void> {
    if (!this.full || this.closed) return Promise.resolve()
    return new Promise(resolve => this.waiters.push(resolve))
  }

  /**
   * Runs a task on a free thread.
   * @throws SpimplError `POOL_FULL`, `POOL_CLOSED`, `TASK_TIMEOUT`, `TASK_ABORTED`; and whatever the task throws
   */
  async run<Input, Output>(
    task: ComputeTask<Input, Output>,
    input: Input,
    { signal, timeoutMs, transfer }: ComputeOptions = {},
  ): Promise<Output> {
    if (this.closed) throw new SpimplError('POOL_CLOSED', `expected an open pool for ${task.name}, it is closed`)
    if (signal?.aborted === true) throw aborted(task.name, signal)
    if (this.full) {
      throw new SpimplError(
        'POOL_FULL',
        `expected at most ${this.maxQueued} waiting tasks, ${task.name} would be one more`,
      )
    }
    this.pending++
    const cancel = new AbortController()
    const onAbort = () => cancel.abort(aborted(task.name, signal!))
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            cancel.abort(
              new SpimplError('TASK_TIMEOUT', `expected ${task.name} to end within ${timeoutMs} ms, it did not`),
            )
          }, timeoutMs)
    try {
      const { module, name } = task
      const filename = String(module)
      return (await this.piscina.run(input, {
        filename,
        name,
        signal: cancel.signal,
        ...(transfer === undefined ? {} : { transferList: [...transfer] }),
      })) as Output
    } catch (error) {
      if (cancel.signal.aborted) throw cancel.signal.reason
      if (this.closed)
        throw new SpimplError('POOL_CLOSED', `the pool was closed while ${task.name} ran`, { cause: error })
      throw error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      this.pending--
      if (!this.full) this.waiters.shift()?.()
    }
  }

  /** Ends every thread; tasks that run or wait reject with `POOL_CLOSED`. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.piscina.destroy()
    for (const waiter of this.waiters.splice(0)) waiter()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function aborted(name: string, signal: AbortSignal): SpimplError {
  return new SpimplError('TASK_ABORTED', `the task ${name} was aborted`, { cause: signal.reason })
}
