import type { Message } from './actor.ts'
import type { ActorCell } from './actor-cell.ts'
import type { Mailbox } from './mailbox.ts'

/** Its tag; no handler of a user sees it, not even one for every message. */
export const SYSTEM_TAG = 'spimpl.system'

/**
 * What the runtime itself puts into a mailbox, in the order of the mailbox: no overflow policy drops it, and it counts as no
 * message. An order, or a message of the user's that must not be lost (a timer, a notice).
 */
export class SystemMessage implements Message {
  readonly type = SYSTEM_TAG
  /** What a user would see of it, should it become a dead letter. */
  readonly message: Message | undefined
  /** Called in its turn. */
  readonly carryOut: (cell: ActorCell) => void

  constructor(carryOut: (cell: ActorCell) => void, message?: Message) {
    this.carryOut = carryOut
    this.message = message
  }
}

/** Those before it are handled, then the actor stops, whatever its restart kind: somebody else ordered it. */
export const stopOrder = new SystemMessage(cell => cell.lifecycle.requestStop('parent'))

interface Waiting {
  readonly message: Message
  readonly messageId: number
  readonly causeId: number
}

/** Takes the oldest message that may be dropped; those of the runtime before it keep their places. */
export function takeOldestDroppable(mailbox: Mailbox): Waiting | undefined {
  // These are of the message at hand, and a handler that overflows its own mailbox is not done with it.
  const { messageId, causeId } = mailbox
  const passed: Waiting[] = []
  let taken: Waiting | undefined
  while (taken === undefined && mailbox.size > 0) {
    const message = mailbox.shift() as Message
    const waiting = { message, messageId: mailbox.messageId, causeId: mailbox.causeId }
    if (message instanceof SystemMessage) passed.push(waiting)
    else taken = waiting
  }
  for (const { message, messageId, causeId } of passed.reverse()) mailbox.unshift(message, messageId, causeId)
  mailbox.messageId = messageId
  mailbox.causeId = causeId
  return taken
}
