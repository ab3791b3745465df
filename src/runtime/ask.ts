import { SpimplError } from '../errors.ts'
import type { Message } from './actor.ts'
import type { AskOptions, ReplyTo } from './actor-ref.ts'
import type { DeadLetterReason, DeadLetters } from './dead-letters.ts'
import { execution, type RootQueue } from './root-queue.ts'
import { Timer } from './timer-wheel.ts'

/** Whom a question can be put to: an actor of this lane, or the reference to one of another. */
export interface AskTarget {
  readonly path: string
  readonly root: RootQueue
  readonly system: { readonly deadLetters: DeadLetters }
  offer(message: Message): unknown
}

/** One question on its way: the `replyTo` of its message and the timer of its deadline in one object. */
export class PendingAsk<R> extends Timer implements ReplyTo<R> {
  /** Whom it was put to. */
  readonly path: string
  /** @internal Called once it waits no more. */
  onSettled: (() => void) | undefined = undefined
  /** @internal The link over which its address went last: when the lane behind it dies, no answer is to be expected. */
  via: unknown = undefined
  private readonly root: RootQueue
  private readonly deadLetters: DeadLetters
  private readonly timeoutMs: number
  private readonly signal: AbortSignal | undefined
  private resolve: ((value: R) => void) | undefined = undefined
  private reject: ((error: Error) => void) | undefined = undefined

  private constructor(target: AskTarget, { timeoutMs, signal }: AskOptions) {
    super()
    this.path = target.path
    this.root = target.root
    this.deadLetters = target.system.deadLetters
    this.timeoutMs = timeoutMs
    this.signal = signal
  }

  static ask<R, M extends Message>(
    target: AskTarget,
    make: (replyTo: ReplyTo<R>) => M,
    options: AskOptions,
  ): Promise<R> {
    if ((execution.current as unknown) === target) {
      return Promise.reject(
        new SpimplError(
          'ASK_SELF',
          `expected to ask another actor, ${target.path} asked itself and would wait forever`,
        ),
      )
    }
    if (options.signal?.aborted === true) return Promise.reject(aborted(target.path, options.signal))
    const pending = new PendingAsk<R>(target, options)
    return new Promise<R>((resolve, reject) => {
      pending.resolve = resolve
      pending.reject = reject
      pending.start(target, make)
    })
  }

  tell(value: R): boolean {
    const { resolve } = this
    if (resolve === undefined) {
      this.deadLetters.publish('reply-late', value, this.path)
      return false
    }
    this.settle()
    resolve(value)
    return true
  }

  fail(error: Error): boolean {
    const { reject } = this
    if (reject === undefined) return false
    this.settle()
    reject(error)
    return true
  }

  override fire(): void {
    this.fail(
      new SpimplError('ASK_TIMEOUT', `expected an answer of ${this.path} within ${this.timeoutMs} ms, got none`),
    )
  }

  private start<M extends Message>(target: AskTarget, make: (replyTo: ReplyTo<R>) => M): void {
    this.signal?.addEventListener('abort', this.onAbort, { once: true })
    if (this.timeoutMs !== Number.POSITIVE_INFINITY) {
      this.root.setTimer(this, this.root.executor.clock.now() + this.timeoutMs)
    }
    // What is not accepted becomes a dead letter, and that fails this question with its reason.
    target.offer(make(this))
  }

  private settle(): void {
    this.resolve = undefined
    this.reject = undefined
    this.onSettled?.()
    this.root.cancelTimer(this)
    this.signal?.removeEventListener('abort', this.onAbort)
  }

  private readonly onAbort = (): void => {
    this.fail(aborted(this.path, this.signal!))
  }
}

function aborted(path: string, signal: AbortSignal): SpimplError {
  return new SpimplError('ASK_ABORTED', `the question to ${path} was aborted`, { cause: signal.reason })
}

/** Tells whoever waits for an answer to `message`, on this lane or another, that none will come. */
export function failAsks(message: unknown, error: SpimplError): void {
  if (typeof message !== 'object' || message === null) return
  for (const value of Object.values(message)) if (isReplyTo(value)) value.fail(error)
}

/** Why nobody will answer a message to `path` that became a dead letter. */
export function refusalOf(reason: DeadLetterReason, path: string): SpimplError {
  if (reason === 'stopped') {
    return new SpimplError('ACTOR_STOPPED', `expected a running actor at ${path}, it has stopped`)
  }
  if (reason === 'mailbox-full' || reason === 'dropped-newest') {
    return new SpimplError('MAILBOX_FULL', `expected room in the mailbox of ${path}, it is full`)
  }
  return new SpimplError('MESSAGE_DROPPED', `a message to ${path} was dropped: ${reason}`)
}

function isReplyTo(value: unknown): value is ReplyTo<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'tell' in value &&
    'fail' in value &&
    typeof value.tell === 'function' &&
    typeof value.fail === 'function'
  )
}
