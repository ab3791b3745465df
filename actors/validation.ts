import type { Ref, ReplyTo } from 'spimpl-runtime'
import { behavior } from 'spimpl-runtime'
import { type Result, refused, SpimplError } from '../src/errors.ts'
import type { ContentSummary } from '../src/history/content/content.ts'
import { contentIdsOfBlock } from '../src/history/content/content-id.ts'
import type { HeaderSource } from '../src/history/headers/header-source.ts'
import type { ValidationInput, ValidationOutput } from '../src/history/messages.ts'
import { Validation } from '../src/history/validation/validation.ts'
import type { ValidationJob } from '../src/history/validation/validation-task.ts'
import { driveCore, Pending, type Timeout } from './core-driver.ts'
import type { StorageMessage } from './storage.ts'

/** The answer to a `ValidationRequest` with this `ref`. */
export interface Verdict {
  readonly type: 'verdict'
  readonly ref: number
  /** What a valid item holds is a matter of its sub-network. */
  readonly result: Result<unknown>
}

/** Asks whether content is valid: all that a sub-network sends to its validation. */
export interface ValidationRequest {
  readonly type: 'validate'
  readonly ref: number
  readonly key: Uint8Array
  readonly bytes: Uint8Array
  readonly client: Ref<Verdict>
}

/** What validation is asked: whether content is what its key names. */
export type ValidationMessage =
  | Timeout
  | ValidationRequest
  | {
      readonly type: 'check'
      readonly key: Uint8Array
      readonly bytes: Uint8Array
      readonly replyTo: ReplyTo<Result<ContentSummary>>
    }
  /** What the actor hears from the header source and the compute pool. */
  | Extract<ValidationInput, { readonly type: 'header-arrived' | 'header-failed' | 'computed' | 'compute-failed' }>
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<ReturnType<Validation['snapshot']>> }

export interface ValidationOptions {
  readonly headers: HeaderSource
  /** Is told what it must not serve any more. */
  readonly storage: Ref<StorageMessage>
  /** Runs `validateInWorker` off this thread. Rejects where it could not be run. */
  readonly compute: (job: ValidationJob) => Promise<Result<ContentSummary>>
}

/** Owns the headers that were seen and what waits to be judged. */
export function validation(options: ValidationOptions) {
  return behavior<ValidationMessage>(context => {
    const { headers, storage, compute } = options
    const { self } = context
    const core = new Validation()
    const waiting = new Pending<(result: Result<ContentSummary>) => void>()

    const carry = (output: ValidationOutput): void => {
      switch (output.type) {
        case 'verdict':
          waiting.take(output.ref)?.(output.result)
          break
        case 'block-replaced':
          storage.tell({ type: 'discard', contentIds: contentIdsOfBlock(output.number) })
          break
        case 'want-header': {
          const { number, doubted } = output
          headers.headerByNumber(number, undefined, doubted).then(answer => {
            if (answer.ok) self.tell({ type: 'header-arrived', number, header: answer.value })
            else self.tell({ type: 'header-failed', number, detail: answer.detail })
          })
          break
        }
        case 'compute': {
          const { ref } = output
          compute(output.job).then(
            result => self.tell({ type: 'computed', ref, result }),
            (error: unknown) =>
              self.tell({
                type: 'compute-failed',
                ref,
                detail: error instanceof SpimplError ? error.message : String(error),
              }),
          )
        }
      }
    }
    context.onStop(() => {
      const stopped = refused('ACTOR_STOPPED', `${context.path} stopped before the verdict`)
      for (const settle of waiting.takeAll()) settle(stopped)
    })
    const feed = driveCore<ValidationInput, ValidationOutput, ValidationMessage>(context, core, carry)

    return {
      timeout: feed,
      'header-arrived': feed,
      'header-failed': feed,
      computed: feed,
      'compute-failed': feed,
      validate: ({ ref, key, bytes, client }) => {
        const settled = (result: Result<ContentSummary>): void => {
          client.tell({ type: 'verdict', ref, result })
        }
        feed({ type: 'validate', ref: waiting.add(settled), key, bytes })
      },
      check: ({ key, bytes, replyTo }) => {
        feed({ type: 'validate', ref: waiting.add(result => replyTo.tell(result)), key, bytes })
      },
      snapshot: ({ replyTo }) => {
        replyTo.tell(core.snapshot())
      },
    }
  })
}
