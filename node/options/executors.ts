import { EventLoopExecutor, type Executor, SpimplError } from 'spimpl-runtime'

/** `auto` is libdispatch where this machine has one, and the event loop elsewhere. */
export type ExecutorName = 'auto' | 'event-loop' | 'dispatch'

/** What runs the queues of every system of this process. */
export interface ExecutorChoice {
  readonly name: Executor['name']
  /** Each system has its own: it drains a root queue of its own, which system tools show under this label. */
  readonly make: (label: string) => Executor
  /** Why `auto` is the event loop. */
  readonly notice: string | undefined
}

/**
 * The executor for a name. Without libdispatch, `auto` is the event loop, and `notice` says why.
 *
 * @throws SpimplError `EXECUTOR_UNAVAILABLE` for `dispatch` without libdispatch
 */
export async function chooseExecutor(name: ExecutorName): Promise<ExecutorChoice> {
  const eventLoop = (obstacle?: string): ExecutorChoice => {
    if (name === 'dispatch') {
      throw new SpimplError('EXECUTOR_UNAVAILABLE', `executor: expected a libdispatch for dispatch: ${obstacle}`)
    }
    const notice = obstacle === undefined ? undefined : `the event-loop executor is used: ${obstacle}`
    return { name: 'event-loop', make: () => new EventLoopExecutor(), notice }
  }
  if (name === 'event-loop') return eventLoop()
  const door = await withAddon(import('spimpl-runtime/dispatch'))
  if (door === undefined) return eventLoop('the package node-dispatch-addon is not installed')
  const { DispatchExecutor } = door
  const obstacle = DispatchExecutor.obstacle()
  if (obstacle !== undefined) return eventLoop(obstacle)
  return { name: 'dispatch', make: label => new DispatchExecutor({ label }), notice: undefined }
}

/** A module that imports node-dispatch-addon, an optional dependency; undefined if that is not installed. */
export async function withAddon<Module>(loading: Promise<Module>): Promise<Module | undefined> {
  try {
    return await loading
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes('node-dispatch-addon')) return undefined
    throw error
  }
}
