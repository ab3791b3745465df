import { type Job, TASK_FAILURE, type TaskFailure } from './job.ts'

type Task = (input: unknown) => unknown
type Module = Readonly<Record<string, unknown>>

/** Modules that this thread has loaded: `import` of a loaded one still costs several turns of the event loop. */
const loaded = new Map<string, Module>()

/**
 * Runs on a thread of the pool: imports the module of a job and calls its function.
 *
 * What the task throws is returned, not thrown. So a rejection of the pool means that the thread has ended, for
 * instance by the timer of an earlier task.
 */
export default function runTask(job: Job): unknown {
  const module = loaded.get(job.module)
  if (module !== undefined) return call(module, job)
  return import(job.module).then((module: Module) => {
    loaded.set(job.module, module)
    return call(module, job)
  }, thrown)
}

function call(module: Module, { module: url, name, input }: Job): unknown {
  const task = module[name]
  if (typeof task !== 'function') {
    return { [TASK_FAILURE]: 'missing', error: `expected ${url} to export a function ${name}` } satisfies TaskFailure
  }
  try {
    const result = (task as Task)(input)
    return result instanceof Promise ? result.catch(thrown) : result
  } catch (error) {
    return thrown(error)
  }
}

const thrown = (error: unknown): TaskFailure => ({ [TASK_FAILURE]: 'thrown', error })
