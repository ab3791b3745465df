import { behavior, type Ref, type ReplyTo } from 'spimpl-runtime'
import { PendingCalls } from 'spimpl-runtime/core'
import { type ErrorCode, type Result, SpimplError } from '../src/errors.ts'
import type { ContentSummary } from '../src/history/content/content.ts'
import { contentIdsOfBlock } from '../src/history/content/content-id.ts'
import type { HeaderSource } from '../src/history/headers/header-source.ts'
import type { ValidationInput, ValidationOutput } from '../src/history/messages.ts'
import { blamesContent, Validation } from '../src/history/validation/validation.ts'
import type { ValidationJob } from '../src/history/validation/validation-task.ts'
import { driveCore, type Timeout } from './core-driver.ts'
import type { StorageMessage } from './storage.ts'

/** The answer to a `ValidationRequest` with this `ref`. */
export type Verdict =
  | { readonly type: 'verdict'; readonly ref: number; readonly valid: true }
  | {
      readonly type: 'verdict'
      readonly ref: number
      readonly valid: false
      readonly code: ErrorCode
      /** The content is not what its key names: its sender lied. False if it could not be judged. */
      readonly blamesContent: boolean
    }

/** Asks whether content is valid: all that a sub-network sends to its validation. */
export interface ValidationRequest {
  readonly type: 'validate'
  readonly ref: number
  readonly key: Uint8Array
  readonly bytes: Uint8Array
  readonly client: Ref<Verdict>
}

/** What the validation of history takes. A sub-network sends it `ValidationRequest` only. */
export type ValidationMessage =
  | Timeout
  | ValidationRequest
  | {
      readonly type: 'check'
      readonly key: Uint8Array
      readonly bytes: Uint8Array
      readonly replyTo: ReplyTo<Result<ContentSummary>>
    }
  /** From the header source and the compute pool. */
  | Extract<ValidationInput, { readonly type: 'header-arrived' | 'header-failed' | 'computed' | 'compute-failed' }>
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<ReturnType<Validation['snapshot']>> }

export interface ValidationOptions {
  readonly headers: HeaderSource
  /** Discards the content of blocks that a reorganization has replaced. */
  readonly storage: Ref<StorageMessage>
  /** Runs `validateInWorker` on another thread. Rejects if that is not possible. */
  readonly compute: (job: ValidationJob) => Promise<Result<ContentSummary>>
}

/** What is done with the result of one validation, or with its absence. */
interface Waiter {
  settle(result: Result<ContentSummary>): void
  stopped(): void
}

/** Owns the header cache and the content that waits for its verdict. */
export function validation(options: ValidationOptions) {
  return behavior<ValidationMessage>(context => {
    const { headers, storage, compute } = options
    const { self } = context
    const core = new Validation()
    /** The core bounds them (`pendingItems` of its limits). */
    const waiters = new PendingCalls<Waiter>(Number.POSITIVE_INFINITY)

    const carry = (output: ValidationOutput): void => {
      switch (output.type) {
        case 'verdict':
          waiters.take(output.ref)?.settle(output.result)
          break
        case 'block-replaced':
          storage.tell({ type: 'discard', contentIds: contentIdsOfBlock(output.number) })
          break
        case 'want-header':
          fetchHeader(output)
          break
        case 'compute':
          runJob(output)
      }
    }
    const feed = driveCore<ValidationInput, ValidationOutput, ValidationMessage>(context, core, carry)

    const fetchHeader = ({ number, doubted }: Extract<ValidationOutput, { readonly type: 'want-header' }>): void => {
      headers.headerByNumber(number, undefined, doubted).then(answer => {
        if (answer.ok) self.tell({ type: 'header-arrived', number, header: answer.value })
        else self.tell({ type: 'header-failed', number, detail: answer.detail })
      })
    }

    const runJob = ({ ref, job }: Extract<ValidationOutput, { readonly type: 'compute' }>): void => {
      compute(job).then(
        result => self.tell({ type: 'computed', ref, result }),
        (error: unknown) => {
          const detail = error instanceof SpimplError ? error.message : String(error)
          self.tell({ type: 'compute-failed', ref, detail })
        },
      )
    }

    context.onStop(() => {
      for (const waiter of waiters.takeAll()) waiter.stopped()
    })

    return {
      timeout: feed,
      'header-arrived': feed,
      'header-failed': feed,
      computed: feed,
      'compute-failed': feed,
      validate: ({ ref, key, bytes, client }) => {
        const refuse = (code: ErrorCode, blamesContent: boolean): void => {
          client.tell({ type: 'verdict', ref, valid: false, code, blamesContent })
        }
        const waiter: Waiter = {
          settle: result => {
            if (result.ok) client.tell({ type: 'verdict', ref, valid: true })
            else refuse(result.code, blamesContent(result.code))
          },
          stopped: () => refuse('ACTOR_STOPPED', false),
        }
        feed({ type: 'validate', ref: waiters.add(waiter), key, bytes })
      },
      check: ({ key, bytes, replyTo }) => {
        const waiter: Waiter = {
          settle: result => replyTo.tell(result),
          stopped: () => replyTo.fail(new SpimplError('ACTOR_STOPPED', `${context.path} stopped before the verdict`)),
        }
        feed({ type: 'validate', ref: waiters.add(waiter), key, bytes })
      },
      snapshot: ({ replyTo }) => {
        replyTo.tell(core.snapshot())
      },
    }
  })
}
