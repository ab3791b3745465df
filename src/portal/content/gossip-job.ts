import { Deadline } from 'spimpl-runtime/core'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Members } from '../knowledge/members.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { AcceptCounts, ContentFailure, ContentName, GossipResult } from '../messages.ts'
import { acceptCodes } from '../wire/message.ts'
import type { Letter } from './outbox.ts'
import type { OutgoingOffers } from './outgoing-offers.ts'

/** An item to gossip. */
export interface GossipOrder {
  readonly name: ContentName
  /** Undefined: the store has it. */
  readonly content: Uint8Array | undefined
  /** Peers that should accept it. The gossip goes on past declines until this many have. */
  readonly wanted: number
  /** Called once, when no more answers are awaited. Transfers may still be under way. */
  readonly settle?: ((result: GossipResult) => void) | undefined
}

/** The counts of answers by accept code; codes from 6 up count as a generic decline. */
const COUNT_NAMES: readonly (keyof AcceptCounts)[] = [
  'acceptedCount',
  'genericDeclineCount',
  'alreadyStoredCount',
  'notWithinRadiusCount',
  'rateLimitedCount',
  'transferInProgressCount',
]

export interface GossipParts {
  readonly state: OverlayState
  readonly members: Members
  readonly offers: OutgoingOffers
}

/** One item in gossip. */
export class GossipJob implements Letter {
  readonly item: Letter['item']
  readonly #order: GossipOrder
  readonly #parts: GossipParts
  readonly #finished: () => void
  readonly #counts = new Array<number>(COUNT_NAMES.length).fill(0)
  readonly #retried = new Set<string>()
  /** Nodes that are not tried yet, in order. */
  readonly #candidates: NodeRecord[]
  #attemptsLeft: number
  /** Offers that are not answered. */
  #posted = 0
  #accepted = 0
  /** Peers that are being sent the item, or will be offered it again: its content is held for them. */
  #holding = 0
  #peerCount = 0
  #isSettled = false
  #isFinished = false

  /** @param finished is called once, when the content need not be held any longer */
  constructor(parts: GossipParts, order: GossipOrder, candidates: readonly NodeRecord[], finished: () => void) {
    this.#parts = parts
    this.#order = order
    this.item = { ...order.name, content: order.content }
    this.#candidates = [...candidates]
    this.#attemptsLeft = Math.max(order.wanted, parts.state.limits.gossipAttempts)
    this.#finished = finished
  }

  /** Offers to as many more peers as are wanted; settles if there is nothing left to wait for. */
  step(): void {
    while (this.#posted + this.#accepted < this.#order.wanted && this.#attemptsLeft > 0) {
      const to = this.#candidates.shift()
      if (to === undefined) break
      this.#attemptsLeft -= 1
      this.#posted += 1
      if (!this.#parts.offers.post(to, this)) {
        this.#posted -= 1
        this.#parts.state.counters.add('limit.outbox')
      }
    }
    if (this.#posted > 0) return
    if (!this.#isSettled) {
      this.#isSettled = true
      this.#order.settle?.(this.#result())
    }
    if (this.#holding > 0 || this.#isFinished) return
    this.#isFinished = true
    this.#finished()
  }

  answered(to: NodeRecord, code: number, isRepeated: boolean): void {
    const { members, state } = this.#parts
    this.#posted -= 1
    this.#peerCount += 1
    this.#counts[code < COUNT_NAMES.length ? code : acceptCodes.declined]! += 1
    if (code === acceptCodes.accepted) {
      this.#accepted += 1
      this.#holding += 1
    } else if (code === acceptCodes.notWithinRadius) {
      state.profiles.of(to.nodeIdHex).radiusIsStale()
      members.checkNow(to)
    } else if (code === acceptCodes.rateLimited) state.profiles.of(to.nodeIdHex).isOutOfRoom(state.turn.now)
    else if (code === acceptCodes.transferInProgress && isRepeated) this.#offerAgainLater(to)
    this.step()
  }

  sent(to: NodeRecord, failure: ContentFailure | undefined): void {
    this.#holding -= 1
    if (failure !== undefined) {
      this.#accepted -= 1
      this.#retry(to)
    }
    this.step()
  }

  failed(_to: NodeRecord): void {
    this.#posted -= 1
    this.step()
  }

  /**
   * The peer's answer to the first copy of the offer was lost: the transfer in progress is ours, and will never come.
   */
  #offerAgainLater(to: NodeRecord): void {
    if (this.#retried.has(to.nodeIdHex)) return
    const { deadlines, limits, turn } = this.#parts.state
    const offerAgain = (): void => {
      this.#holding -= 1
      this.#retry(to)
      this.step()
    }
    this.#holding += 1
    deadlines.set(new Deadline('offer-retry', { offerAgain }), turn.now + limits.ownTransferMs)
  }

  /**
   * Offers to the same peer once more, after all others: it wanted the item, and tells others that we are sending it.
   */
  #retry(to: NodeRecord): void {
    if (this.#retried.has(to.nodeIdHex)) return
    this.#retried.add(to.nodeIdHex)
    this.#attemptsLeft += 1
    this.#candidates.push(to)
  }

  #result(): GossipResult {
    const counts = Object.fromEntries(COUNT_NAMES.map((name, code) => [name, this.#counts[code]!]))
    return { peerCount: this.#peerCount, acceptMetadata: counts as Record<keyof AcceptCounts, number> }
  }
}
