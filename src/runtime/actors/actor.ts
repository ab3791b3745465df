import type { Logger } from '../ports/logger.ts'
import type { Randomness } from '../ports/randomness.ts'
import type { QualityOfService } from '../queues/quality-of-service.ts'
import type { RootQueue, Target } from '../queues/root-queue.ts'
import type { Ref } from '../references/actor-ref.ts'
import type { RowRule } from '../supervising/row-rule.ts'
import type { RestartKind, Supervision } from '../supervising/supervision.ts'
import type { WatchMessage } from '../supervising/termination.ts'
import type { ShutdownReport } from '../system/shutdown-report.ts'
import type { DeadLetters } from '../watching/dead-letters.ts'
import type { Inspection } from '../watching/inspection.ts'
import type { Recorder } from '../watching/recorder.ts'
import type { KeyedTimers } from './keyed-timers.ts'
import type { MailboxOptions } from './mailbox.ts'
import type { Handlers, Message } from './message.ts'

/** What an actor does, before it is started: made by {@link behavior}, started by `spawn`. */
export interface Behavior<M extends Message> {
  readonly setup: (context: ActorContext<M>) => Handlers<M>
  readonly options: BehaviorOptions
}

/** Properties of a behaviour, whoever spawns it. */
export interface BehaviorOptions {
  /** How this actor supervises its children. */
  readonly supervision?: Supervision
  /** While a handler awaits, the next message is handled. Default false: one message at a time, to its end. */
  readonly reentrant?: boolean
  /** How many messages may be set aside with `context.stash()`. Default 1,024. */
  readonly stashCapacity?: number
}

/**
 * Declares what an actor does. `setup` runs on the actor's own queue, once for each start and restart: the variables of
 * its closure are the actor's state, and nobody else can reach them.
 *
 * @example
 * type Counter = { type: 'add', by: number } | { type: 'read', replyTo: ReplyTo<number> }
 * const counter = behavior<Counter>(() => {
 *   let n = 0
 *   return {
 *     add: ({ by }) => { n += by },
 *     read: ({ replyTo }) => { replyTo.tell(n) },
 *   }
 * })
 */
export function behavior<M extends Message>(
  setup: (context: ActorContext<M>) => Handlers<M>,
  options: BehaviorOptions = {},
): Behavior<M> {
  return { setup, options }
}

/** How an actor is started. */
export interface SpawnOptions {
  /** Unique among its siblings. Default: a generated name. */
  readonly name?: string
  /** Bounded by default: 16,384 messages, `reject`. */
  readonly mailbox?: MailboxOptions
  /** Default `transient`: restarted after a failure, gone after it stopped itself. */
  readonly restart?: RestartKind
  /**
   * How long the actor and its descendants may take to stop, for a restart or for good. An actor that is late is
   * reported (`ACTOR_LATE`) and abandoned: a handler that awaits holds its queue no longer; hooks are called but not
   * awaited, and are skipped if another actor holds their queue. Default: no limit, because a new life beside a hook
   * that is still closing a resource may find the resource taken. `0` waits for nothing.
   */
  readonly stopDeadlineMs?: number
  /**
   * The queue it runs on. Default: the parent's. Actors on one serial queue never run at the same time; so a handler
   * that awaits the answer of another actor of its queue waits until the deadline of the question.
   */
  readonly queue?: Target
  /** Its class of service, where its target is a root. */
  readonly qos?: QualityOfService
  /**
   * The phase of shutdown in which it stops; a name of the system's `phases`. Only for actors spawned by the system.
   */
  readonly phase?: string
  /** @internal It is a row of a composition. */
  readonly row?: RowRule
}

/**
 * What an actor can do: given to its `setup`, and valid until it stops or restarts. A promise of an earlier life that
 * uses its context changes nothing in the next life.
 */
export interface ActorContext<M extends Message> {
  readonly self: Ref<M>
  readonly path: string
  readonly system: ActorSystem
  /**
   * The id of the message that is being handled, 0 outside a handler. It is valid after an `await` too, except in a
   * re-entrant actor, where it is that of the latest message then.
   */
  readonly cause: number
  readonly randomness: Randomness
  readonly log: Logger
  readonly timers: KeyedTimers<M>
  /** Milliseconds of a monotonic clock, with a fraction. */
  now(): number
  /** Milliseconds since the Unix epoch. */
  wallTime(): number
  /** Starts a child, supervised as this behaviour's `supervision` says. */
  spawn<C extends Message>(behavior: Behavior<C>, options?: SpawnOptions): Ref<C>
  /** Stops a child, or this actor if none is named: then the current message is its last. */
  stop<C extends Message>(child?: Ref<C>): void
  /**
   * Sends with the current message as the cause, also after an `await`, where a bare `ref.tell` no longer knows its
   * cause.
   */
  tell<T extends Message>(ref: Ref<T>, message: T): boolean
  /**
   * Asks for one notice of the end of another actor, of any lane; at once if it has ended. The notice arrives behind
   * the messages that the other actor sent before, also in a full mailbox.
   * @param message the notice, or the function that builds it
   */
  watch<T extends Message>(ref: Ref<T>, message: WatchMessage<M>): void
  unwatch<T extends Message>(ref: Ref<T>): void
  /**
   * From now on the failure of one is the failure of the other, until this actor stops or restarts, or either has
   * failed. Only for actors of one thread.
   */
  link<T extends Message>(ref: Ref<T>): void
  unlink<T extends Message>(ref: Ref<T>): void
  /** What `system.inspect()` shows of this actor's own state; called by each inspection. */
  describe(describer: () => unknown): void
  /** Runs when the actor stops or restarts, the latest registered hook first. A promise is awaited. */
  onStop(hook: () => void | PromiseLike<void>): void
  /** Replaces the handlers for the following messages. */
  become(handlers: Handlers<M>): void
  /**
   * Sets the current message aside, until `unstashAll`.
   * @returns false if the stash is full and the message became a dead letter
   */
  stash(message: M): boolean
  /** Returns the stashed messages to the front of the mailbox, in their order. */
  unstashAll(): void
}

/** A tree of actors on one JavaScript thread, as its actors see it; {@link System} makes one. */
export interface ActorSystem {
  readonly name: string
  /** The root queue of this thread. */
  readonly main: RootQueue
  readonly randomness: Randomness
  readonly deadLetters: DeadLetters
  readonly recorder: Recorder | undefined
  /** How many actors live. */
  readonly actorCount: number
  /** Settles when the system has stopped, by whatever cause. */
  readonly terminated: Promise<ShutdownReport>
  /** Milliseconds of the executor's monotonic clock. */
  now(): number
  /** Milliseconds since the Unix epoch. */
  wallTime(): number
  /**
   * @throws SpimplError `ACTOR_STOPPED` once the system stops, `ACTOR_NAME_TAKEN`, `CONFIG_INVALID`,
   * `QUEUE_TARGET_INVALID`
   */
  spawn<M extends Message>(behavior: Behavior<M>, options?: SpawnOptions): Ref<M>
  /** Stops an actor and its descendants. @param options `drain`: the waiting messages are handled first */
  stopActor<M extends Message>(ref: Ref<M>, options?: { readonly drain?: boolean }): void
  /** Fails an actor as if its handler had thrown: for drills and tests of supervision. */
  failActor<M extends Message>(ref: Ref<M>, error: Error): void
  /** The tree of actors as data; `formatTree` prints it. */
  inspect(): Inspection
  /** Stops every actor, phase by phase, and reports the late ones. A second call waits for the same end. */
  stop(options?: { readonly deadlineMs?: number }): Promise<ShutdownReport>
}
