import type { QualityOfService } from '../queues/quality-of-service.ts'
import type { Target } from '../queues/root-queue.ts'
import type { RowRule } from '../supervising/row-rule.ts'
import type { RestartKind, Supervision } from '../supervising/supervision.ts'
import type { ActorContext } from './actor-context.ts'
import type { MailboxOptions } from './mailbox.ts'

/** What crosses a queue: a plain read-only object; `type` is the tag of its union. */
export interface Message {
  readonly type: string
}

/** The messages of a union that have the tag, also where one message has several. */
export type Tagged<M extends Message, Tag extends string> = M extends Message
  ? Tag extends M['type']
    ? M & { readonly type: Tag }
    : never
  : never

/**
 * One handler for each tag of the union: a missing or misspelt one is a compile error. A handler that returns a promise
 * suspends its actor until the promise settles, unless the behaviour is declared re-entrant.
 */
export type Handlers<M extends Message> = {
  readonly [Tag in M['type']]: (message: Tagged<M, Tag>) => void | PromiseLike<void>
}

/** @internal A handler under this key takes every message that has none of its own: routers and machines have it. */
export const anyMessage: unique symbol = Symbol('spimpl.anyMessage')

/** What an actor does, before it is started: made by {@link behavior}, started by `spawn`. */
export interface Behavior<M extends Message> {
  readonly setup: (context: ActorContext<M>) => Handlers<M>
  readonly options: BehaviorOptions
}

/** What a behaviour says of itself, whoever spawns it. */
export interface BehaviorOptions {
  /** How this actor supervises its children. */
  readonly supervision?: Supervision
  /** A handler that awaits lets the next message in. Default false: one message at a time, to its end. */
  readonly reentrant?: boolean
  /** How many messages may be set aside with `context.stash()`. Default 1,024. */
  readonly stashCapacity?: number
}

/**
 * Declares what an actor does. `setup` runs on the actor's own queue, once for each start and restart: what it closes over
 * is the actor's state, and nobody else can reach it.
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
  /** Unique among its siblings; one is made up when absent. */
  readonly name?: string
  /** Bounded by default: 16,384 messages, `reject`. */
  readonly mailbox?: MailboxOptions
  /** Default `transient`: restarted after a failure, gone after it stopped itself. */
  readonly restart?: RestartKind
  /**
   * How long it may take to go down, for a restart or for good, with all below it. After that it is reported (`ACTOR_LATE`) and nobody
   * waits for it: a handler that awaits is left behind and holds its queue no more; hooks are called and not awaited, and are given up
   * where another one holds its queue. Default: no limit, because a new life beside a hook that still closes something may find
   * it taken; `0` waits for nothing.
   */
  readonly stopDeadlineMs?: number
  /**
   * The queue it runs on. Default: the parent's. Actors on one serial queue never run at the same time; so a handler that awaits
   * the answer of another one there waits until its deadline.
   */
  readonly queue?: Target
  /** Its class of service, where its target is a root. */
  readonly qos?: QualityOfService
  /** The phase of shutdown in which it stops; a name of the system's `phases`. Only for actors spawned by the system. */
  readonly phase?: string
  /** @internal It is a row of a composition. */
  readonly row?: RowRule
}
