import type { ComputePool } from 'spimpl-runtime/compute-pool'
import type { Result } from '../../src/errors.ts'
import type { ContentSummary } from '../../src/history/content/content.ts'
import { type ValidationJob, validationTask } from '../../src/history/validation/validation-task.ts'

/** Validates content that would hold up the event loop: anything above 32 KiB. Rejects if the job could not be run. */
export type ValidateContent = (job: ValidationJob) => Promise<Result<ContentSummary>>

/** Validation on the threads of a pool. */
export const onPool =
  (pool: Pick<ComputePool, 'run'>): ValidateContent =>
  job =>
    pool.run(validationTask, job)

/** A pool of the node's own. Its module is loaded, and its threads start, with the first job. */
export class ValidationThreads {
  #pool: Promise<ComputePool> | undefined

  readonly validate: ValidateContent = async job => {
    this.#pool ??= import('spimpl-runtime/compute-pool').then(({ ComputePool }) => new ComputePool())
    return onPool(await this.#pool)(job)
  }

  async close(): Promise<void> {
    await (await this.#pool)?.close()
  }
}
