import type { Job, OverlayState } from '../knowledge/state.ts'
import type { StoreEvent, Turn } from '../overlay-messages.ts'
import type { Appointment } from './agenda.ts'

/** An answer of the store or of validation, or undefined where none came in time. */
export type StoreAnswer = Extract<StoreEvent, { readonly ref: number }> | undefined

interface Pending {
  readonly settle: (turn: Turn, answer: StoreAnswer) => void
  readonly overdue: Appointment<Job>
}

/** Questions to the store and to validation. Each is settled once: by its answer, or by time. */
export class Questions {
  readonly #state: OverlayState
  readonly #pending = new Map<number, Pending>()

  constructor(state: OverlayState) {
    this.#state = state
  }

  get size(): number {
    return this.#pending.size
  }

  get hasRoom(): boolean {
    return this.#pending.size < this.#state.limits.questions
  }

  /** The number to ask with; the asker emits the question itself, and has seen that there is room. */
  open(turn: Turn, timeoutMs: number, settle: (turn: Turn, answer: StoreAnswer) => void): number {
    const ref = this.#state.nextRef()
    const overdue = this.#state.agenda.set(turn.now + timeoutMs, later => {
      this.#state.counters.add('questions.overdue')
      this.#settle(later, ref, undefined)
    })
    this.#pending.set(ref, { settle, overdue })
    return ref
  }

  answered(turn: Turn, answer: NonNullable<StoreAnswer>): void {
    this.#settle(turn, answer.ref, answer)
  }

  /** Nobody waits for the answer any more. */
  close(ref: number): void {
    const pending = this.#pending.get(ref)
    this.#pending.delete(ref)
    this.#state.agenda.cancel(pending?.overdue)
  }

  #settle(turn: Turn, ref: number, answer: StoreAnswer): void {
    const pending = this.#pending.get(ref)
    if (pending === undefined) return
    this.close(ref)
    pending.settle(turn, answer)
  }
}
