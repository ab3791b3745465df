import type { ActorCell } from '../actors/actor-cell.ts'
import { invariant } from '../cores/invariant.ts'

/**
 * One life of an actor of another lane, as the main lane knows it. The actor's mailbox there has no bound, so the
 * stand-in sends a mark after every half of the capacity, and holds its own messages while two marks have not been
 * passed.
 */
export class StandIn {
  readonly cell: ActorCell
  /** Settles when the actor has ended on its lane. */
  readonly ended: Promise<void>
  /** Settles when the actor has run its `setup` and handled the messages before the first mark, or has ended. */
  readonly up: Promise<void>
  readonly #perMark: number
  #sinceMark = 0
  #marks = 0
  #resume: (() => void) | undefined
  #settle: () => void = () => {}
  #settleUp: () => void = () => {}
  #hasLeft = false
  #isOver = false

  constructor(cell: ActorCell) {
    this.cell = cell
    this.#perMark = Math.ceil(cell.capacity / 2)
    this.ended = new Promise(resolve => {
      this.#settle = resolve
    })
    this.up = new Promise(resolve => {
      this.#settleUp = resolve
    })
  }

  /** This life is over here; on its lane it may go on for a while. */
  get hasLeft(): boolean {
    return this.#hasLeft
  }

  leave(): void {
    this.#hasLeft = true
  }

  /** A message was forwarded. @returns whether a mark has to follow it */
  sent(): boolean {
    if (++this.#sinceMark < this.#perMark) return false
    this.#sinceMark = 0
    this.#marks++
    return true
  }

  /** A mark was sent on its own. */
  marked(): void {
    this.#marks++
  }

  /** The actor has handled the messages before a mark. */
  passed(): void {
    invariant(this.#marks > 0, 'a mark to be sent before it is passed')
    this.#marks--
    this.#settleUp()
    this.#goOn()
  }

  /** As many messages wait on its lane as its mailbox may hold. */
  get isBehind(): boolean {
    return !this.#isOver && this.#marks >= 2
  }

  /** Settles when the next mark is passed, or the actor has ended. */
  caughtUp(): Promise<void> {
    return new Promise(resolve => {
      this.#resume = resolve
    })
  }

  end(): void {
    this.#isOver = true
    this.#settle()
    this.#settleUp()
    this.#goOn()
  }

  #goOn(): void {
    this.#resume?.()
    this.#resume = undefined
  }
}
