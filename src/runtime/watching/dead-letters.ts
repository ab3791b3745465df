import { SpimplError } from '../errors.ts'
import { throwUncaught } from './uncaught.ts'

/** Why a message was not handled. */
export type DeadLetterReason =
  | 'stopped'
  | 'mailbox-full'
  | 'dropped-oldest'
  | 'dropped-newest'
  | 'message-unknown'
  | 'reply-late'
  | 'stash-full'
  | 'lane-died'
  | 'not-cloneable'

/** A message that no handler took, and why. */
export interface DeadLetter {
  readonly reason: DeadLetterReason
  /** The path of the actor that it was for. */
  readonly path: string
  readonly message: unknown
  readonly messageId: number
}

/** Messages that nobody handled: counted by reason, and passed to listeners. None is kept. */
export class DeadLetters {
  readonly counts = new Map<DeadLetterReason, number>()
  readonly #listeners = new Set<(letter: DeadLetter) => void>()

  publish(reason: DeadLetterReason, message: unknown, path: string, messageId = 0): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1)
    for (const listener of this.#listeners) {
      try {
        listener({ reason, path, message, messageId })
      } catch (error) {
        // The error would reach the sender, or end the drain.
        throwUncaught(error)
      }
    }
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: (letter: DeadLetter) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** The error of a question that was in such a message. */
export function undelivered(reason: DeadLetterReason, message: unknown, path: string): SpimplError {
  switch (reason) {
    case 'stopped':
      return new SpimplError('ACTOR_STOPPED', `expected a running actor at ${path}, it has stopped`)
    case 'message-unknown': {
      const tag = JSON.stringify((message as { readonly type?: unknown } | undefined)?.type)
      return new SpimplError('MESSAGE_UNKNOWN', `expected a message that ${path} handles, got type ${tag}`)
    }
    case 'mailbox-full':
    case 'dropped-newest':
      return new SpimplError('MAILBOX_FULL', `expected room in the mailbox of ${path}, it is full`)
    case 'lane-died':
      return new SpimplError('LANE_DIED', `expected the lane of ${path} to be alive, it has died`)
    case 'not-cloneable':
      return new SpimplError(
        'MESSAGE_NOT_CLONEABLE',
        `expected plain data for ${path} on another lane, and buffers that were not given away before`,
      )
    default:
      return new SpimplError('MESSAGE_DROPPED', `a message to ${path} was dropped: ${reason}`)
  }
}
