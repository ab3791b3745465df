/** What happens to a message that finds a mailbox full. */
export type OverflowPolicy = 'reject' | 'drop-oldest' | 'drop-newest'

export interface MailboxOptions {
  /** How many messages may wait; timers and death notices are taken beyond it. */
  readonly capacity?: number
  readonly overflow?: OverflowPolicy
}

export const DEFAULT_MAILBOX_CAPACITY = 16_384

const FIRST_SLOTS = 8
/** An empty mailbox that once held a crowd gives its memory back. */
const KEPT_SLOTS = 1_024
const NO_SLOTS: unknown[] = []
const NO_IDS = new Float64Array(0)

/**
 * The messages that wait for one actor: a circular array, and beside it, in a flat array of numbers, the id of each
 * message and of its cause, so that a hop allocates nothing but the message. Until the first message it holds no memory.
 */
export class Mailbox {
  size = 0
  /** Of the message taken last. */
  messageId = 0
  causeId = 0
  /** -1: not known. */
  enqueuedMs = -1
  private slots: unknown[] = NO_SLOTS
  private ids: Float64Array = NO_IDS
  private times: Float64Array | undefined = undefined
  private head = 0

  push(message: unknown, messageId: number, causeId: number): void {
    if (this.size === this.slots.length) this.grow()
    const at = (this.head + this.size) & (this.slots.length - 1)
    this.slots[at] = message
    this.ids[at * 2] = messageId
    this.ids[at * 2 + 1] = causeId
    this.size++
  }

  /** As `push`, and keeps the moment, for the histogram of time in the mailbox. */
  pushAt(message: unknown, messageId: number, causeId: number, nowMs: number): void {
    this.push(message, messageId, causeId)
    this.times ??= new Float64Array(this.slots.length).fill(-1)
    this.times[(this.head + this.size - 1) & (this.slots.length - 1)] = nowMs
  }

  /** Puts a message before all others: one that was stashed. */
  unshift(message: unknown, messageId: number, causeId: number): void {
    if (this.size === this.slots.length) this.grow()
    this.head = (this.head - 1) & (this.slots.length - 1)
    this.slots[this.head] = message
    this.ids[this.head * 2] = messageId
    this.ids[this.head * 2 + 1] = causeId
    this.size++
  }

  /** Takes the oldest message; its ids are in `messageId` and `causeId`. Only when `size` is not 0. */
  shift(): unknown {
    const at = this.head
    const message = this.slots[at]
    this.slots[at] = undefined
    this.messageId = this.ids[at * 2]!
    this.causeId = this.ids[at * 2 + 1]!
    if (this.times !== undefined) {
      this.enqueuedMs = this.times[at]!
      this.times[at] = -1
    }
    this.head = (at + 1) & (this.slots.length - 1)
    if (--this.size === 0 && this.slots.length > KEPT_SLOTS) this.release()
    return message
  }

  release(): void {
    this.slots = NO_SLOTS
    this.ids = NO_IDS
    this.times = undefined
    this.head = 0
    this.size = 0
  }

  private grow(): void {
    const { slots, ids, head, size } = this
    const larger = new Array<unknown>(size === 0 ? FIRST_SLOTS : size * 2).fill(undefined)
    const largerIds = new Float64Array(larger.length * 2)
    for (let to = 0; to < size; to++) {
      const from = (head + to) & (slots.length - 1)
      larger[to] = slots[from]
      largerIds[to * 2] = ids[from * 2]!
      largerIds[to * 2 + 1] = ids[from * 2 + 1]!
    }
    if (this.times !== undefined) {
      const times = new Float64Array(larger.length).fill(-1)
      for (let to = 0; to < size; to++) times[to] = this.times[(head + to) & (slots.length - 1)]!
      this.times = times
    }
    this.slots = larger
    this.ids = largerIds
    this.head = 0
  }
}
