import type { RootQueue } from '../queues/root-queue.ts'
import { Timer } from '../queues/timer-wheel.ts'
import type { Message } from './message.ts'

/** The actor to which timers belong. */
export interface TimedActor {
  readonly root: RootQueue
  /** Delivers a due message in the order of the mailbox, beyond its capacity. */
  deliver(message: Message, causeId: number): void
}

class KeyedTimer extends Timer {
  message: Message
  readonly #actor: TimedActor
  readonly #timers: Map<string | number, KeyedTimer>
  readonly #key: string | number

  constructor(actor: TimedActor, timers: Map<string | number, KeyedTimer>, key: string | number, message: Message) {
    super()
    this.#actor = actor
    this.#timers = timers
    this.#key = key
    this.message = message
  }

  override fire(): void {
    this.#timers.delete(this.#key)
    this.#actor.deliver(this.message, 0)
  }
}

/**
 * The timers of one actor, each under a key: setting one again moves it. They end with the life of the actor, also at a
 * restart. To set, move or cancel a timer costs the same however many are pending. A due message joins the mailbox
 * behind the waiting ones, even if the mailbox is full.
 */
export class KeyedTimers<M extends Message> {
  readonly #actor: TimedActor
  readonly #timers = new Map<string | number, KeyedTimer>()
  /** The life of the actor is over: no timer is set any longer. */
  #hasEnded = false

  /** @internal */
  constructor(actor: TimedActor) {
    this.#actor = actor
  }

  get size(): number {
    return this.#timers.size
  }

  set(key: string | number, delayMs: number, message: M): void {
    this.setAt(key, this.#actor.root.executor.clock.now() + delayMs, message)
  }

  /** @param atMs a moment of `context.now()`; `Infinity` cancels, so that a core's deadline can be passed as it is */
  setAt(key: string | number, atMs: number, message: M): void {
    let timer = this.#timers.get(key)
    if (atMs === Number.POSITIVE_INFINITY) {
      if (timer !== undefined) this.cancel(key)
      return
    }
    if (timer === undefined) {
      if (this.#hasEnded) return
      timer = new KeyedTimer(this.#actor, this.#timers, key, message)
    } else {
      timer.message = message
      if (timer.atMs === atMs && timer.pending) return
    }
    this.#actor.root.setTimer(timer, atMs)
    this.#timers.set(key, timer)
  }

  /** @returns whether one was pending */
  cancel(key: string | number): boolean {
    const timer = this.#timers.get(key)
    if (timer === undefined) return false
    this.#timers.delete(key)
    return this.#actor.root.cancelTimer(timer)
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) this.#actor.root.cancelTimer(timer)
    this.#timers.clear()
  }

  /** @internal The life of the actor is over. */
  end(): void {
    this.cancelAll()
    this.#hasEnded = true
  }
}
