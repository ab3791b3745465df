import type { Mailbox, WaitingMessage } from './mailbox.ts'
import type { Message } from './message.ts'

/** The tag of a system message; no handler of a user sees it, not even one for every message. */
export const SYSTEM_TAG = 'spimpl.system'

/**
 * A message of the runtime itself, in the order of the mailbox: no overflow policy drops it, and it is not counted as a
 * message. It is an order (stop, a mark), or carries a user's message that must not be lost (a timer, a notice).
 */
export class SystemMessage implements Message {
  readonly type = SYSTEM_TAG
  /** The user's message that it carries, which becomes the dead letter if nobody handles it. */
  readonly message: Message | undefined
  /** Called in its turn, with the actor that has it. */
  readonly carryOut: (actor: OrderedActor) => void

  constructor(carryOut: (actor: OrderedActor) => void, message?: Message) {
    this.carryOut = carryOut
    this.message = message
  }
}

/** An actor as orders use it. */
export interface OrderedActor {
  readonly lifecycle: { requestStop(by: 'parent'): void }
  handle(message: Message): void
}

/** Stops the actor behind the messages before it, whatever its restart kind, because somebody else asked for it. */
export const stopOrder = new SystemMessage(({ lifecycle }) => lifecycle.requestStop('parent'))

/** Takes the oldest message that may be dropped; system messages before it keep their places. */
export function takeOldestDroppable(mailbox: Mailbox): WaitingMessage | undefined {
  // The ids belong to the current message, whose handler may overflow its own mailbox and still need them.
  const { messageId, causeId } = mailbox
  const passed: WaitingMessage[] = []
  let taken: WaitingMessage | undefined
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
