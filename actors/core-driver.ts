import type { ActorContext } from 'spimpl-runtime'
import type { Core } from 'spimpl-runtime/core'

/** The message of an actor's timer: the deadline of its core has come. */
export interface Timeout {
  readonly type: 'timeout'
}

const TIMEOUT: Timeout = { type: 'timeout' }

/**
 * Binds a core to the actor that owns it: each input is handled with the present moment, and the actor's one timer
 * follows the core's deadline. The timer is only ever moved to an earlier moment. If the deadline has moved on when the
 * timer fires (as the deadline of a stream does with every packet), the timer is set again, so that a packet costs no
 * timer.
 */
export function driveCore<Input extends { readonly type: string }, Output, Message extends { readonly type: string }>(
  context: ActorContext<Message | Timeout>,
  core: Core<Input | Timeout, Output>,
  emit: (output: Output) => void,
): (input: Input | Timeout) => void {
  let armedFor = Number.POSITIVE_INFINITY
  return input => {
    const now = context.now()
    if (input.type === 'timeout') armedFor = Number.POSITIVE_INFINITY
    if (input.type !== 'timeout' || core.deadline() <= now) core.handle(input, now, emit)
    const deadline = core.deadline()
    if (deadline >= armedFor) return
    armedFor = deadline
    context.timers.setAt('core', deadline, TIMEOUT)
  }
}

/** Numbers what an actor asks of a core, and finds the caller when the answer comes. */
export class Pending<Waiter> {
  readonly #waiting = new Map<number, Waiter>()
  #next = 1

  get size(): number {
    return this.#waiting.size
  }

  add(waiter: Waiter): number {
    const ref = this.#next++
    this.#waiting.set(ref, waiter)
    return ref
  }

  take(ref: number): Waiter | undefined {
    const waiter = this.#waiting.get(ref)
    this.#waiting.delete(ref)
    return waiter
  }

  /** Takes all callers: an actor that stops owes each of them an answer. */
  takeAll(): Waiter[] {
    const waiters = [...this.#waiting.values()]
    this.#waiting.clear()
    return waiters
  }
}
