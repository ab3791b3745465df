import type { Message } from '../actors/message.ts'
import { SpimplError } from '../errors.ts'
import type { ActorLifecycle } from '../supervising/actor-lifecycle.ts'
import type { Watcher } from '../supervising/death-watch.ts'
import type { WatchMessage } from '../supervising/termination.ts'
import type { AskOptions, Delivery, Ref, ReplyTo } from './actor-ref.ts'
import { type ActorAddress, type AddressBook, type Addressed, addressIn } from './address.ts'
import { type AskTarget, PendingAsk } from './ask.ts'
import { Reference } from './reference.ts'

/** The actor behind a reference of this thread. */
export interface LocalActor extends AskTarget, Addressed {
  readonly lifecycle: ActorLifecycle
  /** `undefined` at the top of the tree. */
  readonly parent: unknown
  tell(message: Message): boolean
  offer(message: Message): Delivery
  offerFrom(message: Message, causeId: number): Delivery
}

/** A reference to an actor of this thread. */
export class LocalRef<in M extends Message> extends Reference<M> {
  /** @internal */
  readonly actor: LocalActor

  constructor(actor: LocalActor) {
    super()
    this.actor = actor
  }

  get path(): string {
    return this.actor.path
  }

  override tell(message: M): boolean {
    return this.actor.tell(message)
  }

  override offer(message: M): Delivery {
    return this.actor.offer(message)
  }

  offerFrom(message: M, causeId: number): Delivery {
    return this.actor.offerFrom(message, causeId)
  }

  ask(make: (replyTo: ReplyTo<unknown>) => M, options: AskOptions): Promise<never> {
    return PendingAsk.ask(this.actor, make, options)
  }

  watchedBy(watcher: Watcher, message: WatchMessage<Message>): void {
    this.actor.lifecycle.addWatcher(watcher, message)
  }

  unwatchedBy(watcher: Watcher): void {
    this.actor.lifecycle.removeWatcher(watcher)
  }

  [addressIn](book: AddressBook): ActorAddress {
    return book.addressOf(this.actor)
  }
}

/** The actor behind a reference of this thread. @throws SpimplError `REF_FOREIGN` */
export function localActorOf<M extends Message>(ref: Ref<M>): LocalActor {
  if (ref instanceof LocalRef) return ref.actor
  throw new SpimplError('REF_FOREIGN', `expected a reference to an actor of this thread, got one to ${ref.path}`)
}
