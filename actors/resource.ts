import type { ActorContext, Handlers, Message } from 'spimpl-runtime'
import { SpimplError } from '../src/errors.ts'

/** An actor's first message to itself: it opens its resource. */
export interface Open {
  readonly type: 'open'
}

/**
 * Something outside that an actor owns and must open first: a socket, a store, a listener. It outlives restarts of the actor.
 *
 * Opening fails in two ways. At the first start the failure is a user's (a port that is taken, a directory that is locked): it is
 * kept, and given to whoever asks the actor for the thing. Later it is the world's, and thrown, so that the supervisor tries again.
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

  /** @throws what opening it threw */
  get(): T {
    if (this.#thing !== undefined) return this.#thing
    throw this.#failure ?? new SpimplError('ACTOR_FAILED', 'expected it to be open')
  }

  /** Undefined where it is not open. */
  get current(): T | undefined {
    return this.#thing
  }

  /** Gives it up; `close` of the thing is the caller's. */
  take(): T | undefined {
    const thing = this.#thing
    this.#thing = undefined
    return thing
  }

  /** Answers with what `read` makes of it, or with the failure to open it. */
  answer<R>(replyTo: { tell(value: R): boolean; fail(error: Error): boolean }, read: (thing: T) => R): void {
    if (this.#thing === undefined && this.#failure !== undefined) replyTo.fail(this.#failure)
    else replyTo.tell(read(this.get()))
  }
}

/**
 * The handlers of an actor that serves once its resource is open: what is told before is set aside, in order.
 *
 * @param opened runs once it is open, before what was set aside
 */
export function onceOpen<M extends Message>(
  context: ActorContext<M | Open>,
  resource: Resource<unknown>,
  handlers: Handlers<M>,
  opened: () => void = () => {},
): Handlers<M | Open> {
  const table = handlers as unknown as Readonly<Record<string, (message: M) => void | PromiseLike<void>>>
  const setAside = (message: M): void => {
    context.stash(message)
  }
  const open = async (): Promise<void> => {
    await resource.open()
    opened()
    context.become({ ...table, open: () => {} } as unknown as Handlers<M | Open>)
    context.unstashAll()
  }
  context.self.tell({ type: 'open' })
  const waiting = Object.fromEntries(Object.keys(table).map(tag => [tag, setAside]))
  return { ...waiting, open } as unknown as Handlers<M | Open>
}
