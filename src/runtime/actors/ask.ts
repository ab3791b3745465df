import { SpimplError } from '../errors.ts'
import { execution, type RootQueue } from '../queues/root-queue.ts'
import { Timer } from '../queues/timer-wheel.ts'
import type { DeadLetters } from '../watching/dead-letters.ts'
import { throwUncaught } from '../watching/uncaught.ts'
import { onAbort } from './abort-listeners.ts'
import type { Message } from './actor.ts'
import type { AskOptions, ReplyTo } from './actor-ref.ts'

/** Whom a question can be put to: an actor of this lane, or the reference to one of another. */
export interface AskTarget {
  readonly path: string
  readonly root: RootQueue
  /** It may ask itself, because it takes the next message in while a handler waits. */
  readonly reentrant?: boolean
  readonly system: { readonly deadLetters: DeadLetters }
  offer(message: Message): unknown
}

/** One question on its way: the `replyTo` of its message and the timer of its deadline in one object. */
export class PendingAsk extends Timer implements ReplyTo<unknown> {
  /** Whom it was put to. */
  readonly path: string
  /** @internal Its number among those that other lanes may answer, 0 for none. */
  exportedAs = 0
  /** @internal Called once it waits no more. */
  onSettled: (() => void) | undefined = undefined
  private readonly root: RootQueue
  private readonly deadLetters: DeadLetters
  private readonly timeoutMs: number
  private readonly signal: AbortSignal | undefined
  private ignoreSignal: (() => void) | undefined = undefined
  private resolve: ((value: never) => void) | undefined = undefined
  private reject: ((error: Error) => void) | undefined = undefined

  private constructor(target: AskTarget, { timeoutMs, signal }: AskOptions) {
    super()
    this.path = target.path
    this.root = target.root
    this.deadLetters = target.system.deadLetters
    this.timeoutMs = timeoutMs
    this.signal = signal
  }

  /** The promise is `never` because only the reference knows the type of the answer. */
  static ask(target: AskTarget, make: (replyTo: ReplyTo<unknown>) => Message, options: AskOptions): Promise<never> {
    if ((execution.current as unknown) === target && target.reentrant !== true) {
      return Promise.reject(
        new SpimplError(
          'ASK_SELF',
          `expected to ask another actor, ${target.path} asked itself and would wait forever`,
        ),
      )
    }
    if (options.signal?.aborted === true) return Promise.reject(aborted(target.path, options.signal))
    const pending = new PendingAsk(target, options)
    return new Promise<never>((resolve, reject) => {
      pending.resolve = resolve
      pending.reject = reject
      pending.start(target, make)
    })
  }

  /** Nobody has answered, and it is not too late. */
  get waits(): boolean {
    return this.resolve !== undefined
  }

  tell(value: unknown): boolean {
    const { resolve } = this
    if (resolve === undefined) {
      this.deadLetters.publish('reply-late', value, this.path)
      return false
    }
    this.settle()
    resolve(value as never)
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

  private start(target: AskTarget, make: (replyTo: ReplyTo<unknown>) => Message): void {
    // Whatever it throws rejects the promise, before anything waits.
    const message = make(this)
    if (this.timeoutMs !== Number.POSITIVE_INFINITY) {
      this.root.setTimer(this, this.root.executor.clock.now() + this.timeoutMs)
    }
    const { signal } = this
    if (signal !== undefined) this.ignoreSignal = onAbort(signal, () => this.fail(aborted(this.path, signal)))
    // What is not accepted becomes a dead letter, and that fails this question with its reason.
    try {
      target.offer(message)
    } catch (error) {
      this.fail(error as Error)
    }
  }

  private settle(): void {
    this.resolve = undefined
    this.reject = undefined
    this.onSettled?.()
    this.root.cancelTimer(this)
    this.ignoreSignal?.()
  }
}

function aborted(path: string, signal: AbortSignal): SpimplError {
  return new SpimplError('ASK_ABORTED', `the question to ${path} was aborted`, { cause: signal.reason })
}

/** The system has stopped: whoever still waits for one of its actors, which kept the question, waits no more and keeps no process. */
export function failOpenAsks(root: RootQueue): void {
  for (const timer of [...root.timers]) {
    if (!(timer instanceof PendingAsk)) continue
    timer.fail(new SpimplError('ACTOR_STOPPED', `expected an answer of ${timer.path}, its system has stopped`))
  }
}

/** Tells whoever waits for an answer to `message`, on this lane or another, that none will come. */
export function failAsks(message: unknown, error: SpimplError): void {
  if (typeof message !== 'object' || message === null) return
  try {
    for (const value of Object.values(message)) if (isReplyTo(value)) value.fail(error)
  } catch (failure) {
    // A getter of the message, or a replyTo that a user made: it must not end the drain that gave the message up.
    throwUncaught(failure)
  }
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
