import { Piscina } from 'piscina'
import { SpimplError } from '../errors.ts'
import { isTaskFailure, type Job, TASK_FAILURE } from './job.ts'

/** One job on a thread. */
export interface RunningJob {
  readonly job: Job
  readonly transfer: readonly ArrayBuffer[] | undefined
  /** Aborting it ends the thread of the job; its reason is the failure of the job. */
  readonly cancel: AbortController
}

/**
 * The threads of a pool, on piscina. It is given at most as many jobs as it has threads: piscina's own queue is not
 * first in, first out, and after the death of its last thread it starts another one only for a new job.
 */
export class TaskThreads {
  readonly #piscina: Piscina
  readonly #running = new Set<RunningJob>()

  constructor(threads: number, idleTimeoutMs: number) {
    this.#piscina = new Piscina({
      filename: new URL('./task-runner.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
      maxQueue: Number.POSITIVE_INFINITY,
      idleTimeout: idleTimeoutMs,
      recordTiming: false,
    })
    this.#piscina.on('error', (cause: unknown) => this.#onThreadFailed(cause))
  }

  get running(): number {
    return this.#running.size
  }

  /**
   * @throws what the task throws; SpimplError `THREAD_DIED`, `MESSAGE_NOT_CLONEABLE`, `CONFIG_INVALID` for a missing
   * function, or the reason of `cancel`
   */
  async run(running: RunningJob): Promise<unknown> {
    this.#running.add(running)
    try {
      return await this.#attempt(running)
    } catch (error) {
      // The timer of a finished task can end the thread of this one, which is not to blame: it is tried once more.
      if (!isWorthRepeating(error, running)) throw error
      return await this.#attempt(running)
    } finally {
      this.#running.delete(running)
    }
  }

  async close(): Promise<void> {
    await this.#piscina.destroy()
  }

  async #attempt({ job, transfer, cancel }: RunningJob): Promise<unknown> {
    const { name } = job
    const { signal } = cancel
    let result: unknown
    try {
      const transferList = transfer === undefined ? {} : { transferList: [...transfer] }
      result = await this.#piscina.run(job, { signal, ...transferList })
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      throw isOfCloning(cause) ? notCloneable(name, cause) : threadDied(name, cause)
    }
    if (!isTaskFailure(result)) return result
    throw result[TASK_FAILURE] === 'thrown' ? result.error : new SpimplError('CONFIG_INVALID', String(result.error))
  }

  /** A thread could not start (no descriptors, no memory). Living threads take its job; if there is none, jobs fail. */
  #onThreadFailed(cause: unknown): void {
    if (this.#piscina.threads.length > 0) return
    for (const { job, cancel } of this.#running) cancel.abort(threadDied(job.name, cause))
  }
}

function isWorthRepeating(error: unknown, { transfer, cancel }: RunningJob): boolean {
  if (!(error instanceof SpimplError) || error.code !== 'THREAD_DIED') return false
  const { code } = (error.cause ?? {}) as { readonly code?: unknown }
  const isOutOfMemory = typeof code === 'string' && code.startsWith('ERR_WORKER')
  return !isOutOfMemory && (transfer === undefined || transfer.length === 0) && !cancel.signal.aborted
}

function threadDied(name: string, cause: unknown): SpimplError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new SpimplError('THREAD_DIED', `expected a thread that runs ${name} to its end, it died: ${why}`, { cause })
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
  const expected = `expected plain data as the input and the result of ${name}`
  return new SpimplError('MESSAGE_NOT_CLONEABLE', expected, { cause })
}
