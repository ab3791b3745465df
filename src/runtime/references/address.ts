import type { Message } from '../actors/message.ts'
import type { Ref, ReplyTo } from './actor-ref.ts'

/** Where a reference or a `replyTo` leads, as plain data: the form in which it leaves its thread. */
export type Address = ActorAddress | QuestionAddress

/** An actor: its lane, and its number there. */
export interface ActorAddress {
  readonly kind: 'ref'
  readonly lane: number
  readonly id: number
  readonly path: string
}

/** A question that waits for its answer: the lane of the asker, and the number of the question there. */
export interface QuestionAddress {
  readonly kind: 'replyTo'
  readonly lane: number
  readonly id: number
}

/** An actor of this thread that other threads may reach. */
export interface Addressed {
  readonly id: number
  readonly path: string
  readonly ref: Ref<Message>
  readonly hasStopped: boolean
  /** Takes a message of another thread, which has its ids already. */
  receive(message: Message, messageId: number, causeId: number): void
}

/** A question of this thread that other threads may answer. */
export interface OpenQuestion extends ReplyTo<unknown> {
  /** The path of the actor that was asked. */
  readonly path: string
  /** Its number among the questions of this thread. */
  readonly id: number
  /** The answer is still expected. */
  readonly isOpen: boolean
  /** Calls `settled` once the question is answered, failed or overdue. */
  whenSettled(settled: () => void): void
}

/**
 * Hands out addresses, and finds again what they lead to: the lanes of a process share one scheme ({@link LaneHub}).
 */
export interface AddressBook {
  addressOf(actor: Addressed): ActorAddress
  addressOfQuestion(question: OpenQuestion): QuestionAddress
}

/**
 * The key under which a reference or `replyTo` gives its address. It is a symbol that no message from elsewhere can
 * have, so plain data is never taken for a reference.
 */
export const addressIn: unique symbol = Symbol('spimpl.addressIn')

/** A value that may travel in a message although it is no plain data. */
export interface Addressable {
  [addressIn](book: AddressBook): Address
}
