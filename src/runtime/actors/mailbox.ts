import { invariant } from '../cores/invariant.ts'
import { SpimplError } from '../errors.ts'
import type { Message } from './message.ts'

/** What a full mailbox does with the next message. */
export type OverflowPolicy = 'reject' | 'drop-oldest' | 'drop-newest'

/** The bound of a mailbox. Default: 16,384 messages, `reject`. */
export interface MailboxOptions {
  /** How many messages may wait. Timers and death notices do not count against it. */
  readonly capacity?: number
  readonly overflow?: OverflowPolicy
}

/** A message that waits, with its ids. */
export interface WaitingMessage {
  readonly message: Message
  readonly messageId: number
  /** The id of the message on whose account it was sent, 0 for none. */
  readonly causeId: number
}

const DEFAULT_CAPACITY = 16_384

/** @throws SpimplError `CONFIG_INVALID` for a mailbox without room for a message */
export function capacityOf({ capacity = DEFAULT_CAPACITY }: MailboxOptions = {}): number {
  if (capacity >= 1) return capacity
  throw new SpimplError('CONFIG_INVALID', `expected a mailbox capacity of at least 1 message, got ${capacity}`)
}

const FIRST_SLOTS = 8
const LARGEST_SLOTS = 1_024
/**
 * A backlog of this length gets stretches with slots of 128 KiB: V8 never copies an array of that size, and so copies
 * each message in it once less. Each of a million waiting messages costs 90 ns then, and 120 ns in short stretches
 * (bench/actors.ts); for a short backlog such an array costs more than it saves.
 */
const LONG_BACKLOG = 32_768
const LONG_STRETCH_SLOTS = 16_384
/** The longest stretch that an empty mailbox keeps. */
const KEPT_SLOTS = 128

/**
 * A stretch of a mailbox, filled and emptied from the front, and reused when it is empty. A backlog is a chain of them:
 * nothing is copied when it grows, and a message lies in memory as young as itself, which the garbage collector handles
 * at less cost.
 */
class Stretch {
  readonly slots: unknown[]
  /**
   * The id of each message and the id of its cause. They are doubles in place, so that ids above 2^31 allocate nothing;
   * those of a long stretch are outside the heap, where the garbage collector does not copy them.
   */
  readonly ids: number[] | Float64Array
  times: Float64Array | undefined = undefined
  next: Stretch | undefined = undefined
  written = 0

  constructor(slots: number) {
    this.slots = new Array<unknown>(slots).fill(undefined)
    this.ids = slots > KEPT_SLOTS ? new Float64Array(slots * 2) : new Array<number>(slots * 2).fill(0.5)
  }
}

/** The value of `lone` while no message waits alone: a caller without a compiler may send anything else. */
const none: unique symbol = Symbol('spimpl.none')

/**
 * The messages that wait for one actor, each with its id and the id of its cause, so that a hop allocates nothing but
 * the message. A message that waits alone, as in most turns of most actors, is in a field; a backlog is in stretches,
 * made with the first backlog.
 *
 *     one message:    lone
 *     a backlog:      before    first               last
 *                     | z y |   | . . c d | e f g h | i j . . |
 *                         ^          ^ read             ^ written
 *                     shift takes y, z, then c, d, e ...; unshift adds behind y; push adds behind j
 */
export class Mailbox {
  size = 0
  /** The id of the message that was taken last. */
  messageId = 0
  causeId = 0
  /** When it was put in, if the mailbox is timed; otherwise -1. */
  enqueuedMs = -1
  /** The message that waits alone. */
  private lone: unknown = none
  private loneId = 0
  private loneCauseId = 0
  private loneMs = -1
  /** Messages that were put in front of all others, the next one last. */
  private before: { readonly message: unknown; readonly messageId: number; readonly causeId: number }[] | undefined =
    undefined
  private first: Stretch | undefined = undefined
  private last: Stretch | undefined = undefined
  private read = 0

  push(message: unknown, messageId: number, causeId: number): void {
    if (this.size++ === 0) {
      this.lone = message
      this.loneId = messageId
      this.loneCauseId = causeId
      return
    }
    if (this.lone !== none) this.lineUp()
    this.append(message, messageId, causeId)
  }

  /** As `push`, with the moment, for the histogram of time in the mailbox. */
  pushAt(message: unknown, messageId: number, causeId: number, nowMs: number): void {
    this.push(message, messageId, causeId)
    if (this.lone === none) this.stamp(nowMs)
    else this.loneMs = nowMs
  }

  /** Puts a message in front of all others: one that was stashed. */
  unshift(message: unknown, messageId: number, causeId: number): void {
    if (this.lone !== none) this.lineUp()
    this.before ??= []
    this.before.push({ message, messageId, causeId })
    this.size++
  }

  /** Takes the oldest message; its ids are in `messageId` and `causeId`. Only when `size` is not 0. */
  shift(): unknown {
    this.size--
    const { lone } = this
    if (lone === none) return this.shiftFromBacklog()
    this.lone = none
    this.messageId = this.loneId
    this.causeId = this.loneCauseId
    this.enqueuedMs = this.loneMs
    this.loneMs = -1
    return lone
  }

  release(): void {
    this.lone = none
    this.loneMs = -1
    this.before = undefined
    this.first = undefined
    this.last = undefined
    this.read = 0
    this.size = 0
  }

  private append(message: unknown, messageId: number, causeId: number): void {
    let { last } = this
    if (last === undefined || last.written === last.slots.length) last = this.extend()
    const at = last.written++
    last.slots[at] = message
    last.ids[at * 2] = messageId
    last.ids[at * 2 + 1] = causeId
  }

  /** Moves the message that waited alone into a stretch. */
  private lineUp(): void {
    this.append(this.lone, this.loneId, this.loneCauseId)
    this.lone = none
    if (this.loneMs < 0) return
    this.stamp(this.loneMs)
    this.loneMs = -1
  }

  private stamp(nowMs: number): void {
    const last = this.last!
    last.times ??= new Float64Array(last.slots.length).fill(-1)
    last.times[last.written - 1] = nowMs
  }

  private shiftFromBacklog(): unknown {
    if (this.before !== undefined) return this.shiftBefore()
    let first = this.first!
    if (this.read === first.written) first = this.advance()
    const at = this.read++
    const message = first.slots[at]
    first.slots[at] = undefined
    this.messageId = first.ids[at * 2]!
    this.causeId = first.ids[at * 2 + 1]!
    if (first.times === undefined) {
      this.enqueuedMs = -1
    } else {
      this.enqueuedMs = first.times[at]!
      first.times[at] = -1
    }
    if (this.read === first.written && first.next === undefined) this.reuse(first)
    return message
  }

  private reuse(stretch: Stretch): void {
    this.read = 0
    stretch.written = 0
    if (stretch.slots.length <= KEPT_SLOTS) return
    this.first = undefined
    this.last = undefined
  }

  private extend(): Stretch {
    const { last } = this
    const slots = last === undefined ? FIRST_SLOTS : Math.min(last.slots.length * 4, LARGEST_SLOTS)
    const stretch = new Stretch(this.size > LONG_BACKLOG ? LONG_STRETCH_SLOTS : slots)
    if (last === undefined) this.first = stretch
    else last.next = stretch
    this.last = stretch
    return stretch
  }

  /** Goes on to the next stretch; the empty one is left to the garbage collector. */
  private advance(): Stretch {
    const next = this.first?.next
    invariant(next !== undefined, 'a backlog to go on in the next stretch')
    this.first = next
    this.read = 0
    return next
  }

  private shiftBefore(): unknown {
    const { message, messageId, causeId } = this.before!.pop()!
    if (this.before!.length === 0) this.before = undefined
    this.messageId = messageId
    this.causeId = causeId
    this.enqueuedMs = -1
    return message
  }
}
