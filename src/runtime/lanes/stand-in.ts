import type { ActorCell } from '../actors/actor-cell.ts'

/**
 * What the main lane knows of one life of an actor of another lane. What it forwards waits there in a mailbox without a bound;
 * so it sets a mark behind every half of the capacity, and holds its own messages while two marks are not passed.
 */
export class StandIn {
  readonly cell: ActorCell
  /** Settles when the actor has ended there. */
  readonly ended: Promise<void>
  /** This life of it is over here; there it may go on for a while. */
  left = false
  /** Settles when the actor has run its `setup` there and handled what came before the first mark, or has ended. */
  readonly up: Promise<void>
  readonly #perMark: number
  #sinceMark = 0
  #marks = 0
  #resume: (() => void) | undefined
  #settle: () => void = () => {}
  #settleUp: () => void = () => {}
  #over = false

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

  /** A message was forwarded. @returns whether a mark is to follow it */
  sent(): boolean {
    if (++this.#sinceMark < this.#perMark) return false
    this.#sinceMark = 0
    this.#marks++
    return true
  }

  /** A mark was sent that follows no message. */
  marked(): void {
    this.#marks++
  }

  /** The actor has handled what came before a mark. */
  passed(): void {
    this.#marks--
    this.#settleUp()
    this.#goOn()
  }

  /** As many messages wait there as its mailbox may have. */
  get behind(): boolean {
    return !this.#over && this.#marks >= 2
  }

  /** Settles when a mark is passed, or the actor has ended. */
  caughtUp(): Promise<void> {
    return new Promise(resolve => {
      this.#resume = resolve
    })
  }

  end(): void {
    this.#over = true
    this.#settle()
    this.#settleUp()
    this.#goOn()
  }

  #goOn(): void {
    this.#resume?.()
    this.#resume = undefined
  }
}
