import type { Message } from '../actors/message.ts'
import type { RootQueue } from '../queues/root-queue.ts'
import type { AskOptions, Delivery, ReplyTo } from '../references/actor-ref.ts'
import {
  type ActorAddress,
  type Addressable,
  type AddressBook,
  addressIn,
  type QuestionAddress,
} from '../references/address.ts'
import { PendingAsk } from '../references/ask.ts'
import { Reference } from '../references/reference.ts'
import type { Watcher } from '../supervising/death-watch.ts'
import type { WatchMessage } from '../supervising/termination.ts'
import type { DeadLetters } from '../watching/dead-letters.ts'

/** The way from this lane to the others, as references use it. */
export interface Route {
  /** The root of this lane. */
  readonly root: RootQueue
  readonly deadLetters: DeadLetters
  tell(to: ActorAddress, message: Message, causeId: number): Delivery
  /** @returns whether the answer is on its way. @throws SpimplError `MESSAGE_NOT_CLONEABLE` */
  answer(to: QuestionAddress, value: unknown): boolean
  refuse(to: QuestionAddress, error: Error): boolean
  /** The `replyTo` leaves this lane again, for the lane that a message is being encoded for. */
  relay(replyTo: RemoteReplyTo): void
  watch(watcher: Watcher, actor: ActorAddress, message: WatchMessage<Message>): void
  unwatch(watcher: Watcher, actor: ActorAddress): void
}

/** A reference to an actor of another lane. */
export class RemoteRef<in M extends Message> extends Reference<M> {
  readonly #route: Route
  readonly #address: ActorAddress

  constructor(route: Route, address: ActorAddress) {
    super()
    this.#route = route
    this.#address = address
  }

  get path(): string {
    return this.#address.path
  }

  /** `accepted` means: on its way. What becomes of the message is counted on the other lane. */
  offerFrom(message: M, causeId: number): Delivery {
    return this.#route.tell(this.#address, message, causeId)
  }

  ask(make: (replyTo: ReplyTo<unknown>) => M, options: AskOptions): Promise<never> {
    const { root, deadLetters } = this.#route
    const offer = (message: Message) => this.offer(message as M)
    return PendingAsk.ask({ path: this.path, root, deadLetters, offer }, make, options)
  }

  watchedBy(watcher: Watcher, message: WatchMessage<Message>): void {
    this.#route.watch(watcher, this.#address, message)
  }

  unwatchedBy(watcher: Watcher): void {
    this.#route.unwatch(watcher, this.#address)
  }

  [addressIn](_book: AddressBook): ActorAddress {
    return this.#address
  }
}

/** The address of an answer to a question of another lane. */
export class RemoteReplyTo implements ReplyTo<unknown>, Addressable {
  readonly #route: Route
  readonly #address: QuestionAddress
  #isUsed = false

  constructor(route: Route, address: QuestionAddress) {
    this.#route = route
    this.#address = address
  }

  /** @internal */
  get address(): QuestionAddress {
    return this.#address
  }

  tell(value: unknown): boolean {
    if (this.#isUsed) return false
    // A value that cannot cross throws and is no answer: the asker may still get one, or the failure.
    const isOnItsWay = this.#route.answer(this.#address, value)
    this.#isUsed = true
    return isOnItsWay
  }

  fail(error: Error): boolean {
    if (this.#isUsed) return false
    this.#isUsed = true
    return this.#route.refuse(this.#address, error)
  }

  [addressIn](_book: AddressBook): QuestionAddress {
    this.#route.relay(this)
    return this.#address
  }
}
