import { Deadline, PendingCalls } from 'spimpl-runtime/core'
import type { Numbered } from '../deadlines.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { StoreEvent } from '../messages.ts'

/** An answer of the store or of validation; undefined if none came in time. */
export type StoreAnswer = Extract<StoreEvent, { readonly ref: number }> | undefined

interface PendingQuestion {
  readonly settle: (answer: StoreAnswer) => void
  readonly timeout: Deadline<'question-timeout', Numbered>
}

/** Questions to the store and to validation. Each is settled once: by its answer or by its deadline. */
export class Questions {
  readonly #state: OverlayState
  readonly #pending: PendingCalls<PendingQuestion>

  constructor(state: OverlayState) {
    this.#state = state
    this.#pending = new PendingCalls(state.limits.questions)
  }

  get size(): number {
    return this.#pending.size
  }

  get hasRoom(): boolean {
    return this.#pending.hasRoom
  }

  /** Awaits the answer to a question that the caller emits with this `ref`. The caller has checked `hasRoom`. */
  open(ref: number, timeoutMs: number, settle: (answer: StoreAnswer) => void): void {
    const timeout = new Deadline('question-timeout', { ref })
    this.#pending.addAs(ref, { settle, timeout })
    this.#state.deadlines.set(timeout, this.#state.turn.now + timeoutMs)
  }

  answered(answer: NonNullable<StoreAnswer>): void {
    this.#take(answer.ref)?.settle(answer)
  }

  /** The deadline of a question has come. */
  expire(ref: number): void {
    const question = this.#take(ref)
    if (question === undefined) return
    this.#state.counters.add('questions.overdue')
    question.settle(undefined)
  }

  /** The answer is not needed any more. */
  close(ref: number): void {
    this.#take(ref)
  }

  #take(ref: number): PendingQuestion | undefined {
    const question = this.#pending.take(ref)
    if (question !== undefined) this.#state.deadlines.clear(question.timeout)
    return question
  }
}
