import { Timer } from '../queues/timer-wheel.ts'
import type { Message } from './actor.ts'
import type { ActorCell } from './actor-cell.ts'

class KeyedTimer extends Timer {
  message: Message
  private readonly cell: ActorCell
  private readonly timers: KeyedTimers<Message>
  private readonly key: string | number

  constructor(cell: ActorCell, timers: KeyedTimers<Message>, key: string | number, message: Message) {
    super()
    this.cell = cell
    this.timers = timers
    this.key = key
    this.message = message
  }

  override fire(): void {
    this.timers.forget(this.key)
    this.cell.deliver(this.message, 0)
  }
}

/**
 * The timers of one actor, each under a key: setting one again moves it. They die with the actor, also when it restarts.
 * To set, move and cancel costs the same however many are pending. When due, the message joins the mailbox, behind those
 * that wait, even if it is full.
 */
export class KeyedTimers<M extends Message> {
  private readonly cell: ActorCell
  private readonly timers = new Map<string | number, KeyedTimer>()
  /** The life of the actor that it belongs to has ended: it takes no timer any more. */
  private over = false

  constructor(cell: ActorCell) {
    this.cell = cell
  }

  get size(): number {
    return this.timers.size
  }

  set(key: string | number, delayMs: number, message: M): void {
    this.setAt(key, this.cell.system.now() + delayMs, message)
  }

  /** @param atMs a moment of `context.now()`; `Infinity` cancels, so that a core's deadline can be passed as it is */
  setAt(key: string | number, atMs: number, message: M): void {
    let timer = this.timers.get(key)
    if (atMs === Number.POSITIVE_INFINITY) {
      if (timer !== undefined) this.cancel(key)
      return
    }
    if (timer === undefined) {
      if (this.over) return
      timer = new KeyedTimer(this.cell, this as unknown as KeyedTimers<Message>, key, message)
    } else {
      timer.message = message
      if (timer.atMs === atMs && timer.pending) return
    }
    this.cell.root.setTimer(timer, atMs)
    this.timers.set(key, timer)
  }

  /** @returns whether one was pending */
  cancel(key: string | number): boolean {
    const timer = this.timers.get(key)
    if (timer === undefined) return false
    this.timers.delete(key)
    return this.cell.root.cancelTimer(timer)
  }

  cancelAll(): void {
    for (const timer of this.timers.values()) this.cell.root.cancelTimer(timer)
    this.timers.clear()
  }

  /** @internal */
  end(): void {
    this.cancelAll()
    this.over = true
  }

  /** @internal */
  forget(key: string | number): void {
    this.timers.delete(key)
  }
}
