import { SpimplError } from '../errors.ts'
import { bandOf } from '../queues/quality-of-service.ts'
import { type Drainable, execution, type RootQueue, rootBand, type Target } from '../queues/root-queue.ts'
import { Lifecycle, type StopReason } from '../supervising/actor-lifecycle.ts'
import type { SupervisionPolicy } from '../supervising/supervision.ts'
import { type DeadLetterReason, undelivered } from '../watching/dead-letters.ts'
import { diagnostics } from '../watching/diagnostics.ts'
import { ActorMetrics } from '../watching/histogram.ts'
import { DEAD_LETTER, HANDLED, type Recorder } from '../watching/recorder.ts'
import { anyMessage, type Behavior, type Handlers, type Message, type SpawnOptions } from './actor.ts'
import type { ActorContext } from './actor-context.ts'
import { type Delivery, LocalRef } from './actor-ref.ts'
import { failAsks } from './ask.ts'
import { DEFAULT_MAILBOX_CAPACITY, Mailbox } from './mailbox.ts'
import type { System } from './system.ts'
import { SYSTEM_TAG, SystemMessage, stopOrder, takeOldestDroppable } from './system-message.ts'

type Handler = (message: Message) => void | PromiseLike<void>
type AnyBehavior = Behavior<Message>

/**
 * One actor as the runtime sees it: a serial queue whose items are messages. What it is told waits in its mailbox; a turn
 * takes messages and calls the handler of their tag. Its start, failure and end are in {@link Lifecycle}.
 */
export class ActorCell implements Drainable {
  readonly id: number
  readonly system: System
  readonly parent: ActorCell | undefined
  readonly name: string
  readonly behavior: AnyBehavior
  readonly options: SpawnOptions
  readonly target: Target
  readonly root: RootQueue
  readonly band: number
  readonly ref: LocalRef<Message>
  readonly mailbox = new Mailbox()
  readonly capacity: number
  readonly lifecycle: Lifecycle
  /** Lazily made, because most actors have none. */
  children: Map<string, ActorCell> | undefined = undefined
  policy: SupervisionPolicy | undefined = undefined
  inFlight = 0
  /** Whether messages may be handled: it has started, has not failed and does not stop. */
  open = false
  /** It has come to its end: whatever it is told is a dead letter. */
  closed = false
  /** It is to run its `setup` in its next turn. */
  startRequested = false
  /** It is to run its `onStop` hooks in its next turn. */
  endRequested = false
  /** It has a turn now. */
  draining = false
  incarnation: ActorContext<Message> | undefined = undefined
  metrics: ActorMetrics | undefined = undefined
  processed = 0
  dropped = 0
  restarts = 0
  private handlers: Readonly<Record<string, Handler>> | undefined = undefined
  private lastTag = ''
  private lastHandler: Handler | undefined = undefined
  private lastTagId = 0
  private readonly recorder: Recorder | undefined
  readonly reentrant: boolean
  /** Somebody records or measures: messages take the longer way. */
  private readonly observed: boolean
  /** It is in its target's ready list, or drains. */
  private scheduled = false

  constructor(
    system: System,
    parent: ActorCell | undefined,
    name: string,
    behavior: AnyBehavior,
    options: SpawnOptions,
    target: Target,
  ) {
    this.id = system.nextActorId()
    this.system = system
    this.recorder = system.recorder
    this.reentrant = behavior.options.reentrant === true
    this.observed = system.measured || system.recorder !== undefined
    if (system.measured) this.metrics = new ActorMetrics()
    this.parent = parent
    this.name = name
    this.behavior = behavior
    this.options = options
    this.target = target
    this.root = target.root
    this.band = options.qos === undefined ? rootBand(undefined) : bandOf(options.qos)
    this.capacity = options.mailbox?.capacity ?? DEFAULT_MAILBOX_CAPACITY
    if (!(this.capacity >= 1)) {
      throw new SpimplError('CONFIG_INVALID', `expected room for a message in a mailbox, got capacity ${this.capacity}`)
    }
    if (!((options.stopDeadlineMs ?? 0) >= 0)) {
      throw new SpimplError('CONFIG_INVALID', `expected a stopDeadlineMs from 0 on, got ${options.stopDeadlineMs}`)
    }
    this.lifecycle = new Lifecycle(this)
    this.ref = new LocalRef(this)
  }

  get path(): string {
    if (this.parent === undefined) return ''
    return `${this.parent.path}/${this.name}`
  }

  /** The path of nearly every message: nothing here may allocate. */
  tell(message: Message): boolean {
    const { mailbox } = this
    if (mailbox.size < this.capacity && !this.closed && this.metrics === undefined) {
      mailbox.push(message, ++this.root.lastMessageId, execution.messageId)
      if (!this.scheduled) this.schedule()
      return true
    }
    const delivery = this.offer(message)
    return delivery === 'accepted' || delivery === 'dropped-oldest'
  }

  offer(message: Message): Delivery {
    return this.offerFrom(message, execution.messageId)
  }

  /** @param causeId the message on whose account this one is sent, 0 for none */
  offerFrom(message: Message, causeId: number): Delivery {
    if (this.mailbox.size >= this.capacity || this.closed) return this.overflow(message, causeId)
    this.put(message, ++this.root.lastMessageId, causeId)
    return 'accepted'
  }

  /** Takes a message of another lane, which has its ids already. */
  receive(message: Message, messageId: number, causeId: number): void {
    if (this.mailbox.size >= this.capacity || this.closed) this.overflow(message, causeId)
    else this.put(message, messageId, causeId)
  }

  /** Delivers what must not be lost, in the mailbox's order but beyond its capacity: timers, notices, stop. */
  deliver(message: Message, causeId = execution.messageId): void {
    if (this.closed) return
    const droppable = this.options.mailbox?.overflow === 'drop-oldest' && !(message instanceof SystemMessage)
    const kept = droppable ? new SystemMessage(cell => cell.handle(message), message) : message
    this.put(kept, ++this.root.lastMessageId, causeId)
  }

  private put(message: Message, messageId: number, causeId: number): void {
    if (this.metrics === undefined) this.mailbox.push(message, messageId, causeId)
    else this.mailbox.pushAt(message, messageId, causeId, this.system.now())
    if (!this.scheduled) this.schedule()
  }

  /** Stops behind the messages that wait already. */
  deliverStop(): void {
    this.deliver(stopOrder)
  }

  schedule(): void {
    if (this.scheduled || !this.runnable) return
    this.scheduled = true
    this.target.enqueue(this)
  }

  /** A started actor handles messages; one that is to start needs a turn for it even without any. */
  private get runnable(): boolean {
    if (this.inFlight > 0 && !this.reentrant) return false
    return this.open ? this.mailbox.size > 0 : this.startRequested || this.endRequested
  }

  drain(root: RootQueue): boolean {
    const outer = execution.current
    const outerId = execution.messageId
    execution.current = this
    this.draining = true
    if (this.startRequested) this.lifecycle.start()
    const { mailbox } = this
    const { disturbances } = root
    let turns = root.itemsPerTurn
    while (this.open && mailbox.size > 0 && (this.inFlight === 0 || this.reentrant)) {
      this.handle(mailbox.shift() as Message)
      if (root.ran() || --turns === 0 || root.disturbances !== disturbances) break
    }
    this.draining = false
    if (!this.open) this.lifecycle.advanceOnTurn()
    execution.current = outer
    execution.messageId = outerId
    // Still marked as scheduled while it asks itself, so that nothing enqueues it a second time.
    this.scheduled = this.runnable
    return this.scheduled
  }

  /** Installs what `setup` or `become` returned. */
  become(handlers: Handlers<Message> | undefined): void {
    this.handlers = handlers as Readonly<Record<string, Handler>> | undefined
    this.lastTag = ''
    this.lastHandler = undefined
  }

  /** Throws away what waits, each as a dead letter, unless it has failed and somebody takes over. */
  discardMailbox(failed: boolean): void {
    const { mailbox } = this
    const heir = failed ? this.system.heir : undefined
    while (mailbox.size > 0) {
      const item = mailbox.shift() as Message
      const message = item instanceof SystemMessage ? item.message : item
      if (message === undefined) continue
      if (heir === undefined) this.deadLetter('stopped', message, mailbox.messageId)
      else heir(this, message, mailbox.messageId, mailbox.causeId)
    }
    mailbox.release()
  }

  deadLetter(reason: DeadLetterReason, message: Message, messageId: number): void {
    this.dropped++
    this.system.deadLetters.publish(reason, message, this.path, messageId)
    this.note(DEAD_LETTER, messageId, reason)
    const { deadLetter: channel } = diagnostics
    if (channel.hasSubscribers) channel.publish({ ...this.event(), reason, message })
    failAsks(message, undelivered(reason, message, this.path))
  }

  /** Writes down what is no message: a start, an end, a dead letter. */
  note(kind: number, messageId: number, what: string): void {
    const { recorder } = this
    if (recorder?.enabled !== true) return
    recorder.record(kind, this.system.now(), messageId, execution.messageId, this.id, recorder.tagId(what))
  }

  event(): { readonly system: string; readonly path: string; readonly atMs: number } {
    return { system: this.system.name, path: this.path, atMs: this.system.now() }
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
      if (this.observed) this.observe(handler, message)
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

  /** Who asked learns it now: the message is lost, and with it the answer. */
  private failAsk(message: Message, cause: unknown): void {
    failAsks(message, new SpimplError('ACTOR_FAILED', `expected an answer of ${this.path}, it failed`, { cause }))
  }

  /** What has no handler: an order of the runtime, or a message that should not have been sent. */
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

  /** Of a handler that awaits, only what runs before its first `await` counts as time in the handler. */
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

  /** Names of Object.prototype are no tags, whoever sends them. */
  private find(tag: string): Handler | undefined {
    let handler = this.handlers![tag]
    if (typeof handler !== 'function' || handler === (Object.prototype as Record<string, unknown>)[tag]) {
      handler = (this.handlers as { readonly [anyMessage]?: Handler })[anyMessage]
      if (handler === undefined || typeof tag !== 'string' || tag === SYSTEM_TAG) return undefined
    }
    this.lastTag = tag
    if (this.recorder !== undefined) this.lastTagId = this.recorder.tagId(tag)
    this.lastHandler = handler
    return handler
  }

  /** While a handler's promise is pending this queue is held, and every queue above it, because exclusion comes from there. */
  private await(promise: PromiseLike<void>, message: Message): void {
    const incarnation = this.incarnation!
    this.hold()
    // A foreign thenable may throw, or call back twice; a promise is passed through as it is.
    Promise.resolve(promise).then(
      () => {
        if (incarnation.awaited) this.release()
      },
      error => {
        this.failAsk(message, error)
        if (incarnation.awaited) {
          this.lifecycle.fail(error)
          this.release()
        } else this.system.report(this, 'failed when nobody waited for it any more', error)
      },
    )
  }

  /** What its handlers promised holds neither this actor nor its queue any more. */
  letGo(): void {
    while (this.inFlight > 0) this.release()
  }

  private hold(): void {
    this.inFlight++
    this.root.disturbances++
    for (let above: Target | undefined = this.target; above !== undefined; above = above.target) above.inFlight++
  }

  private release(): void {
    this.inFlight--
    for (let above: Target | undefined = this.target; above !== undefined; above = above.target) {
      above.inFlight--
      above.schedule()
    }
    this.lifecycle.advance()
    this.schedule()
  }

  private overflow(message: Message, causeId: number): Delivery {
    const messageId = ++this.root.lastMessageId
    if (this.closed) {
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
    // Where only the runtime's own messages wait, there is room for one beyond them.
    if (oldest === undefined) return 'accepted'
    this.deadLetter('dropped-oldest', oldest.message, oldest.messageId)
    return 'dropped-oldest'
  }

  /** Starts a child. */
  spawn(behavior: AnyBehavior, options: SpawnOptions): ActorCell {
    if (!this.lifecycle.takesChildren) {
      throw new SpimplError(
        'ACTOR_STOPPED',
        `expected a running parent, ${this.path || 'the system'} has stopped or restarts`,
      )
    }
    this.children ??= new Map()
    const name = options.name ?? this.system.nextName()
    if (this.children.has(name)) {
      throw new SpimplError('ACTOR_NAME_TAKEN', `expected a new name under ${this.path}/, ${name} is taken`)
    }
    const queue = options.queue ?? this.target
    if (queue.root !== this.system.main) {
      throw new SpimplError(
        'QUEUE_TARGET_INVALID',
        `expected a queue of this system for ${this.path}/${name}, got one of another root: give it the target system.main`,
      )
    }
    const child = new ActorCell(this.system, this, name, behavior, options, queue)
    this.children.set(name, child)
    this.system.onSpawned()
    child.lifecycle.requestStart()
    return child
  }

  onChildEnded(child: ActorCell, reason: StopReason): void {
    this.children?.delete(child.name)
    this.system.onEnded(child, reason)
    this.lifecycle.advance()
  }
}
