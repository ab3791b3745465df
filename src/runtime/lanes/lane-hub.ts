import type { Message } from '../actors/actor.ts'
import type { ActorCell } from '../actors/actor-cell.ts'
import type { Delivery, LocalRef, Ref, ReplyTo } from '../actors/actor-ref.ts'
import { failAsks, type PendingAsk } from '../actors/ask.ts'
import type { System } from '../actors/system.ts'
import { SpimplError } from '../errors.ts'
import type { StopReason } from '../supervising/actor-lifecycle.ts'
import { type DeadLetterReason, undelivered } from '../watching/dead-letters.ts'
import { DeathWatches, type Watcher } from './death-watches.ts'
import type { Receive } from './lane-batch.ts'
import { ANSWER, LANE_GONE, REFUSE, TELL, TERMINATED, WATCH } from './lane-kinds.ts'
import type { LaneLink } from './lane-link.ts'
import { MessageCodec } from './message-codec.ts'
import { RemoteRef, RemoteReplyTo } from './remote-ref.ts'

/** Where an actor is: its lane, and its number there. */
export interface Address {
  readonly lane: number
  readonly id: number
  readonly path: string
}

/** A question that others may answer, and the lanes that were given its address. */
interface ExportedAsk {
  readonly ask: PendingAsk
  readonly lanes: Set<number>
}

/** A question of one lane that this one has passed on to another. */
interface RelayedAsk {
  readonly replyTo: RemoteReplyTo<unknown>
  readonly lane: number
}

/** Of more the oldest are forgotten: should their lane die, whoever asked waits until its deadline. */
const RELAYED_ASKS = 16_384

/** The lane of the thread that made the system. */
export const MAIN_LANE = 0

/**
 * What one lane knows of the others: the links to them, and those of its own actors and questions that others have been
 * given an address of. Lanes are a star: two workers reach each other through the main lane.
 */
export class LaneHub {
  readonly system: System
  readonly lane: number
  readonly codec: MessageCodec
  readonly watches = new DeathWatches(this)
  /** Called for each actor of this lane that has come to its end. */
  readonly forgetters = new Set<(cell: ActorCell) => void>()
  /** The address under which others know an actor that stands elsewhere: of one on a worker lane, its stand-in. */
  readonly standIns = new Map<ActorCell, Address>()
  private readonly links = new Map<number, LaneLink>()
  private readonly cells = new Map<number, ActorCell>()
  private readonly asks = new Map<number, ExportedAsk>()
  private askIds = 0
  /** By `lane/question` of the asker. */
  private readonly relayed = new Map<string, RelayedAsk>()
  /** For which lane a message is encoded just now. */
  private destination = MAIN_LANE

  constructor(system: System, lane: number) {
    this.system = system
    this.lane = lane
    this.codec = new MessageCodec(this)
  }

  /** Actors and questions that other lanes have addresses of. */
  get exported(): number {
    return this.cells.size + this.asks.size + this.watches.size
  }

  connect(lane: number, link: LaneLink): void {
    this.links.set(lane, link)
  }

  /** That lane has ended: whoever waits for it waits no more, here and on every other. */
  laneGone(lane: number, cause?: unknown): void {
    this.links.delete(lane)
    for (const { ask, lanes } of this.asks.values()) {
      if (lanes.delete(lane) && lanes.size === 0) ask.fail(died(ask.path, cause))
    }
    for (const [key, { replyTo, lane: asked }] of this.relayed) {
      if (asked !== lane && replyTo.lane !== lane) continue
      this.relayed.delete(key)
      replyTo.fail(died(`an actor of lane ${lane}`, cause))
    }
    this.watches.laneGone(lane)
    for (const [other, link] of this.links) if (other !== MAIN_LANE) link.send(other, LANE_GONE, lane, 0, 0, undefined)
  }

  addressOf(ref: LocalRef<Message> | RemoteRef<Message>): Address {
    if (ref instanceof RemoteRef) return ref
    const { cell } = ref
    const standIn = this.standIns.get(cell)
    if (standIn !== undefined) return standIn
    if (!cell.closed) this.cells.set(cell.id, cell)
    return { lane: this.lane, id: cell.id, path: cell.path }
  }

  refTo(lane: number, id: number, path: string): Ref<Message> {
    const cell = lane === this.lane ? this.cells.get(id) : undefined
    return cell?.ref ?? new RemoteRef(this, lane, id, path)
  }

  exportAsk(ask: PendingAsk): number {
    if (ask.exportedAs === 0) ask.exportedAs = ++this.askIds
    const id = ask.exportedAs
    // An answer to what waits no more is told that it comes too late.
    if (!ask.waits) return id
    let exported = this.asks.get(id)
    if (exported === undefined) {
      exported = { ask, lanes: new Set() }
      this.asks.set(id, exported)
      ask.onSettled = () => this.asks.delete(id)
    }
    exported.lanes.add(this.destination)
    return id
  }

  /** The replyTo of somebody else is on its way to a third lane, through the main one: an actor there is asked. */
  relayAsk(replyTo: RemoteReplyTo<unknown>): void {
    if (this.lane !== MAIN_LANE || replyTo.lane === this.destination) return
    this.relayed.set(`${replyTo.lane}/${replyTo.id}`, { replyTo, lane: this.destination })
    if (this.relayed.size > RELAYED_ASKS) this.relayed.delete(this.relayed.keys().next().value!)
  }

  replyTo(lane: number, id: number): ReplyTo<unknown> {
    const exported = lane === this.lane ? this.asks.get(id) : undefined
    return exported?.ask ?? new RemoteReplyTo(this, lane, id)
  }

  /** An actor of this lane has come to its end. */
  forget(cell: ActorCell, reason: StopReason): void {
    this.cells.delete(cell.id)
    this.standIns.delete(cell)
    this.watches.ended(cell, reason)
    for (const forget of this.forgetters) forget(cell)
  }

  tell(lane: number, id: number, path: string, message: Message, causeId: number): Delivery {
    const messageId = ++this.system.main.lastMessageId
    const link = this.linkTo(lane)
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

  answer(lane: number, id: number, value: unknown): boolean {
    return this.settle(lane, ANSWER, id, value)
  }

  refuse(lane: number, id: number, error: Error): boolean {
    return this.settle(lane, REFUSE, id, this.codec.crossing(error))
  }

  /** How an actor came to its end, as other lanes can be told. */
  crossingReason(reason: StopReason): StopReason {
    return reason.type === 'failed' ? { type: 'failed', error: this.codec.crossing(reason.error) } : reason
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
    this.destination = lane
    const encoded = codec.encode(payload, transfer)
    if (transfer.length > 0) link.transferNext(transfer)
    link.send(lane, kind, id, messageId, causeId, encoded, codec.textual && payload !== undefined)
  }

  /** Takes what every lane takes: messages, answers, and what is for another lane. @returns whether it was that */
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
      this.passOn(lane, kind, id, messageId, causeId, payload, textual)
      return true
    }
    if (kind === LANE_GONE) {
      this.laneGone(id)
      return true
    }
    if (kind === TELL) {
      const message = this.codec.decode(payload) as Message
      const cell = this.cells.get(id)
      if (cell === undefined) this.undeliverable('stopped', message, `lane ${lane}, actor ${id}`, messageId)
      else cell.receive(message, messageId, causeId)
      return true
    }
    if (kind === ANSWER || kind === REFUSE) {
      const ask = this.asks.get(id)?.ask
      const value = this.codec.decode(payload)
      if (ask === undefined) this.system.deadLetters.publish('reply-late', value, `lane ${lane}, question ${id}`)
      else if (kind === ANSWER) ask.tell(value)
      else ask.fail(value as Error)
      return true
    }
    if (kind < WATCH || kind > TERMINATED) return false
    this.watches.receive(kind, id, this.codec.decode(payload), this.cells.get(id))
    return true
  }

  /** Sends what is no message. @returns false when there is no way to that lane */
  order(lane: number, kind: number, id: number, payload: unknown): boolean {
    const link = this.linkTo(lane)
    if (link === undefined) return false
    this.send(link, lane, kind, id, 0, 0, payload)
    return true
  }

  /** A message that reaches nobody: a dead letter here, and whoever asked in it learns it. */
  undeliverable(reason: DeadLetterReason, message: unknown, path: string, messageId: number): void {
    this.system.deadLetters.publish(reason, message, path, messageId)
    failAsks(message, undelivered(reason, message, path))
  }

  /** A message of this lane that cannot be sent any more: what its sender gave away, or changed, after telling it. */
  readonly lost: Receive = (lane, kind, id, messageId, _causeId, payload) => {
    const path = `lane ${lane}, actor ${id}`
    if (kind === ANSWER) this.refuse(lane, id, undelivered('not-cloneable', payload, path))
    else this.undeliverable('not-cloneable', this.codec.decode(payload), path, messageId)
  }

  /** What one lane sent to another that has ended meanwhile. */
  private unroutable(lane: number, kind: number, id: number, messageId: number, payload: unknown): void {
    const value = this.codec.decode(payload)
    if (kind === TELL) this.undeliverable('lane-died', value, `lane ${lane}, actor ${id}`, messageId)
    else if (kind === WATCH) this.watches.refuse(value as Watcher)
    else if (kind === ANSWER) this.system.deadLetters.publish('reply-late', value, `lane ${lane}, question ${id}`)
  }

  /** Still encoded, and so it goes on as it is. Answers are never held back: their number is bounded by the questions. */
  private readonly passOn: Receive = (lane, kind, id, messageId, causeId, payload, textual) => {
    const link = this.links.get(lane)
    if (kind === ANSWER || kind === REFUSE) this.relayed.delete(`${lane}/${id}`)
    if (link === undefined) this.unroutable(lane, kind, id, messageId, payload)
    else if (kind === TELL && link.congested) {
      this.undeliverable('mailbox-full', this.codec.decode(payload), `lane ${lane}, actor ${id}`, messageId)
    } else link.send(lane, kind, id, messageId, causeId, payload, textual)
  }

  private settle(lane: number, kind: number, id: number, value: unknown): boolean {
    return this.order(lane, kind, id, value)
  }

  /** A worker lane has one link, to the main lane, which passes on. */
  private linkTo(lane: number): LaneLink | undefined {
    if (lane === this.lane) return undefined
    return this.links.get(lane) ?? (this.lane === MAIN_LANE ? undefined : this.links.get(MAIN_LANE))
  }
}

function died(path: string, cause: unknown): SpimplError {
  return new SpimplError('LANE_DIED', `expected an answer of ${path}, its lane has ended`, { cause })
}
