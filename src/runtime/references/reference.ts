import type { Message } from '../actors/message.ts'
import { execution } from '../queues/root-queue.ts'
import type { Watcher } from '../supervising/death-watch.ts'
import type { WatchMessage } from '../supervising/termination.ts'
import type { AskOptions, Delivery, Ref, ReplyTo } from './actor-ref.ts'
import type { ActorAddress, Addressable, AddressBook } from './address.ts'
import { addressIn } from './address.ts'

/**
 * A reference as the runtime uses it: what a user may do ({@link Ref}), and the protocol between actors. Actors know
 * nothing else of each other, so they do not care where another one lives. Two kinds exist: `LocalRef`, an actor of
 * this thread, and `RemoteRef`, an actor of another lane. A reference to an actor of another process will be the third:
 * it implements the abstract members with its own link, as `RemoteRef` does with the rings of the lanes, and its
 * address names the process too.
 */
export abstract class Reference<in M extends Message> implements Ref<M>, Addressable {
  abstract readonly path: string

  /** @param causeId the message on whose account this one is sent, 0 for none */
  abstract offerFrom(message: M, causeId: number): Delivery

  abstract ask(make: (replyTo: ReplyTo<unknown>) => M, options: AskOptions): Promise<never>

  /**
   * Sends `watcher` one notice of the end of this actor, at once if it has ended; replaces an earlier watch of this
   * watcher.
   */
  abstract watchedBy(watcher: Watcher, message: WatchMessage<Message>): void

  abstract unwatchedBy(watcher: Watcher): void

  abstract [addressIn](book: AddressBook): ActorAddress

  offer(message: M): Delivery {
    return this.offerFrom(message, execution.messageId)
  }

  tell(message: M): boolean {
    return isAccepted(this.offer(message))
  }

  toJSON(): { readonly ref: string } {
    return { ref: this.path }
  }
}

/** Whether the message is in a mailbox, or on its way to one. */
export function isAccepted(delivery: Delivery): boolean {
  return delivery === 'accepted' || delivery === 'dropped-oldest'
}
