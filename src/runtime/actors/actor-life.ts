import { received, SpimplError } from '../errors.ts'
import type { Logger } from '../ports/logger.ts'
import type { Randomness } from '../ports/randomness.ts'
import { execution } from '../queues/root-queue.ts'
import type { Ref } from '../references/actor-ref.ts'
import { type LocalActor, type LocalRef, localActorOf } from '../references/local-ref.ts'
import { isAccepted, Reference } from '../references/reference.ts'
import type { ActorLifecycle } from '../supervising/actor-lifecycle.ts'
import type { Life } from '../supervising/life.ts'
import type { WatchMessage } from '../supervising/termination.ts'
import type { DeadLetterReason } from '../watching/dead-letters.ts'
import type { ActorContext, ActorSystem, Behavior, SpawnOptions } from './actor.ts'
import type { ActorHost } from './actor-host.ts'
import { KeyedTimers, type TimedActor } from './keyed-timers.ts'
import type { Mailbox, WaitingMessage } from './mailbox.ts'
import type { Handlers, Message } from './message.ts'

const DEFAULT_STASH_CAPACITY = 1_024

/**
 * Turns of the event loop that a late life keeps its hooks: on a busy machine one turn may pass before its queue has
 * its own.
 */
const TURNS_FOR_HOOKS = 32

/** An actor as its lives use it. */
export interface EmbodiedActor extends LocalActor, TimedActor {
  readonly host: ActorHost
  readonly ref: LocalRef<Message>
  readonly behavior: Behavior<Message>
  readonly lifecycle: ActorLifecycle
  readonly mailbox: Mailbox
  /** Handlers that await. */
  readonly inFlight: number
  spawn(behavior: Behavior<Message>, options: SpawnOptions): { readonly ref: LocalRef<Message> }
  schedule(): void
  /** Installs handlers; `undefined` removes them. */
  become(handlers: Handlers<Message> | undefined): void
  deadLetter(reason: DeadLetterReason, message: Message, messageId: number): void
}

/** One life of an actor, and the context that the behaviour has in it. */
export class ActorLife<M extends Message> implements ActorContext<M>, Life {
  readonly #actor: EmbodiedActor
  readonly #hooks: (() => void | PromiseLike<void>)[] = []
  #timers: KeyedTimers<M> | undefined = undefined
  #stashed: WaitingMessage[] | undefined = undefined
  #describer: (() => unknown) | undefined = undefined
  /** Turns since its deadline passed. */
  #lateTurns = 0
  #isOver = false

  constructor(actor: EmbodiedActor) {
    this.#actor = actor
  }

  get self(): Ref<M> {
    return this.#actor.ref as unknown as Ref<M>
  }

  get path(): string {
    return this.#actor.path
  }

  get system(): ActorSystem {
    return this.#actor.host.system
  }

  get cause(): number {
    const isCurrent = (execution.current as unknown) === this.#actor
    return isCurrent || this.#actor.inFlight > 0 ? this.#actor.mailbox.messageId : 0
  }

  get randomness(): Randomness {
    return this.#actor.host.randomness
  }

  get log(): Logger {
    return this.#actor.host.logger(this.path)
  }

  get timers(): KeyedTimers<M> {
    if (this.#timers === undefined) {
      this.#timers = new KeyedTimers<M>(this.#actor)
      if (this.#isOver) this.#timers.end()
    }
    return this.#timers
  }

  now(): number {
    return this.#actor.host.now()
  }

  wallTime(): number {
    return this.#actor.host.wallTime()
  }

  spawn<C extends Message>(behavior: Behavior<C>, options: SpawnOptions = {}): Ref<C> {
    if (this.#isOver) {
      throw new SpimplError('ACTOR_STOPPED', `expected a running parent, this life of ${this.path} is over`)
    }
    return this.#actor.spawn(behavior as unknown as Behavior<Message>, options).ref as unknown as Ref<C>
  }

  stop<C extends Message>(child?: Ref<C>): void {
    if (this.#isOver) return
    const stopped = child === undefined ? this.#actor : localActorOf(child)
    if (stopped !== this.#actor && stopped.parent !== this.#actor) {
      throw new SpimplError(
        'REF_FOREIGN',
        `expected a child of ${this.path}, got ${stopped.path}: an actor stops only its own`,
      )
    }
    stopped.lifecycle.requestStop(stopped === this.#actor ? 'self' : 'parent')
  }

  tell<T extends Message>(ref: Ref<T>, message: T): boolean {
    return ref instanceof Reference ? isAccepted(ref.offerFrom(message, this.cause)) : ref.tell(message)
  }

  watch<T extends Message>(ref: Ref<T>, message: WatchMessage<M>): void {
    if (!this.#isOver) referenceOf(ref).watchedBy(this.#actor.lifecycle, message as WatchMessage<Message>)
  }

  unwatch<T extends Message>(ref: Ref<T>): void {
    referenceOf(ref).unwatchedBy(this.#actor.lifecycle)
  }

  link<T extends Message>(ref: Ref<T>): void {
    if (!this.#isOver) this.#actor.lifecycle.links.add(localActorOf(ref).lifecycle.links)
  }

  unlink<T extends Message>(ref: Ref<T>): void {
    this.#actor.lifecycle.links.remove(localActorOf(ref).lifecycle.links)
  }

  describe(describer: () => unknown): void {
    this.#describer = describer
  }

  onStop(hook: () => void | PromiseLike<void>): void {
    this.#hooks.push(hook)
  }

  become(handlers: Handlers<M>): void {
    if (!this.#isOver) this.#actor.become(handlers as unknown as Handlers<Message>)
  }

  stash(message: M): boolean {
    const { messageId, causeId } = this.#actor.mailbox
    if (this.#isOver) {
      this.#actor.deadLetter('stopped', message, 0)
      return false
    }
    this.#stashed ??= []
    if (this.#stashed.length >= (this.#actor.behavior.options.stashCapacity ?? DEFAULT_STASH_CAPACITY)) {
      this.#actor.deadLetter('stash-full', message, messageId)
      return false
    }
    this.#stashed.push({ message, messageId, causeId })
    return true
  }

  unstashAll(): void {
    const stashed = this.#stashed ?? []
    this.#stashed = undefined
    for (const { message, messageId, causeId } of stashed.reverse()) {
      this.#actor.mailbox.unshift(message, messageId, causeId)
    }
    this.#actor.schedule()
  }

  /** @internal What `describe` was given says now. */
  get description(): unknown {
    try {
      return this.#describer?.()
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }

  /** @internal */
  get timerCount(): number {
    return this.#timers?.size ?? 0
  }

  /** @internal */
  get stashSize(): number {
    return this.#stashed?.length ?? 0
  }

  /** @internal */
  get hasHooks(): boolean {
    return this.#hooks.length > 0
  }

  /** @internal */
  get isAwaited(): boolean {
    return this.#lateTurns === 0 && !this.#isOver
  }

  /** @internal */
  begin(): void {
    const handlers: unknown = this.#actor.behavior.setup(this as unknown as ActorContext<Message>)
    if (typeof handlers !== 'object' || handlers === null) {
      throw new SpimplError(
        'CONFIG_INVALID',
        `expected handlers from the setup of ${this.path}, got ${received(handlers)}`,
      )
    }
    this.#actor.become(handlers as Handlers<Message>)
  }

  /**
   * @internal If its queue gives it no turn for its hooks, because another actor holds the queue, the hooks are
   * skipped.
   */
  markLate(): void {
    if (++this.#lateTurns > TURNS_FOR_HOOKS) this.#hooks.length = 0
  }

  /** @internal */
  runHooks(): Promise<void> | undefined {
    const failed = (error: unknown) => this.#actor.host.report(this.#actor, 'failed in onStop', error)
    for (let hook = this.#hooks.pop(); hook !== undefined; hook = this.#hooks.pop()) {
      try {
        const result = hook()
        // A foreign thenable may throw, or call back at once; `resolve` passes a promise through as it is.
        if (typeof result?.then === 'function') return Promise.resolve(result).catch(failed)
      } catch (error) {
        failed(error)
      }
    }
    return undefined
  }

  /** @internal */
  end(): void {
    this.#isOver = true
    this.#timers?.end()
    this.unstashAll()
    this.#actor.become(undefined)
  }
}

/** A reference as the runtime uses it. */
function referenceOf<M extends Message>(ref: Ref<M>): Reference<M> {
  if (ref instanceof Reference) return ref
  throw new SpimplError('REF_FOREIGN', `expected a reference to an actor, got another object with the path ${ref.path}`)
}
