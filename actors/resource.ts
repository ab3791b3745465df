import type { ActorContext, Handlers, Message } from 'spimpl-runtime'
import { SpimplError } from '../src/errors.ts'

/** An actor's first message to itself: open the resource. */
export interface Open {
  readonly type: 'open'
}

/**
 * Something outside the program that an actor owns and must open first: a socket, a store, a listener. It outlives
 * restarts of the actor.
 *
 * A failure to open it at the first start is the user's to mend (a port that is taken, a directory that is locked): it
 * is kept, and answered to callers of the actor. A later failure is thrown, so that the supervisor tries again.
 */
export class Resource<T> {
  readonly #openThing: () => Promise<T>
  #thing: T | undefined
  #failure: Error | undefined
  #openedBefore = false

  constructor(openThing: () => Promise<T>) {
    this.#openThing = openThing
  }

  async open(): Promise<void> {
    try {
      this.#thing = await this.#openThing()
      this.#openedBefore = true
    } catch (error) {
      if (this.#openedBefore) throw error
      this.#failure = error instanceof Error ? error : new SpimplError('ACTOR_FAILED', String(error))
    }
  }

  /** @throws the error with which it failed to open */
  get(): T {
    if (this.#thing !== undefined) return this.#thing
    throw this.#failure ?? new SpimplError('ACTOR_FAILED', 'expected the resource to be open')
  }

  /** Undefined if it is not open. */
  get current(): T | undefined {
    return this.#thing
  }

  /** Gives it up to the caller, who closes it. */
  take(): T | undefined {
    const thing = this.#thing
    this.#thing = undefined
    return thing
  }

  /** Answers with the result of `read`, or with the error with which it failed to open. */
  answer<R>(replyTo: { tell(value: R): boolean; fail(error: Error): boolean }, read: (thing: T) => R): void {
    if (this.#thing === undefined && this.#failure !== undefined) replyTo.fail(this.#failure)
    else replyTo.tell(read(this.get()))
  }
}

/**
 * The handlers of an actor that serves once its resource is open. Earlier messages are stashed, in order.
 *
 * @param opened called when the resource is open, before the stashed messages are handled
 */
export function onceOpen<M extends Message>(
  context: ActorContext<M | Open>,
  resource: Resource<unknown>,
  handlers: Handlers<M>,
  opened: () => void = () => {},
): Handlers<M | Open> {
  const table = handlers as unknown as Readonly<Record<string, (message: M) => void | PromiseLike<void>>>
  const stash = (message: M): void => {
    context.stash(message)
  }
  const open = async (): Promise<void> => {
    await resource.open()
    opened()
    context.become({ ...table, open: () => {} } as unknown as Handlers<M | Open>)
    context.unstashAll()
  }
  context.self.tell({ type: 'open' })
  const waiting = Object.fromEntries(Object.keys(table).map(tag => [tag, stash]))
  return { ...waiting, open } as unknown as Handlers<M | Open>
}
