import { SpimplError } from '../errors.ts'
import { hold, release } from '../queues/holding.ts'
import { bandOf } from '../queues/quality-of-service.ts'
import { type Drainable, execution, type RootQueue, rootBand, type Target } from '../queues/root-queue.ts'
import type { Delivery, Ref } from '../references/actor-ref.ts'
import { failAsks } from '../references/ask.ts'
import { LocalRef, localActorOf } from '../references/local-ref.ts'
import { isAccepted } from '../references/reference.ts'
import { ActorLifecycle, type LivingActor } from '../supervising/actor-lifecycle.ts'
import type { Life } from '../supervising/life.ts'
import { checkStopDeadline } from '../supervising/stop-deadline.ts'
import type { Supervision } from '../supervising/supervision.ts'
import type { StopReason } from '../supervising/termination.ts'
import { type DeadLetterReason, type DeadLetters, undelivered } from '../watching/dead-letters.ts'
import { diagnostics } from '../watching/diagnostics.ts'
import { ActorMetrics } from '../watching/histogram.ts'
import { DEAD_LETTER, HANDLED, type Recorder } from '../watching/recorder.ts'
import type { Behavior, SpawnOptions } from './actor.ts'
import type { ActorHost } from './actor-host.ts'
import { ActorLife, type EmbodiedActor } from './actor-life.ts'
import { type Handler, type HandlerTable, handlerOf } from './handler-table.ts'
import { capacityOf, Mailbox } from './mailbox.ts'
import type { Handlers, Message } from './message.ts'
import { SystemMessage, stopOrder, takeOldestDroppable } from './system-message.ts'

/**
 * One actor as the runtime uses it: a serial queue whose items are messages. Messages wait in its mailbox; a turn takes
 * messages and calls the handlers of their tags. Start, failure and stop are in {@link ActorLifecycle}.
 */
export class ActorCell implements Drainable, LivingActor, EmbodiedActor {
  readonly id: number
  readonly host: ActorHost
  readonly parent: ActorCell | undefined
  readonly name: string
  readonly behavior: Behavior<Message>
  readonly options: SpawnOptions
  readonly target: Target
  readonly root: RootQueue
  readonly band: number
  readonly ref: LocalRef<Message>
  readonly mailbox = new Mailbox()
  readonly capacity: number
  readonly lifecycle: ActorLifecycle
  readonly isReentrant: boolean
  readonly metrics: ActorMetrics | undefined
  /** Made with the first child, because most actors have none. */
  children: Map<string, ActorCell> | undefined = undefined
  inFlight = 0
  processed = 0
  dropped = 0
  private handlers: HandlerTable | undefined = undefined
  private lastTag = ''
  private lastHandler: Handler | undefined = undefined
  private lastTagId = 0
  /** The actor has a turn now. */
  private isDraining = false
  private readonly recorder: Recorder | undefined
  /** A recorder or histograms are on: messages take the longer way. */
  private readonly isObserved: boolean
  /** Messages that its mailbox takes: the capacity, 0 once the actor has stopped. */
  private room: number
  /** The actor is in its target's ready list, or drains. */
  private isScheduled = false

  constructor(
    host: ActorHost,
    parent: ActorCell | undefined,
    name: string,
    behavior: Behavior<Message>,
    options: SpawnOptions,
    target: Target,
  ) {
    this.id = host.nextActorId()
    this.host = host
    this.recorder = host.recorder
    this.isReentrant = behavior.options.reentrant === true
    this.isObserved = host.isMeasured || host.recorder !== undefined
    this.metrics = host.isMeasured ? new ActorMetrics() : undefined
    this.parent = parent
    this.name = name
    this.behavior = behavior
    this.options = options
    this.target = target
    this.root = target.root
    this.band = options.qos === undefined ? rootBand(undefined) : bandOf(options.qos)
    this.capacity = capacityOf(options.mailbox)
    this.room = this.capacity
    checkStopDeadline(options.stopDeadlineMs)
    this.lifecycle = new ActorLifecycle(this)
    this.ref = new LocalRef(this)
  }

  get path(): string {
    if (this.parent === undefined) return ''
    return `${this.parent.path}/${this.name}`
  }

  get deadLetters(): DeadLetters {
    return this.host.deadLetters
  }

  get supervision(): Supervision {
    return this.behavior.options.supervision ?? {}
  }

  get hasStopped(): boolean {
    return this.lifecycle.hasStopped
  }

  get isBusy(): boolean {
    return this.isDraining || this.inFlight > 0
  }

  get isUnderRoot(): boolean {
    return this.target === this.root
  }

  /** Nearly every message passes here: nothing may allocate. */
  tell(message: Message): boolean {
    const { mailbox } = this
    if (mailbox.size < this.room && this.metrics === undefined) {
      mailbox.push(message, ++this.root.lastMessageId, execution.messageId)
      if (!this.isScheduled) this.schedule()
      return true
    }
    return isAccepted(this.offer(message))
  }

  offer(message: Message): Delivery {
    return this.offerFrom(message, execution.messageId)
  }

  offerFrom(message: Message, causeId: number): Delivery {
    if (this.mailbox.size >= this.room) return this.overflow(message, causeId)
    this.put(message, ++this.root.lastMessageId, causeId)
    return 'accepted'
  }

  receive(message: Message, messageId: number, causeId: number): void {
    if (this.mailbox.size >= this.room) this.overflow(message, causeId)
    else this.put(message, messageId, causeId)
  }

  /**
   * Delivers a message that must not be lost (a timer, a notice, an order) in the order of the mailbox, beyond its
   * capacity.
   */
  deliver(message: Message, causeId = execution.messageId): void {
    if (this.lifecycle.hasStopped) return
    const isDroppable = this.options.mailbox?.overflow === 'drop-oldest' && !(message instanceof SystemMessage)
    const kept = isDroppable ? new SystemMessage(actor => actor.handle(message), message) : message
    this.put(kept, ++this.root.lastMessageId, causeId)
  }

  private put(message: Message, messageId: number, causeId: number): void {
    if (this.metrics === undefined) this.mailbox.push(message, messageId, causeId)
    else this.mailbox.pushAt(message, messageId, causeId, this.host.now())
    if (!this.isScheduled) this.schedule()
  }

  /** Stops the actor behind the waiting messages. */
  deliverStop(): void {
    this.deliver(stopOrder)
  }

  schedule(): void {
    if (this.isScheduled || !this.isRunnable) return
    this.isScheduled = true
    this.target.enqueue(this)
  }

  private get isRunnable(): boolean {
    if (this.inFlight > 0 && !this.isReentrant) return false
    return this.lifecycle.isRunning ? this.mailbox.size > 0 : this.lifecycle.wantsTurn
  }

  drain(root: RootQueue): boolean {
    const outer = execution.current
    const outerId = execution.messageId
    execution.current = this
    this.isDraining = true
    const { lifecycle, mailbox } = this
    if (lifecycle.isStarting) lifecycle.start()
    const { disturbances } = root
    let turns = root.itemsPerTurn
    while (lifecycle.isRunning && mailbox.size > 0 && (this.inFlight === 0 || this.isReentrant)) {
      this.handle(mailbox.shift() as Message)
      if (root.ran() || --turns === 0 || root.disturbances !== disturbances) break
    }
    this.isDraining = false
    if (!lifecycle.isRunning) lifecycle.advanceOnTurn()
    execution.current = outer
    execution.messageId = outerId
    // It counts as scheduled until here, so that nothing enqueues it a second time.
    this.isScheduled = this.isRunnable
    return this.isScheduled
  }

  become(handlers: Handlers<Message> | undefined): void {
    this.handlers = handlers as HandlerTable | undefined
    this.lastTag = ''
    this.lastHandler = undefined
  }

  closeMailbox(hasFailed: boolean): void {
    const { host, mailbox } = this
    this.room = 0
    while (mailbox.size > 0) {
      const item = mailbox.shift() as Message
      const message = item instanceof SystemMessage ? item.message : item
      if (message === undefined) continue
      const { messageId, causeId } = mailbox
      const isKept = hasFailed && host.keepUnhandled?.(this, { message, messageId, causeId }) === true
      if (!isKept) this.deadLetter('stopped', message, messageId)
    }
    mailbox.release()
  }

  deadLetter(reason: DeadLetterReason, message: Message, messageId: number): void {
    const { host, id, path } = this
    this.dropped++
    host.deadLetters.publish(reason, message, path, messageId)
    host.note(DEAD_LETTER, id, messageId, reason)
    const { deadLetter: channel } = diagnostics
    if (channel.hasSubscribers) channel.publish({ ...host.event(path), reason, message })
    failAsks(message, undelivered(reason, message, path))
  }

  /** Handles the message that was taken from the mailbox last. */
  handle(message: Message): void {
    execution.messageId = this.mailbox.messageId
    this.processed++
    try {
      const tag = message.type
      const handler = tag === this.lastTag ? this.lastHandler : this.find(tag)
      if (handler === undefined) {
        this.refuse(message)
        return
      }
      if (this.isObserved) this.observe(handler, message)
      else this.call(handler, message)
    } catch (error) {
      this.failAsk(message, error)
      this.lifecycle.fail(error)
    }
  }

  private call(handler: Handler, message: Message): void {
    const result = handler.call(this.handlers, message)
    if (result !== undefined && typeof result?.then === 'function') this.await(result, message)
  }

  /** The asker learns of the failure now: the message is lost, and with it the answer. */
  private failAsk(message: Message, cause: unknown): void {
    failAsks(message, new SpimplError('ACTOR_FAILED', `expected an answer of ${this.path}, it failed`, { cause }))
  }

  /** A message without a handler: an order of the runtime, or a message that should not have been sent. */
  private refuse(message: Message): void {
    if (message instanceof SystemMessage) {
      this.processed--
      message.carryOut(this)
      return
    }
    this.deadLetter('message-unknown', message, this.mailbox.messageId)
    this.lifecycle.fail(undelivered('message-unknown', message, this.path))
  }

  private observe(handler: Handler, message: Message): void {
    const { recorder, mailbox, metrics } = this
    if (recorder?.enabled === true) {
      recorder.record(HANDLED, this.root.nowMs, mailbox.messageId, mailbox.causeId, this.id, this.lastTagId)
    }
    if (metrics === undefined) this.call(handler, message)
    else this.callMeasured(handler, message, metrics)
  }

  /** The time of a handler that awaits ends at its first `await`. */
  private callMeasured(handler: Handler, message: Message, metrics: ActorMetrics): void {
    const { clock } = this.root.executor
    const startMs = clock.now()
    if (this.mailbox.enqueuedMs >= 0) metrics.inMailbox.record(startMs - this.mailbox.enqueuedMs)
    try {
      this.call(handler, message)
    } finally {
      metrics.inHandler.record(clock.now() - startMs)
    }
  }

  private find(tag: string): Handler | undefined {
    const handler = handlerOf(this.handlers!, tag)
    if (handler === undefined) return undefined
    this.lastTag = tag
    if (this.recorder !== undefined) this.lastTagId = this.recorder.tagId(tag)
    this.lastHandler = handler
    return handler
  }

  /**
   * While a handler's promise is pending this queue is held, and every queue above it, because exclusion comes from
   * there.
   */
  private await(promise: PromiseLike<void>, message: Message): void {
    const life = this.lifecycle.life!
    this.inFlight++
    hold(this.target)
    // A foreign thenable may throw, or call back twice; `resolve` passes a promise through as it is.
    Promise.resolve(promise).then(
      () => {
        if (life.isAwaited) this.release()
      },
      error => {
        this.failAsk(message, error)
        if (life.isAwaited) {
          this.lifecycle.fail(error)
          this.release()
        } else this.host.report(this, 'failed after it was abandoned', error)
      },
    )
  }

  releaseInFlight(): void {
    while (this.inFlight > 0) this.release()
  }

  private release(): void {
    this.inFlight--
    release(this.target)
    this.lifecycle.advance()
    this.schedule()
  }

  private overflow(message: Message, causeId: number): Delivery {
    const messageId = ++this.root.lastMessageId
    if (this.lifecycle.hasStopped) {
      this.deadLetter('stopped', message, messageId)
      return 'stopped'
    }
    const policy = this.options.mailbox?.overflow ?? 'reject'
    if (policy !== 'drop-oldest') {
      const delivery = policy === 'reject' ? 'mailbox-full' : 'dropped-newest'
      this.deadLetter(delivery, message, messageId)
      return delivery
    }
    const oldest = takeOldestDroppable(this.mailbox)
    this.put(message, messageId, causeId)
    // If only system messages wait, they do not count against the capacity.
    if (oldest === undefined) return 'accepted'
    this.deadLetter('dropped-oldest', oldest.message, oldest.messageId)
    return 'dropped-oldest'
  }

  newLife(): Life {
    return new ActorLife<Message>(this)
  }

  /** Starts a child. */
  spawn(behavior: Behavior<Message>, options: SpawnOptions): ActorCell {
    if (!this.lifecycle.takesChildren) {
      const parent = this.path || 'the system'
      throw new SpimplError('ACTOR_STOPPED', `expected a running parent, ${parent} has stopped or restarts`)
    }
    this.children ??= new Map()
    const name = options.name ?? this.host.nextName()
    if (this.children.has(name)) {
      throw new SpimplError('ACTOR_NAME_TAKEN', `expected a new name under ${this.path}/, ${name} is taken`)
    }
    const queue = options.queue ?? this.target
    if (queue.root !== this.host.root) {
      throw new SpimplError(
        'QUEUE_TARGET_INVALID',
        `expected a queue of this system for ${this.path}/${name}, got one of another root: give it the target system.main`,
      )
    }
    const child = new ActorCell(this.host, this, name, behavior, options, queue)
    this.children.set(name, child)
    this.host.actorStarted()
    child.schedule()
    return child
  }

  childEnded(child: ActorCell, reason: StopReason): void {
    this.children?.delete(child.name)
    this.host.actorEnded(child, reason)
    this.lifecycle.advance()
  }
}

/** The actor behind a reference of this thread. @throws SpimplError `REF_FOREIGN` */
export function cellOf<M extends Message>(ref: Ref<M>): ActorCell {
  const actor = localActorOf(ref)
  if (actor instanceof ActorCell) return actor
  throw new SpimplError('REF_FOREIGN', `expected an actor of the runtime behind the reference to ${ref.path}`)
}
