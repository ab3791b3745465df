import { SpimplError } from '../errors.ts'
import { RemoteRef } from '../lanes/remote-ref.ts'
import type { Logger } from '../ports/logger.ts'
import type { Randomness } from '../ports/randomness.ts'
import { execution } from '../queues/root-queue.ts'
import type { WatchMessage } from '../supervising/actor-lifecycle.ts'
import type { Behavior, Handlers, Message, SpawnOptions } from './actor.ts'
import type { ActorCell } from './actor-cell.ts'
import { LocalRef, type Ref } from './actor-ref.ts'
import { KeyedTimers } from './keyed-timers.ts'
import type { System } from './system.ts'

const DEFAULT_STASH_CAPACITY = 1_024

/** Of the event loop, behind a deadline: on a busy machine one may go by before a queue has its own. */
const TURNS_FOR_HOOKS = 32
const OVER = -1

interface Stashed {
  readonly message: Message
  readonly messageId: number
  readonly causeId: number
}

/**
 * What an actor has of the world: given to its `setup`, and valid until it stops or restarts. What a promise that nobody awaited
 * does with it later changes nothing in the next life.
 */
export class ActorContext<M extends Message> {
  /** @internal */
  readonly hooks: (() => void | PromiseLike<void>)[] = []
  private readonly cell: ActorCell
  private keyedTimers: KeyedTimers<M> | undefined = undefined
  private stashed: Stashed[] | undefined = undefined
  /** How often it was told that it is late; `OVER` when it is over. */
  private hurries = 0
  private describer: (() => unknown) | undefined = undefined

  constructor(cell: ActorCell) {
    this.cell = cell
  }

  private get over(): boolean {
    return this.hurries === OVER
  }

  get self(): Ref<M> {
    return this.cell.ref as unknown as Ref<M>
  }

  get path(): string {
    return this.cell.path
  }

  get system(): System {
    return this.cell.system
  }

  /**
   * The id of the message that is being handled, 0 outside a handler. Valid after an `await` too, except in a re-entrant actor,
   * where it is then that of the latest message.
   */
  get cause(): number {
    return execution.current === this.cell || this.cell.inFlight > 0 ? this.cell.mailbox.messageId : 0
  }

  get randomness(): Randomness {
    return this.cell.system.randomness
  }

  get log(): Logger {
    return this.cell.system.logger(this.cell)
  }

  get timers(): KeyedTimers<M> {
    if (this.keyedTimers === undefined) {
      this.keyedTimers = new KeyedTimers<M>(this.cell)
      if (this.over) this.keyedTimers.end()
    }
    return this.keyedTimers
  }

  /** Milliseconds of a monotonic clock, with a fraction. */
  now(): number {
    return this.cell.system.now()
  }

  /** Milliseconds since the Unix epoch. */
  wallTime(): number {
    return this.cell.system.wallTime()
  }

  /** Starts a child, supervised as this behaviour's `supervision` says. */
  spawn<C extends Message>(behavior: Behavior<C>, options: SpawnOptions = {}): Ref<C> {
    if (this.over)
      throw new SpimplError('ACTOR_STOPPED', `expected a running parent, that life of ${this.path} is over`)
    return this.cell.spawn(behavior as unknown as Behavior<Message>, options).ref as unknown as Ref<C>
  }

  /** Stops a child, or this actor when none is named: the message at hand is the last. */
  stop<C extends Message>(child?: Ref<C>): void {
    if (this.over) return
    const cell = child === undefined ? this.cell : cellOf(child)
    if (cell.parent !== this.cell && cell !== this.cell) {
      throw new SpimplError(
        'REF_FOREIGN',
        `expected a child of ${this.path}, got ${cell.path}: an actor stops only its own`,
      )
    }
    cell.lifecycle.requestStop(cell === this.cell ? 'self' : 'parent')
  }

  /**
   * Tells as the message at hand, also after an `await`, where a bare `ref.tell` no longer knows its cause.
   */
  tell<T extends Message>(ref: Ref<T>, message: T): boolean {
    if (ref instanceof RemoteRef) return ref.offerFrom(message, this.cause) === 'accepted'
    if (!(ref instanceof LocalRef)) return ref.tell(message)
    const delivery = ref.cell.offerFrom(message, this.cause)
    return delivery === 'accepted' || delivery === 'dropped-oldest'
  }

  /**
   * Asks for one notice of the end of another actor, of any lane; at once, if it is gone already. The notice comes behind the
   * messages it sent before, and is not dropped by a full mailbox.
   * @param message the notice, or what makes it of the path and the reason
   */
  watch<T extends Message>(ref: Ref<T>, message: WatchMessage<M>): void {
    if (this.over) return
    if (ref instanceof RemoteRef) this.cell.system.hub!.watches.watch(this.cell, ref, message as WatchMessage<Message>)
    else this.cell.lifecycle.watch(cellOf(ref), message as WatchMessage<Message>)
  }

  unwatch<T extends Message>(ref: Ref<T>): void {
    if (ref instanceof RemoteRef) this.cell.system.hub?.watches.unwatch(this.cell, ref)
    else this.cell.lifecycle.unwatch(cellOf(ref))
  }

  /**
   * The failure of either is the failure of both from now on, until this actor stops or restarts, or either has failed. Only of
   * this thread.
   */
  link<T extends Message>(ref: Ref<T>): void {
    if (this.over) return
    this.cell.lifecycle.link(cellOf(ref))
  }

  unlink<T extends Message>(ref: Ref<T>): void {
    this.cell.lifecycle.links.remove(cellOf(ref))
  }

  /** What `system.inspect()` shows of this actor's own state; called when somebody looks. */
  describe(describer: () => unknown): void {
    this.describer = describer
  }

  /** Runs when the actor stops or restarts, the last registered first. A promise is waited for. */
  onStop(hook: () => void | PromiseLike<void>): void {
    this.hooks.push(hook)
  }

  /** Goes on with another handler table for the same messages. */
  become(handlers: Handlers<M>): void {
    if (!this.over) this.cell.become(handlers as unknown as Handlers<Message>)
  }

  /** Sets the message at hand aside, until `unstashAll`. @returns false when the stash is full and it became a dead letter */
  stash(message: M): boolean {
    const { mailbox } = this.cell
    if (this.over) {
      this.cell.deadLetter('stopped', message, 0)
      return false
    }
    this.stashed ??= []
    if (this.stashed.length >= (this.cell.behavior.options.stashCapacity ?? DEFAULT_STASH_CAPACITY)) {
      this.cell.deadLetter('stash-full', message, mailbox.messageId)
      return false
    }
    this.stashed.push({ message, messageId: mailbox.messageId, causeId: mailbox.causeId })
    return true
  }

  /** Puts what was stashed before everything that waits, in its order. */
  unstashAll(): void {
    const stashed = this.stashed ?? []
    this.stashed = undefined
    for (const { message, messageId, causeId } of stashed.reverse()) {
      this.cell.mailbox.unshift(message, messageId, causeId)
    }
    this.cell.schedule()
  }

  /** @internal */
  description(): unknown {
    try {
      return this.describer?.()
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }

  /** @internal */
  get timerCount(): number {
    return this.keyedTimers?.size ?? 0
  }

  /** @internal */
  get stashSize(): number {
    return this.stashed?.length ?? 0
  }

  /** @internal What its handlers and hooks promise is waited for; no more once this life is late, or over. */
  get awaited(): boolean {
    return this.hurries === 0
  }

  /** @internal It is late. If its queue gives it no turn for its hooks, because another one holds that, it gives them up. */
  hurry(): void {
    if (++this.hurries > TURNS_FOR_HOOKS) this.hooks.length = 0
  }

  /** @internal Calls its hooks, up to one that takes its time. @returns its promise, which never rejects; `undefined` when all are done */
  runHooks(): Promise<void> | undefined {
    const failed = (error: unknown) => this.cell.system.report(this.cell, 'failed in onStop', error)
    for (let hook = this.hooks.pop(); hook !== undefined; hook = this.hooks.pop()) {
      try {
        const result = hook()
        // A foreign thenable may throw, or call back at once; a promise is passed through as it is.
        if (typeof result?.then === 'function') return Promise.resolve(result).catch(failed)
      } catch (error) {
        failed(error)
      }
    }
    return undefined
  }

  /** @internal What was stashed returns to the mailbox, because the next life of the actor may want it. */
  dispose(): void {
    this.hurries = OVER
    this.keyedTimers?.end()
    this.cell.system.hub?.watches.forgetWatcher(this.cell)
    this.unstashAll()
  }
}

/** The cell behind a reference of this thread. */
export function cellOf<M extends Message>(ref: Ref<M>): ActorCell {
  if (ref instanceof LocalRef) return ref.cell
  throw new SpimplError('REF_FOREIGN', `expected a reference to an actor of this system, got one to ${ref.path}`)
}
