import type { Message } from '../actors/message.ts'

/** What became of a message that was offered. */
export type Delivery = 'accepted' | 'dropped-oldest' | 'mailbox-full' | 'dropped-newest' | 'stopped'

/** How long to wait for an answer, and a signal that ends the wait. */
export interface AskOptions {
  /** The promise rejects with `ASK_TIMEOUT` after this many milliseconds. */
  readonly timeoutMs: number
  /** Its abortion rejects the promise with `ASK_ABORTED`. */
  readonly signal?: AbortSignal
}

/**
 * Where an answer goes. It is a value: it may travel in a message, and is used once. Contravariant: a `ReplyTo<number |
 * string>` serves where a `ReplyTo<number>` is expected, never the reverse.
 */
export interface ReplyTo<in R> {
  /** Answers. @returns false when the asker no longer waits */
  readonly tell: (value: R) => boolean
  /** Answers with an error, with which the asker's promise rejects. */
  readonly fail: (error: Error) => boolean
}

/** A message that expects an answer: it carries the address to which the answer goes. */
export interface Question<in R> extends Message {
  readonly replyTo: ReplyTo<R>
}

/** The messages of the union `M` that `Built` is. */
type BuiltAs<M extends Message, Built> = M extends Message ? (Built extends M ? M : never) : never

type AnswerOf<M> = M extends { readonly replyTo?: infer To }
  ? NonNullable<To> extends ReplyTo<infer R>
    ? R
    : never
  : never

/**
 * The answer that the message `Built`, one of the union `M`, expects: what its `replyTo` takes. Where the compiler
 * cannot tell which message of the union was built, any answer to the union.
 */
export type Answer<M extends Message, Built> = Built extends unknown
  ? AnswerOf<[BuiltAs<M, Built>] extends [never] ? M : BuiltAs<M, Built>>
  : never

/** Refuses a message that expects no answer: its text is the error that the compiler prints. */
export type Asks<M extends Message, Built> = [BuiltAs<M, Built>] extends [{ readonly replyTo?: unknown }]
  ? unknown
  : { readonly refused: 'expected a message with a replyTo, which the actor answers' }

/**
 * The address of an actor: its holder can send messages to the actor, and do nothing else. It outlives restarts.
 * Contravariant: a reference that accepts more messages serves where one that accepts fewer is expected, never the
 * reverse.
 */
export interface Ref<in M extends Message> {
  /** The names from the root down, as `/node/discovery`. */
  readonly path: string
  /**
   * Sends, and never waits.
   * @returns whether the message was accepted; if not, it is a dead letter with a reason
   * @throws SpimplError `MESSAGE_NOT_CLONEABLE` on a reference to another lane, when the message is no plain data
   */
  readonly tell: (message: M) => boolean
  /** As `tell`, and says what became of the message. */
  readonly offer: (message: M) => Delivery
  /**
   * Sends the message that `make` builds around a `replyTo`, and waits for the answer, whose type is that of the
   * message's `replyTo`.
   *
   * @example const sum = await ref.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 5_000 })
   * @throws SpimplError `ASK_TIMEOUT`, `ASK_ABORTED`, `ASK_SELF`, `MAILBOX_FULL`, `ACTOR_STOPPED`, `ACTOR_FAILED`, or
   * what `fail` was given
   */
  // The messages are inferred once more, from `this`: in the type of the answer, M itself would make the reference
  // invariant.
  readonly ask: <All extends Message, Built extends Question<never> = M & Question<never>>(
    this: Ref<All>,
    make: (replyTo: ReplyTo<unknown>) => Built & M & Asks<All, Built>,
    options: AskOptions,
  ) => Promise<Answer<All, Built>>
}
