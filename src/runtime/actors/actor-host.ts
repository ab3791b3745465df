import { errorsToConsole, type Logger, type LogSink, loggerFor } from '../ports/logger.ts'
import type { Randomness } from '../ports/randomness.ts'
import { execution, type RootQueue } from '../queues/root-queue.ts'
import type { Addressed } from '../references/address.ts'
import type { StopReason } from '../supervising/termination.ts'
import { DeadLetters } from '../watching/dead-letters.ts'
import type { Recorder } from '../watching/recorder.ts'
import { throwUncaught } from '../watching/uncaught.ts'
import type { ActorSystem } from './actor.ts'
import type { WaitingMessage } from './mailbox.ts'

/** What a host is made of. */
export interface ActorHostParts {
  readonly name: string
  readonly root: RootQueue
  readonly randomness: Randomness
  readonly recorder: Recorder | undefined
  readonly isMeasured: boolean
  readonly log?: LogSink | undefined
}

/** An actor that has come to its end. */
export interface EndedActor extends Addressed {
  /** `undefined` at the top of the tree. */
  readonly parent: unknown
}

/** The shutdown of a system, as its actors report to it. */
export interface Overseer {
  /** The actor at the top of the tree has reported an error. */
  topFailed(error: unknown): void
  actorEnded(actor: EndedActor, reason: StopReason): void
}

/** What the actors of one thread share: clock, numbers, log, recorder, dead letters. It knows no actor by itself. */
export class ActorHost {
  readonly name: string
  readonly root: RootQueue
  readonly randomness: Randomness
  readonly recorder: Recorder | undefined
  readonly isMeasured: boolean
  readonly deadLetters = new DeadLetters()
  /** The system as its actors see it. */
  readonly system: ActorSystem
  /**
   * Takes a message that a failed actor leaves behind. On a worker lane the next life of such an actor is another cell,
   * so its lane keeps the messages. @returns false if nobody keeps it
   */
  keepUnhandled: ((actor: Addressed, waiting: WaitingMessage) => boolean) | undefined = undefined
  /** Learns of every end, after the listeners. */
  overseer: Overseer | undefined = undefined
  readonly #log: LogSink
  readonly #endListeners: ((actor: EndedActor, reason: StopReason) => void)[] = []
  #lastName = 0
  #lastActorId = 0
  #actors = 0

  constructor(system: ActorSystem, { name, root, randomness, recorder, isMeasured, log }: ActorHostParts) {
    this.system = system
    this.name = name
    this.root = root
    this.randomness = randomness
    this.recorder = recorder
    this.isMeasured = isMeasured
    this.#log = log ?? errorsToConsole
  }

  /** How many actors live. */
  get actorCount(): number {
    return this.#actors
  }

  /** Milliseconds of the executor's monotonic clock. */
  now(): number {
    return this.root.executor.clock.now()
  }

  wallTime(): number {
    return this.root.executor.clock.wallTime()
  }

  /** A name for an actor that was given none. */
  nextName(): string {
    return `$${++this.#lastName}`
  }

  nextActorId(): number {
    return ++this.#lastActorId
  }

  logger(path: string): Logger {
    return loggerFor(this.#log, path, execution.messageId)
  }

  /** Logs an error of an actor. */
  report(actor: { readonly path: string; readonly parent: unknown }, message: string, error: unknown): void {
    try {
      this.#log({ level: 'error', path: actor.path || '/', message, fields: { error }, cause: execution.messageId })
    } catch (failure) {
      throwUncaught(failure)
    }
    if (actor.parent === undefined) this.overseer?.topFailed(error)
  }

  /** Records an event of an actor that is no message: a start, an end, a dead letter. */
  note(kind: number, actorId: number, messageId: number, what: string): void {
    const { recorder } = this
    if (recorder?.enabled !== true) return
    recorder.record(kind, this.now(), messageId, execution.messageId, actorId, recorder.tagId(what))
  }

  /** An event of an actor, for `diagnostics_channel`. */
  event(path: string): { readonly system: string; readonly path: string; readonly atMs: number } {
    return { system: this.name, path, atMs: this.now() }
  }

  /** Calls `listener` for every actor that has come to its end. */
  onActorEnded(listener: (actor: EndedActor, reason: StopReason) => void): void {
    this.#endListeners.push(listener)
  }

  actorStarted(): void {
    this.#actors++
  }

  actorEnded(actor: EndedActor, reason: StopReason): void {
    this.#actors--
    for (const listener of this.#endListeners) listener(actor, reason)
    this.overseer?.actorEnded(actor, reason)
  }
}
