import type { DispatchGroup } from './dispatch-group.ts'
import type { Work } from './work.ts'

/** Properties of the work given to `async`. */
export interface WorkOptions {
  /** On a concurrent queue: runs alone, behind all earlier work, before all later work. */
  readonly barrier?: boolean
  /** Entered now, left when the work is done. */
  readonly group?: DispatchGroup
}

/** Work with properties: a barrier, a group, or a caller that waits for its value. */
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
