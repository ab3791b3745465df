import type { Message } from './actor.ts'
import type { ActorCell } from './actor-cell.ts'
import { PendingAsk } from './ask.ts'

/** What became of a message that was offered. */
export type Delivery = 'accepted' | 'dropped-oldest' | 'mailbox-full' | 'dropped-newest' | 'stopped'

/** How long to wait for an answer, and who may stop waiting. */
export interface AskOptions {
  /** After so long the promise rejects with `ASK_TIMEOUT`. */
  readonly timeoutMs: number
  /** Aborting it rejects with `ASK_ABORTED`. */
  readonly signal?: AbortSignal
}

/** Where an answer goes. It is a value: it may travel in a message, and is used once. */
export interface ReplyTo<R> {
  /** Answers. @returns false when the asker no longer waits */
  tell(value: R): boolean
  /** Answers with an error, with which the asker's promise rejects. */
  fail(error: Error): boolean
}

/** The address of an actor: whoever has it can tell it something, and nothing else. It outlives restarts. */
export interface Ref<M extends Message> {
  /** The names from the root down, as `/node/discovery`. */
  readonly path: string
  /**
   * Sends, and never waits.
   * @returns whether the message was accepted; if not, it is a dead letter with a reason
   * @throws SpimplError `MESSAGE_NOT_CLONEABLE` on a reference to another lane, when the message is no plain data
   */
  tell(message: M): boolean
  /** As `tell`, and says what became of the message. */
  offer(message: M): Delivery
  /**
   * Sends what `make` builds around a `replyTo`, and waits for the answer.
   *
   * @example const sum = await ref.ask<number>(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 5_000 })
   * @throws SpimplError `ASK_TIMEOUT`, `ASK_ABORTED`, `ASK_SELF`, `MAILBOX_FULL`, `ACTOR_STOPPED`, `ACTOR_FAILED`, or what `fail` was given
   */
  ask<R>(make: (replyTo: ReplyTo<R>) => M, options: AskOptions): Promise<R>
}

/** A reference to an actor of this thread. */
export class LocalRef<M extends Message> implements Ref<M> {
  /** @internal */
  readonly cell: ActorCell

  constructor(cell: ActorCell) {
    this.cell = cell
  }

  get path(): string {
    return this.cell.path
  }

  tell(message: M): boolean {
    return this.cell.tell(message)
  }

  offer(message: M): Delivery {
    return this.cell.offer(message)
  }

  ask<R>(make: (replyTo: ReplyTo<R>) => M, options: AskOptions): Promise<R> {
    return PendingAsk.ask(this.cell, make, options)
  }

  toJSON(): { readonly ref: string } {
    return { ref: this.path }
  }
}
