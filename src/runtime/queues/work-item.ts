import type { DispatchGroup } from './dispatch-group.ts'

/** What a queue runs. One that returns a promise is in flight until it settles: a serial queue waits for it. */
export type Work<R = unknown> = () => R

/** What `async` is told beside the work. */
export interface WorkOptions {
  /** On a concurrent queue: runs alone, behind all that came before, before all that comes after. */
  readonly barrier?: boolean
  /** Entered now, left when the work is done. */
  readonly group?: DispatchGroup
}

/** Work with something to it: a barrier, a group, or somebody who waits for its value. */
export class WorkItem {
  readonly work: Work
  readonly barrier: boolean
  readonly group: DispatchGroup | undefined
  readonly resolve: ((value: unknown) => void) | undefined
  readonly reject: ((error: unknown) => void) | undefined

  constructor(
    work: Work,
    { barrier = false, group }: WorkOptions,
    resolve?: (value: unknown) => void,
    reject?: (error: unknown) => void,
  ) {
    this.work = work
    this.barrier = barrier
    this.group = group
    this.resolve = resolve
    this.reject = reject
  }
}
