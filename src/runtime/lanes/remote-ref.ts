import type { Message } from '../actors/actor.ts'
import type { AskOptions, Delivery, Ref, ReplyTo } from '../actors/actor-ref.ts'
import { PendingAsk } from '../actors/ask.ts'
import { execution } from '../queues/root-queue.ts'
import type { LaneHub } from './lane-hub.ts'

/** A reference to an actor of another lane. */
export class RemoteRef<M extends Message> implements Ref<M> {
  readonly path: string
  /** @internal */
  readonly lane: number
  /** @internal */
  readonly id: number
  private readonly hub: LaneHub

  constructor(hub: LaneHub, lane: number, id: number, path: string) {
    this.hub = hub
    this.lane = lane
    this.id = id
    this.path = path
  }

  tell(message: M): boolean {
    return this.offer(message) === 'accepted'
  }

  /** `accepted` means: on its way. What becomes of it there is counted there. */
  offer(message: M): Delivery {
    return this.offerFrom(message, execution.messageId)
  }

  offerFrom(message: M, causeId: number): Delivery {
    return this.hub.tell(this.lane, this.id, this.path, message, causeId)
  }

  ask(make: (replyTo: ReplyTo<unknown>) => M, options: AskOptions): Promise<never> {
    const { hub, path } = this
    const { system } = hub
    return PendingAsk.ask(
      { path, root: system.main, system, offer: message => this.offer(message as M) },
      make,
      options,
    )
  }

  toJSON(): { readonly ref: string } {
    return { ref: this.path }
  }
}

/** Where the answer to somebody of another lane goes. */
export class RemoteReplyTo<R> implements ReplyTo<R> {
  /** @internal */
  readonly lane: number
  /** @internal */
  readonly id: number
  private readonly hub: LaneHub
  private used = false

  constructor(hub: LaneHub, lane: number, id: number) {
    this.hub = hub
    this.lane = lane
    this.id = id
  }

  tell(value: R): boolean {
    if (this.used) return false
    // What cannot cross throws, and is no answer: whoever asked may still be given one, or the failure.
    const answered = this.hub.answer(this.lane, this.id, value)
    this.used = true
    return answered
  }

  fail(error: Error): boolean {
    if (this.used) return false
    this.used = true
    return this.hub.refuse(this.lane, this.id, error)
  }
}
