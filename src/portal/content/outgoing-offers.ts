import { Tally } from '../../discv5/table/tally.ts'
import type { ErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { Failure, OfferedContent, Turn } from '../overlay-messages.ts'
import type { Requests } from '../waiting/requests.ts'
import type { Transfers } from '../waiting/transfers.ts'
import {
  acceptCodes,
  KEY_OVERHEAD_BYTES,
  MAX_CONTENT_KEYS,
  MAX_TALK_REQUEST_BYTES,
  OFFER_OVERHEAD_BYTES,
} from '../wire/message.ts'

/** Who offers, and is told how it goes: `answered` or `failed`, and after `answered` in the end `ended`. */
export interface Offerer {
  /** One code for each item. `isRepeated`: the peer was asked twice, and may count its first answer as a transfer in progress. */
  answered(turn: Turn, codes: Uint8Array, isRepeated: boolean): void
  /** What was accepted is sent, or could not be; nothing accepted is sent at once. */
  ended(turn: Turn, failure: ErrorCode | undefined): void
  /** No answer, or none that could be used. Neither `answered` nor `ended` follows. */
  failed(turn: Turn, failure: Failure): void
}

/** How many of the items, from the first, one OFFER holds: 64, or what a TALKREQ carries. */
export function itemsOfOneOffer(items: readonly { readonly key: Uint8Array }[]): number {
  let left = MAX_TALK_REQUEST_BYTES - OFFER_OVERHEAD_BYTES
  let count = 0
  for (const { key } of items) {
    left -= key.length + KEY_OVERHEAD_BYTES
    if (left < 0 || count === MAX_CONTENT_KEYS) break
    count += 1
  }
  return count
}

/** OFFER to others. An offer holds its slot until what was accepted is sent. */
export class OutgoingOffers {
  readonly #state: OverlayState
  readonly #requests: Requests
  readonly #transfers: Transfers
  #inFlight = 0
  readonly #inFlightTo = new Tally()
  /** Told when a slot became free. */
  freed: ((turn: Turn) => void) | undefined

  constructor(state: OverlayState, requests: Requests, transfers: Transfers) {
    this.#state = state
    this.#requests = requests
    this.#transfers = transfers
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.#state.limits.offers
  }

  hasRoomTo(nodeIdHex: string): boolean {
    return this.hasRoom && this.#inFlightTo.of(nodeIdHex) < this.#state.limits.offersToPeer
  }

  /**
   * Sends one OFFER.
   *
   * @returns why nothing was sent; `offerer` is not called then
   */
  offer(turn: Turn, to: NodeRecord, items: readonly OfferedContent[], offerer: Offerer): Failure | undefined {
    if (!this.hasRoom) {
      this.#state.counters.add('limit.offers')
      return { code: 'TRANSFER_LIMIT', detail: `${this.#state.limits.offers} offers are in flight` }
    }
    const refused = this.#send(turn, to, items, offerer)
    if (refused === undefined) this.#count(to.nodeIdHex, 1)
    return refused
  }

  #send(turn: Turn, to: NodeRecord, items: readonly OfferedContent[], offerer: Offerer): Failure | undefined {
    const keys = items.map(item => item.key)
    return this.#requests.send(turn, to, { type: 'offer', keys }, (later, answer) => {
      if (!answer.ok) {
        this.#free(later, to)
        offerer.failed(later, answer)
        return
      }
      const { connectionId } = answer.message
      let { codes } = answer.message
      if (codes.length !== items.length) {
        this.#state.counters.add('malformed.accept.count')
        this.#free(later, to)
        const detail = `expected ${items.length} accept codes, got ${codes.length}`
        offerer.failed(later, { code: 'PORTAL_MESSAGE_MALFORMED', detail })
        return
      }
      // The same offer twice within moments gets the same answer, which the transfer under way belongs to.
      if (this.#transfers.isInitiating(to.nodeIdHex, connectionId)) {
        codes = codes.map(code => (code === acceptCodes.accepted ? acceptCodes.transferInProgress : code))
      }
      for (const code of codes) this.#state.counters.add(`accept.received.${Math.min(code, 7)}`)
      const accepted = items.filter((_item, index) => codes[index] === acceptCodes.accepted)
      offerer.answered(later, codes, answer.isRepeated)
      if (accepted.length === 0) {
        this.#free(later, to)
        offerer.ended(later, undefined)
      } else this.#transfer(later, to, accepted, connectionId, answer.version, offerer)
    })
  }

  #transfer(
    turn: Turn,
    peer: NodeRecord,
    items: readonly OfferedContent[],
    connectionId: number,
    version: number,
    offerer: Offerer,
  ): void {
    const ref = this.#state.nextRef()
    this.#transfers.begin(turn, ref, 'send', peer, connectionId, {
      ended: (later, failure) => {
        if (failure !== undefined) this.#state.counters.add(`send.failed.${failure}`)
        this.#free(later, peer)
        offerer.ended(later, failure)
      },
    })
    turn.emit({ type: 'send', ref, peer, connectionId, version, prefixed: true, items })
  }

  #free(turn: Turn, to: NodeRecord): void {
    this.#count(to.nodeIdHex, -1)
    this.freed?.(turn)
  }

  #count(nodeIdHex: string, by: 1 | -1): void {
    this.#inFlight += by
    this.#inFlightTo.add(nodeIdHex, by)
  }
}
