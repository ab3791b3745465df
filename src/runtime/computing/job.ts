/** What a thread of the pool is given. */
export interface Job {
  /** URL of the module. */
  readonly module: string
  /** The name under which the module exports the function. */
  readonly name: string
  readonly input: unknown
}

/** A key that no result of a task has by chance. */
export const TASK_FAILURE = 'spimpl.taskFailure'

/** How a thread returns what a task threw, or that the module has no such task. */
export interface TaskFailure {
  readonly [TASK_FAILURE]: 'thrown' | 'missing'
  readonly error: unknown
}

export const isTaskFailure = (value: unknown): value is TaskFailure =>
  typeof value === 'object' && value !== null && TASK_FAILURE in value
