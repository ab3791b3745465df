/**
 * What a queue runs. Work that returns a promise is in flight until the promise settles: a serial queue waits for it.
 */
export type Work<R = unknown> = () => R

/** A queue that takes work. */
export interface WorkQueue {
  /** Runs `work` later, behind the waiting work. */
  async(work: Work): void
}
