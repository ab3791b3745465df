import { Tally } from '../../discv5/table/tally.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { failureName, type OverlayCounterName } from '../counters.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { ContentFailure, Failure, OfferedContent } from '../messages.ts'
import type { Answer, Requests } from '../waiting/requests.ts'
import type { Transfers } from '../waiting/transfers.ts'
import {
  acceptCodes,
  KEY_OVERHEAD_BYTES,
  MAX_CONTENT_KEYS,
  MAX_TALK_REQUEST_BYTES,
  OFFER_OVERHEAD_BYTES,
} from '../wire/message.ts'
import { type Letter, Outbox } from './outbox.ts'

/** What is done with the outcome of an offer: `failed`, or `answered` and, in the end, `ended`. */
export interface OfferOwner {
  /**
   * One code for each item. `isRepeated`: the offer was sent twice, so code 5 may mean the transfer of its first copy.
   */
  answered(codes: Uint8Array, isRepeated: boolean): void
  /** The accepted items were sent, or could not be sent. Follows at once if none was accepted. */
  ended(failure: ContentFailure | undefined): void
  /** There was no answer, or no usable one. Neither `answered` nor `ended` follows. */
  failed(failure: Failure): void
}

/** How many of the items, from the first, one OFFER holds: 64, or what a TALKREQ carries. */
function itemsOfOneOffer(items: readonly OfferedContent[]): number {
  let left = MAX_TALK_REQUEST_BYTES - OFFER_OVERHEAD_BYTES
  let count = 0
  for (const { key } of items) {
    left -= key.length + KEY_OVERHEAD_BYTES
    if (left < 0 || count === MAX_CONTENT_KEYS) break
    count += 1
  }
  return count
}

/**
 * OFFER to peers. An offer occupies its slot until the accepted items are sent; letters wait in an outbox for slots.
 */
export class OutgoingOffers {
  readonly #state: OverlayState
  readonly #requests: Requests
  readonly #transfers: Transfers
  readonly #outbox: Outbox
  #inFlight = 0
  readonly #inFlightTo = new Tally()

  constructor(state: OverlayState, requests: Requests, transfers: Transfers) {
    this.#state = state
    this.#requests = requests
    this.#transfers = transfers
    this.#outbox = new Outbox(state.limits.outboxItems)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Letters that wait for a slot. */
  get waiting(): number {
    return this.#outbox.size
  }

  /**
   * Offers one item to a peer, now or together with others when the peer has a free slot.
   *
   * @returns false if too many letters wait for this peer
   */
  post(to: NodeRecord, letter: Letter): boolean {
    if (!this.#outbox.add(to, letter)) return false
    if (this.#hasRoomTo(to.nodeIdHex)) this.#sendLetters(to)
    return true
  }

  /**
   * Sends one OFFER.
   *
   * @param ref of the call that wants it, if any
   * @returns why it could not be sent; `owner` is not called then
   */
  offer(to: NodeRecord, items: readonly OfferedContent[], owner: OfferOwner, ref?: number): Failure | undefined {
    const { counters, limits } = this.#state
    if (!this.#hasRoom) {
      counters.add('limit.offers')
      return { code: 'TRANSFER_LIMIT', detail: `${limits.offers} offers are in flight` }
    }
    const keys = items.map(item => item.key)
    const answered = (answer: Answer<'offer'>): void => this.#answered(to, items, answer, owner, ref)
    const failure = this.#requests.send(to, { type: 'offer', keys }, answered, { ref })
    if (failure === undefined) this.#count(to.nodeIdHex, 1)
    return failure
  }

  #answered(
    to: NodeRecord,
    items: readonly OfferedContent[],
    answer: Answer<'offer'>,
    owner: OfferOwner,
    ref: number | undefined,
  ): void {
    const { counters } = this.#state
    if (!answer.ok) {
      this.#free(to)
      owner.failed(answer)
      return
    }
    const { connectionId } = answer.message
    let { codes } = answer.message
    if (codes.length !== items.length) {
      counters.add('malformed.accept.count')
      this.#free(to)
      const detail = `expected ${items.length} accept codes, got ${codes.length}`
      owner.failed({ code: 'PORTAL_MESSAGE_MALFORMED', detail })
      return
    }
    // The same offer twice within moments gets the same answer, whose connection id the first transfer uses already.
    if (this.#transfers.isInitiating(to.nodeIdHex, connectionId)) {
      codes = codes.map(code => (code === acceptCodes.accepted ? acceptCodes.transferInProgress : code))
    }
    for (const code of codes) counters.add(`accept.received.${Math.min(code, 7)}` as OverlayCounterName)
    const accepted = items.filter((_item, index) => codes[index] === acceptCodes.accepted)
    owner.answered(codes, answer.isRepeated)
    if (accepted.length === 0) {
      this.#free(to)
      owner.ended(undefined)
    } else this.#transfer(ref ?? this.#state.ownRef(), to, accepted, connectionId, answer.version, owner)
  }

  #transfer(
    ref: number,
    peer: NodeRecord,
    items: readonly OfferedContent[],
    connectionId: number,
    version: number,
    owner: OfferOwner,
  ): void {
    const { counters, turn } = this.#state
    this.#transfers.begin(ref, 'send', peer, connectionId, {
      ended: failure => {
        if (failure !== undefined) counters.add(`send.failed.${failureName(failure.code, failure.blamesContent)}`)
        this.#free(peer)
        owner.ended(failure)
      },
    })
    turn.emit({ type: 'send', ref, peer, connectionId, version, prefixed: true, items })
  }

  get #hasRoom(): boolean {
    return this.#inFlight < this.#state.limits.offers
  }

  #hasRoomTo(nodeIdHex: string): boolean {
    return this.#hasRoom && this.#inFlightTo.of(nodeIdHex) < this.#state.limits.offersToPeer
  }

  /** A slot is free: peers whose letters wait take turns. */
  #free(to: NodeRecord): void {
    this.#count(to.nodeIdHex, -1)
    for (const peer of this.#outbox.peers()) {
      if (!this.#hasRoom) return
      if (this.#hasRoomTo(peer.nodeIdHex)) this.#sendLetters(peer)
    }
  }

  #sendLetters(to: NodeRecord): void {
    const batch = this.#outbox.take(to.nodeIdHex, itemsOfOneOffer)
    if (batch.length === 0) return
    let accepted: readonly Letter[] = []
    const items = batch.map(letter => letter.item)
    const failure = this.offer(to, items, {
      answered: (codes, isRepeated) => {
        accepted = batch.filter((_letter, index) => codes[index] === acceptCodes.accepted)
        for (const [index, letter] of batch.entries()) letter.answered(to, codes[index]!, isRepeated)
      },
      ended: ended => {
        for (const letter of accepted) letter.sent(to, ended)
      },
      failed: () => {
        for (const letter of batch) letter.failed(to)
      },
    })
    if (failure !== undefined) for (const letter of batch) letter.failed(to)
  }

  #count(nodeIdHex: string, by: 1 | -1): void {
    this.#inFlight += by
    this.#inFlightTo.add(nodeIdHex, by)
  }
}
