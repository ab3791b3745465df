import type { Message } from '../actors/message.ts'
import { received, SpimplError } from '../errors.ts'
import { execution, type RootQueue } from '../queues/root-queue.ts'
import { Timer } from '../queues/timer-wheel.ts'
import type { DeadLetters } from '../watching/dead-letters.ts'
import { throwUncaught } from '../watching/uncaught.ts'
import { onAbort } from './abort-listeners.ts'
import type { AskOptions, ReplyTo } from './actor-ref.ts'
import { type Addressable, type AddressBook, addressIn, type OpenQuestion, type QuestionAddress } from './address.ts'

/** An actor that can be asked: of this lane, or of another one through its reference. */
export interface AskTarget {
  readonly path: string
  readonly root: RootQueue
  /** It may ask itself, because it handles the next message while a handler waits. */
  readonly isReentrant?: boolean
  readonly deadLetters: DeadLetters
  offer(message: Message): unknown
}

/** Questions that this thread has numbered because they left it. */
let lastId = 0

/** One question that waits: the `replyTo` of its message and the timer of its deadline in one object. */
export class PendingAsk extends Timer implements OpenQuestion, Addressable {
  readonly path: string
  readonly #root: RootQueue
  readonly #deadLetters: DeadLetters
  readonly #timeoutMs: number
  readonly #signal: AbortSignal | undefined
  #id = 0
  #resolve: ((value: never) => void) | undefined = undefined
  #reject: ((error: Error) => void) | undefined = undefined
  #ignoreSignal: (() => void) | undefined = undefined
  #settled: (() => void) | undefined = undefined

  private constructor(target: AskTarget, { timeoutMs, signal }: AskOptions) {
    super()
    this.path = target.path
    this.#root = target.root
    this.#deadLetters = target.deadLetters
    this.#timeoutMs = timeoutMs
    this.#signal = signal
  }

  /** The promise is of `never` because only the reference knows the type of the answer. */
  static ask(target: AskTarget, make: (replyTo: ReplyTo<unknown>) => Message, options: AskOptions): Promise<never> {
    if (typeof options?.timeoutMs !== 'number' || !(options.timeoutMs >= 0)) {
      const expected = `ask of ${target.path}: expected timeoutMs from 0 on, got ${received(options?.timeoutMs)}`
      return Promise.reject(new SpimplError('CONFIG_INVALID', expected))
    }
    if ((execution.current as unknown) === target && target.isReentrant !== true) {
      const expected = `expected to ask another actor, ${target.path} asked itself and would wait forever`
      return Promise.reject(new SpimplError('ASK_SELF', expected))
    }
    if (options.signal?.aborted === true) return Promise.reject(aborted(target.path, options.signal))
    const pending = new PendingAsk(target, options)
    return new Promise((resolve, reject) => {
      pending.#resolve = resolve
      pending.#reject = reject
      pending.#start(target, make)
    })
  }

  get id(): number {
    if (this.#id === 0) this.#id = ++lastId
    return this.#id
  }

  get isOpen(): boolean {
    return this.#resolve !== undefined
  }

  whenSettled(settled: () => void): void {
    this.#settled = settled
  }

  tell(value: unknown): boolean {
    const resolve = this.#resolve
    if (resolve === undefined) {
      this.#deadLetters.publish('reply-late', value, this.path)
      return false
    }
    this.#settle()
    resolve(value as never)
    return true
  }

  fail(error: Error): boolean {
    const reject = this.#reject
    if (reject === undefined) return false
    this.#settle()
    reject(error)
    return true
  }

  override fire(): void {
    this.fail(
      new SpimplError('ASK_TIMEOUT', `expected an answer of ${this.path} within ${this.#timeoutMs} ms, got none`),
    )
  }

  [addressIn](book: AddressBook): QuestionAddress {
    return book.addressOfQuestion(this)
  }

  #start(target: AskTarget, make: (replyTo: ReplyTo<unknown>) => Message): void {
    // An error of `make` rejects the promise before anything waits.
    const message = make(this)
    if (this.#timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#root.setTimer(this, this.#root.executor.clock.now() + this.#timeoutMs)
    }
    const signal = this.#signal
    if (signal !== undefined) this.#ignoreSignal = onAbort(signal, () => this.fail(aborted(this.path, signal)))
    // A message that is not accepted becomes a dead letter, which fails this question with its reason.
    try {
      target.offer(message)
    } catch (error) {
      this.fail(error as Error)
    }
  }

  #settle(): void {
    this.#resolve = undefined
    this.#reject = undefined
    this.#settled?.()
    this.#root.cancelTimer(this)
    this.#ignoreSignal?.()
  }
}

function aborted(path: string, signal: AbortSignal): SpimplError {
  return new SpimplError('ASK_ABORTED', `the question to ${path} was aborted`, { cause: signal.reason })
}

/**
 * Fails every question that still waits on a root whose system has stopped, so that no promise hangs and no timer keeps
 * the process.
 */
export function failOpenAsks(root: RootQueue): void {
  for (const timer of [...root.timers]) {
    if (!(timer instanceof PendingAsk)) continue
    timer.fail(new SpimplError('ACTOR_STOPPED', `expected an answer of ${timer.path}, its system has stopped`))
  }
}

/** Fails the questions that `message` carries, on this lane or another: no answer will come. */
export function failAsks(message: unknown, error: SpimplError): void {
  if (typeof message !== 'object' || message === null) return
  try {
    for (const value of Object.values(message)) if (isReplyTo(value)) value.fail(error)
  } catch (failure) {
    // A getter of the message, or a user's own replyTo, threw: that must not end the drain that gave the message up.
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
