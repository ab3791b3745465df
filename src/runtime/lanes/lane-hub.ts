import type { ActorHost } from '../actors/actor-host.ts'
import type { Message } from '../actors/message.ts'
import { SpimplError } from '../errors.ts'
import type { RootQueue } from '../queues/root-queue.ts'
import type { Delivery, Ref, ReplyTo } from '../references/actor-ref.ts'
import type { ActorAddress, Addressed, OpenQuestion, QuestionAddress } from '../references/address.ts'
import { failAsks } from '../references/ask.ts'
import type { Watcher } from '../supervising/death-watch.ts'
import type { StopReason, WatchMessage } from '../supervising/termination.ts'
import { type DeadLetterReason, type DeadLetters, undelivered } from '../watching/dead-letters.ts'
import { DeathWatches, type RemoteWatcher, type WatchRoute } from './death-watches.ts'
import type { Receive } from './lane-batch.ts'
import { ANSWER, LANE_GONE, REFUSE, TELL, TERMINATED, WATCH } from './lane-kinds.ts'
import type { LaneLink } from './lane-link.ts'
import { MessageCodec, type ReferenceBook } from './message-codec.ts'
import { RemoteRef, RemoteReplyTo, type Route } from './remote-ref.ts'

/** A question of this lane that others may answer, and the lanes that were given its address. */
interface ExportedQuestion {
  readonly question: OpenQuestion
  readonly lanes: Set<number>
}

/** A question of one lane that this one has passed on to another. */
interface RelayedQuestion {
  readonly replyTo: RemoteReplyTo
  readonly lane: number
}

/** Beyond these the oldest are forgotten: if their lane dies then, the asker waits until its deadline. */
const RELAYED_QUESTIONS = 16_384

/** The lane of the thread that made the system. */
export const MAIN_LANE = 0

/**
 * One lane's knowledge of the others: the links to them, and the addresses of its own actors and questions that it has
 * given out. Lanes are a star: two workers reach each other through the main lane.
 */
export class LaneHub implements Route, WatchRoute, ReferenceBook {
  readonly host: ActorHost
  readonly lane: number
  readonly codec: MessageCodec
  readonly #watches = new DeathWatches(this)
  /** Called for each actor of this lane that has ended. */
  readonly #endListeners = new Set<(actor: Addressed) => void>()
  /** Addresses of actors that are known elsewhere: on a worker lane, those of their stand-ins on the main lane. */
  readonly #standIns = new Map<Addressed, ActorAddress>()
  readonly #links = new Map<number, LaneLink>()
  readonly #actors = new Map<number, Addressed>()
  readonly #questions = new Map<number, ExportedQuestion>()
  /** By `lane/question` of the asker. */
  readonly #relayed = new Map<string, RelayedQuestion>()
  #lastLane = MAIN_LANE
  /** The lane that the current message is encoded for. */
  #destination = MAIN_LANE

  constructor(host: ActorHost, lane: number) {
    this.host = host
    this.lane = lane
    this.codec = new MessageCodec(this)
    host.onActorEnded((actor, reason) => this.#actorEnded(actor, reason))
  }

  get root(): RootQueue {
    return this.host.root
  }

  get deadLetters(): DeadLetters {
    return this.host.deadLetters
  }

  /** Actors and questions whose addresses other lanes have. */
  get exported(): number {
    return this.#actors.size + this.#questions.size + this.#watches.size
  }

  /**
   * The number of a new lane. The number of a dead lane is not used again, so that nothing sent to it reaches the next
   * one.
   */
  nextLane(): number {
    return ++this.#lastLane
  }

  connect(lane: number, link: LaneLink): void {
    this.#links.set(lane, link)
  }

  /** A lane has ended: nobody waits for it any longer, here and on every other lane. */
  laneGone(lane: number, cause?: unknown): void {
    this.#links.delete(lane)
    for (const { question, lanes } of this.#questions.values()) {
      if (lanes.delete(lane) && lanes.size === 0) question.fail(died(question.path, cause))
    }
    for (const [key, { replyTo, lane: asked }] of this.#relayed) {
      if (asked !== lane && replyTo.address.lane !== lane) continue
      this.#relayed.delete(key)
      replyTo.fail(died(`an actor of lane ${lane}`, cause))
    }
    this.#watches.laneGone(lane)
    for (const [other, link] of this.#links) if (other !== MAIN_LANE) link.send(other, LANE_GONE, lane, 0, 0, undefined)
  }

  /** Gives an actor the address of its stand-in. */
  standInFor(actor: Addressed, address: ActorAddress): void {
    this.#standIns.set(actor, address)
  }

  addressOf(actor: Addressed): ActorAddress {
    const standIn = this.#standIns.get(actor)
    if (standIn !== undefined) return standIn
    const { id, path } = actor
    if (!actor.hasStopped) this.#actors.set(id, actor)
    return { kind: 'ref', lane: this.lane, id, path }
  }

  refTo(address: ActorAddress): Ref<Message> {
    const actor = address.lane === this.lane ? this.#actors.get(address.id) : undefined
    return actor?.ref ?? new RemoteRef(this, address)
  }

  addressOfQuestion(question: OpenQuestion): QuestionAddress {
    const { id } = question
    const address: QuestionAddress = { kind: 'replyTo', lane: this.lane, id }
    // An answer to a settled question is reported as late.
    if (!question.isOpen) return address
    let exported = this.#questions.get(id)
    if (exported === undefined) {
      exported = { question, lanes: new Set() }
      this.#questions.set(id, exported)
      question.whenSettled(() => this.#questions.delete(id))
    }
    exported.lanes.add(this.#destination)
    return address
  }

  replyTo(address: QuestionAddress): ReplyTo<unknown> {
    const exported = address.lane === this.lane ? this.#questions.get(address.id) : undefined
    return exported?.question ?? new RemoteReplyTo(this, address)
  }

  /**
   * A worker lane asks an actor of another one, through the main lane: if the asked lane dies, the main lane fails the
   * question.
   */
  relay(replyTo: RemoteReplyTo): void {
    const { lane, id } = replyTo.address
    if (this.lane !== MAIN_LANE || lane === this.#destination) return
    this.#relayed.set(`${lane}/${id}`, { replyTo, lane: this.#destination })
    if (this.#relayed.size > RELAYED_QUESTIONS) this.#relayed.delete(this.#relayed.keys().next().value!)
  }

  watch(watcher: Watcher, actor: ActorAddress, message: WatchMessage<Message>): void {
    this.#watches.watch(watcher, actor, message)
  }

  unwatch(watcher: Watcher, actor: ActorAddress): void {
    this.#watches.unwatch(watcher, actor)
  }

  /** Calls `listener` for each actor of this lane that has ended. @returns what ends the calls */
  onActorEnded(listener: (actor: Addressed) => void): () => void {
    this.#endListeners.add(listener)
    return () => this.#endListeners.delete(listener)
  }

  #actorEnded(actor: Addressed, reason: StopReason): void {
    this.#actors.delete(actor.id)
    this.#standIns.delete(actor)
    this.#watches.ended(actor, reason)
    for (const listener of this.#endListeners) listener(actor)
  }

  tell({ lane, id, path }: ActorAddress, message: Message, causeId: number): Delivery {
    const messageId = ++this.root.lastMessageId
    const link = this.#linkTo(lane)
    if (link === undefined) {
      this.undeliverable(lane === this.lane ? 'stopped' : 'lane-died', message, path, messageId)
      return 'stopped'
    }
    if (link.congested) {
      this.undeliverable('mailbox-full', message, path, messageId)
      return 'mailbox-full'
    }
    this.send(link, lane, TELL, id, messageId, causeId, message)
    return 'accepted'
  }

  answer({ lane, id }: QuestionAddress, value: unknown): boolean {
    return this.order(lane, ANSWER, id, value)
  }

  refuse({ lane, id }: QuestionAddress, error: Error): boolean {
    return this.order(lane, REFUSE, id, this.codec.crossing(error))
  }

  crossingReason(reason: StopReason): StopReason {
    return reason.type === 'failed' ? { type: 'failed', error: this.codec.crossing(reason.error) } : reason
  }

  order(lane: number, kind: number, id: number, payload: unknown): boolean {
    const link = this.#linkTo(lane)
    if (link === undefined) return false
    this.send(link, lane, kind, id, 0, 0, payload)
    return true
  }

  /** Encodes and sends. @throws SpimplError `MESSAGE_NOT_CLONEABLE` */
  send(
    link: LaneLink,
    lane: number,
    kind: number,
    id: number,
    messageId: number,
    causeId: number,
    payload: unknown,
  ): void {
    const transfer: ArrayBuffer[] = []
    const { codec } = this
    codec.textual = true
    this.#destination = lane
    const encoded = codec.encode(payload, transfer)
    if (transfer.length > 0) link.transferNext(transfer)
    link.send(lane, kind, id, messageId, causeId, encoded, codec.textual && payload !== undefined)
  }

  /**
   * Takes what every lane takes: messages, answers, watches, and whatever is for another lane.
   * @returns whether it was that
   */
  receive(
    lane: number,
    kind: number,
    id: number,
    messageId: number,
    causeId: number,
    payload: unknown,
    textual: boolean,
  ): boolean {
    if (lane !== this.lane) {
      this.#passOn(lane, kind, id, messageId, causeId, payload, textual)
      return true
    }
    if (kind === LANE_GONE) {
      this.laneGone(id)
      return true
    }
    if (kind === TELL) {
      const message = this.codec.decode(payload) as Message
      const actor = this.#actors.get(id)
      if (actor === undefined) this.undeliverable('stopped', message, `lane ${lane}, actor ${id}`, messageId)
      else actor.receive(message, messageId, causeId)
      return true
    }
    if (kind === ANSWER || kind === REFUSE) {
      const question = this.#questions.get(id)?.question
      const value = this.codec.decode(payload)
      if (question === undefined) this.deadLetters.publish('reply-late', value, `lane ${lane}, question ${id}`)
      else if (kind === ANSWER) question.tell(value)
      else question.fail(value as Error)
      return true
    }
    if (kind < WATCH || kind > TERMINATED) return false
    this.#watches.receive(kind, id, this.codec.decode(payload), this.#actors.get(id))
    return true
  }

  /** Makes a message that reaches nobody a dead letter here, and fails the question in it. */
  undeliverable(reason: DeadLetterReason, message: unknown, path: string, messageId: number): void {
    this.deadLetters.publish(reason, message, path, messageId)
    failAsks(message, undelivered(reason, message, path))
  }

  /**
   * Takes a message of this lane that can no longer be sent, because its sender gave a buffer of it away, or changed
   * it.
   */
  readonly lost: Receive = (lane, kind, id, messageId, _causeId, payload) => {
    const path = `lane ${lane}, actor ${id}`
    if (kind === ANSWER) this.refuse({ kind: 'replyTo', lane, id }, undelivered('not-cloneable', payload, path))
    else this.undeliverable('not-cloneable', this.codec.decode(payload), path, messageId)
  }

  /** A lane has sent something to another one that has ended meanwhile. */
  #unroutable(lane: number, kind: number, id: number, messageId: number, payload: unknown): void {
    const value = this.codec.decode(payload)
    if (kind === TELL) this.undeliverable('lane-died', value, `lane ${lane}, actor ${id}`, messageId)
    else if (kind === WATCH) this.#watches.refuse(value as RemoteWatcher)
    else if (kind === ANSWER) this.deadLetters.publish('reply-late', value, `lane ${lane}, question ${id}`)
  }

  /** Passes on in encoded form. Answers are never held back: their number is bounded by that of the questions. */
  readonly #passOn: Receive = (lane, kind, id, messageId, causeId, payload, textual) => {
    const link = this.#links.get(lane)
    if (kind === ANSWER || kind === REFUSE) this.#relayed.delete(`${lane}/${id}`)
    if (link === undefined) this.#unroutable(lane, kind, id, messageId, payload)
    else if (kind === TELL && link.congested) {
      this.undeliverable('mailbox-full', this.codec.decode(payload), `lane ${lane}, actor ${id}`, messageId)
    } else link.send(lane, kind, id, messageId, causeId, payload, textual)
  }

  /** A worker lane has one link, to the main lane, which passes on. */
  #linkTo(lane: number): LaneLink | undefined {
    if (lane === this.lane) return undefined
    return this.#links.get(lane) ?? (this.lane === MAIN_LANE ? undefined : this.#links.get(MAIN_LANE))
  }
}

function died(path: string, cause: unknown): SpimplError {
  return new SpimplError('LANE_DIED', `expected an answer of ${path}, its lane has ended`, { cause })
}
