import { SpimplError } from '../../errors.ts'
import type { Message } from '../actor.ts'
import type { ActorCell } from '../actor-cell.ts'
import type { Delivery, LocalRef, Ref, ReplyTo } from '../actor-ref.ts'
import { failAsks, type PendingAsk, refusalOf } from '../ask.ts'
import type { DeadLetterReason } from '../dead-letters.ts'
import type { System } from '../system.ts'
import type { Receive } from './lane-batch.ts'
import { ANSWER, type LaneLink, REFUSE, TELL } from './lane-link.ts'
import { MessageCodec } from './message-codec.ts'
import { RemoteRef, RemoteReplyTo } from './remote-ref.ts'

/** Where an actor is: its lane, and its number there. */
export interface Address {
  readonly lane: number
  readonly id: number
  readonly path: string
}

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
  /** The address under which others know an actor that stands elsewhere: of one on a worker lane, its stand-in. */
  readonly standIns = new Map<ActorCell, Address>()
  private readonly links = new Map<number, LaneLink>()
  private readonly cells = new Map<number, ActorCell>()
  private readonly asks = new Map<number, PendingAsk<unknown>>()
  private askIds = 0
  private sendingTo: LaneLink | undefined

  constructor(system: System, lane: number) {
    this.system = system
    this.lane = lane
    this.codec = new MessageCodec(this)
  }

  /** Actors and questions that other lanes have addresses of. */
  get exported(): number {
    return this.cells.size + this.asks.size
  }

  connect(lane: number, link: LaneLink): void {
    this.links.set(lane, link)
  }

  /** The lane has ended: whoever waits for an answer from there learns it. */
  disconnect(lane: number, cause: unknown): void {
    const link = this.links.get(lane)
    this.links.delete(lane)
    for (const ask of this.asks.values()) {
      if (ask.via !== link) continue
      ask.fail(new SpimplError('LANE_DIED', `expected an answer of ${ask.path}, its lane has ended`, { cause }))
    }
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

  exportAsk(ask: PendingAsk<unknown>): number {
    const id = ++this.askIds
    ask.via = this.sendingTo
    this.asks.set(id, ask)
    ask.onSettled = () => this.asks.delete(id)
    return id
  }

  replyTo(lane: number, id: number): ReplyTo<unknown> {
    const ask = lane === this.lane ? this.asks.get(id) : undefined
    return ask ?? new RemoteReplyTo(this, lane, id)
  }

  /** An actor of this lane has come to its end. */
  forget(cell: ActorCell): void {
    this.cells.delete(cell.id)
    this.standIns.delete(cell)
  }

  tell(lane: number, id: number, path: string, message: Message, causeId: number): Delivery {
    const messageId = ++this.system.main.lastMessageId
    const link = this.linkTo(lane)
    if (link === undefined) {
      this.undelivered(lane === this.lane ? 'stopped' : 'lane-died', message, path, messageId)
      return 'stopped'
    }
    if (link.congested) {
      this.undelivered('mailbox-full', message, path, messageId)
      return 'mailbox-full'
    }
    this.send(link, lane, TELL, id, messageId, causeId, message)
    return 'accepted'
  }

  answer(lane: number, id: number, value: unknown): boolean {
    return this.settle(lane, ANSWER, id, value)
  }

  refuse(lane: number, id: number, error: Error): boolean {
    return this.settle(lane, REFUSE, id, error)
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
    this.sendingTo = link
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
    if (kind === TELL) {
      const message = this.codec.decode(payload) as Message
      const cell = this.cells.get(id)
      if (cell === undefined) this.undelivered('stopped', message, `lane ${lane}, actor ${id}`, messageId)
      else cell.receive(message, messageId, causeId)
      return true
    }
    if (kind === ANSWER || kind === REFUSE) {
      const ask = this.asks.get(id)
      const value = this.codec.decode(payload)
      if (ask === undefined) this.system.deadLetters.publish('reply-late', value, `lane ${lane}, question ${id}`)
      else if (kind === ANSWER) ask.tell(value)
      else ask.fail(value as Error)
      return true
    }
    return false
  }

  /** Nobody will handle it: it is a dead letter, and whoever waits for an answer to it learns why. */
  undelivered(reason: DeadLetterReason, message: Message, path: string, messageId: number): void {
    this.system.deadLetters.publish(reason, message, path, messageId)
    failAsks(message, refusalOf(reason, path))
  }

  /** Still encoded, and so it goes on as it is. Answers are never held back: their number is bounded by the questions. */
  private readonly passOn: Receive = (lane, kind, id, messageId, causeId, payload, textual) => {
    const link = this.links.get(lane)
    if (link !== undefined && !(link.congested && kind === TELL)) {
      link.send(lane, kind, id, messageId, causeId, payload, textual)
    } else if (kind === TELL) {
      const reason = link === undefined ? 'lane-died' : 'mailbox-full'
      this.undelivered(reason, this.codec.decode(payload) as Message, `lane ${lane}, actor ${id}`, messageId)
    }
  }

  private settle(lane: number, kind: number, id: number, value: unknown): boolean {
    const link = this.linkTo(lane)
    if (link === undefined) return false
    this.send(link, lane, kind, id, 0, 0, value)
    return true
  }

  /** A worker lane has one link, to the main lane, which passes on. */
  private linkTo(lane: number): LaneLink | undefined {
    if (lane === this.lane) return undefined
    return this.links.get(lane) ?? (this.lane === MAIN_LANE ? undefined : this.links.get(MAIN_LANE))
  }
}
