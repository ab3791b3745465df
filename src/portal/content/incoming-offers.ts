import { toHex } from '../../codec/hex.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { failureName } from '../counters.ts'
import type { Members } from '../knowledge/members.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { ContentFailure, ContentName } from '../messages.ts'
import type { Questions } from '../waiting/questions.ts'
import type { Transfers } from '../waiting/transfers.ts'
import { type AcceptCode, acceptCodes } from '../wire/message.ts'
import type { Gossip } from './gossip.ts'

/** The answer to an OFFER: one code for each key, and the connection id if at least one code is 0. */
export interface OfferAnswer {
  readonly connectionId: number
  readonly codes: Uint8Array
}

/** An offer that is repeated within this time gets the same answer: the time-out of a peer, and some margin. */
const REPEAT_MS = 3_000

const offerName = (from: NodeRecord, keys: readonly Uint8Array[]): string =>
  `${from.nodeIdHex} ${keys.map(key => toHex(key)).join(' ')}`

/** One offer that is being answered. */
interface Offer {
  readonly from: NodeRecord
  readonly version: number
  readonly keys: readonly Uint8Array[]
  readonly codes: Uint8Array
}

/** An offered item that we want if the store does not have it. */
interface WantedItem {
  /** Of its key in the offer. */
  readonly index: number
  readonly name: ContentName
  readonly idHex: string
}

export interface IncomingOfferParts {
  readonly state: OverlayState
  readonly members: Members
  readonly questions: Questions
  readonly transfers: Transfers
  readonly gossip: Gossip
}

/** OFFER from peers: which keys are accepted, and the one transfer that brings them. What arrives is gossiped. */
export class IncomingOffers {
  readonly #parts: IncomingOfferParts
  /** Content ids in transit to us, each with its transfer and when that began. A second offer of one gets code 5. */
  readonly #receiving = new Map<string, { readonly ref: number; readonly since: number }>()
  /** Answers to offers whose peer has not connected yet, by peer and keys. */
  readonly #answered = new Map<string, { readonly answer: OfferAnswer; readonly until: number }>()

  constructor(parts: IncomingOfferParts) {
    this.#parts = parts
  }

  /** @param settle is called once, in this turn or in a later one */
  offered(from: NodeRecord, version: number, keys: readonly Uint8Array[], settle: (answer: OfferAnswer) => void): void {
    const { questions, state } = this.#parts
    const repeated = this.#repeatedAnswer(from, keys)
    if (repeated !== undefined) {
      settle(repeated)
      return
    }
    const offer: Offer = { from, version, keys, codes: new Uint8Array(keys.length) }
    const wanted = this.#wantedItems(offer)
    if (wanted.length === 0) {
      settle(this.#counted({ connectionId: 0, codes: offer.codes }))
      return
    }
    const ref = state.ownRef()
    questions.open(ref, state.limits.questionTimeoutMs, answer => {
      const present = answer?.type === 'presence' ? answer.present : []
      settle(this.#counted(this.#accept(offer, wanted, present)))
    })
    state.turn.emit({ type: 'want-presence', ref, items: wanted.map(item => item.name) })
  }

  /**
   * The peer makes the same offer again because it did not get our ACCEPT: it gets the same answer. Otherwise it would
   * be told that its own transfer is in progress.
   */
  #repeatedAnswer(from: NodeRecord, keys: readonly Uint8Array[]): OfferAnswer | undefined {
    const { counters, turn } = this.#parts.state
    const repeated = this.#answered.size === 0 ? undefined : this.#answered.get(offerName(from, keys))
    if (repeated === undefined || turn.now >= repeated.until) return undefined
    counters.add('accept.repeated')
    return repeated.answer
  }

  /** Writes the codes of items that are declined without asking the store. @returns the others */
  #wantedItems({ from, keys, codes }: Offer): WantedItem[] {
    const { questions, state, transfers } = this.#parts
    const wanted: WantedItem[] = []
    const hasRoom = transfers.hasRoom('receive', from.nodeIdHex) && questions.hasRoom
    const offered = new Set<string>()
    for (const [index, key] of keys.entries()) {
      // A view would keep the whole datagram in memory for as long as the transfer lasts.
      const name = state.name(key.slice())
      const idHex = name === undefined ? '' : toHex(name.contentId)
      if (name === undefined) codes[index] = acceptCodes.notVerifiable
      else if (!state.wants(name.contentId)) codes[index] = acceptCodes.notWithinRadius
      else if (this.#isReceiving(idHex) || offered.has(idHex)) codes[index] = acceptCodes.transferInProgress
      else if (!hasRoom) codes[index] = acceptCodes.rateLimited
      else {
        offered.add(idHex)
        wanted.push({ index, name, idHex })
      }
    }
    return wanted
  }

  /** The answer now that the store has said what it has; `present` is empty if it did not answer. */
  #accept(offer: Offer, wanted: readonly WantedItem[], present: readonly boolean[]): OfferAnswer {
    const { state, transfers } = this.#parts
    const { from, version, keys, codes } = offer
    // Meanwhile another offer may have taken the content or the last slot.
    const hasRoom = transfers.hasRoom('receive', from.nodeIdHex)
    const accepted: WantedItem[] = []
    for (const [at, item] of wanted.entries()) {
      const code = this.#codeOf(item, present[at], hasRoom)
      if (code === acceptCodes.accepted) accepted.push(item)
      codes[item.index] = code
    }
    if (accepted.length === 0) return { connectionId: 0, codes }
    const connectionId = transfers.chooseConnectionId(from.nodeIdHex)
    const ref = state.ownRef()
    const answer = { connectionId, codes }
    const name = offerName(from, keys)
    this.#answered.set(name, { answer, until: state.turn.now + REPEAT_MS })
    this.#receive(ref, from, connectionId, accepted, () => {
      if (this.#answered.get(name)?.answer === answer) this.#answered.delete(name)
    })
    const items = accepted.map(item => item.name)
    state.turn.emit({ type: 'receive', ref, peer: from, connectionId, version, prefixed: true, items })
    return answer
  }

  #codeOf({ idHex }: WantedItem, isPresent: boolean | undefined, hasRoom: boolean): AcceptCode {
    if (isPresent === undefined) return acceptCodes.declined
    if (isPresent) return acceptCodes.stored
    if (this.#isReceiving(idHex)) return acceptCodes.transferInProgress
    return hasRoom ? acceptCodes.accepted : acceptCodes.rateLimited
  }

  /**
   * @param begun the peer has connected, so it has our answer. From now on the same offer counts as a new one, because
   * the stream of the first may end long before its last item is validated and stored
   */
  #receive(
    ref: number,
    from: NodeRecord,
    connectionId: number,
    accepted: readonly WantedItem[],
    begun: () => void,
  ): void {
    const { gossip, state, transfers } = this.#parts
    for (const { idHex } of accepted) this.#receiving.set(idHex, { ref, since: state.turn.now })
    const missing = new Map(accepted.entries())
    transfers.begin(ref, 'receive', from, connectionId, {
      begun,
      item: (index, content, stored) => {
        const item = missing.get(index)
        if (item === undefined) return
        missing.delete(index)
        this.#notReceiving(item.idHex, ref)
        state.counters.add('received.items')
        gossip.pass(item.name, stored ? undefined : content, from)
      },
      ended: failure => {
        for (const { idHex } of missing.values()) this.#notReceiving(idHex, ref)
        begun()
        if (failure !== undefined) this.#failed(from, failure)
      },
    })
  }

  /**
   * False again after `receivePatienceMs`: otherwise a peer that offers content and never sends it could withhold it.
   */
  #isReceiving(idHex: string): boolean {
    const { limits, turn } = this.#parts.state
    const transfer = this.#receiving.get(idHex)
    return transfer !== undefined && turn.now - transfer.since < limits.receivePatienceMs
  }

  /** The item arrived, or its transfer ended. Another transfer of the same content may have begun since. */
  #notReceiving(idHex: string, ref: number): void {
    if (this.#receiving.get(idHex)?.ref === ref) this.#receiving.delete(idHex)
  }

  #failed(from: NodeRecord, { code, blamesContent }: ContentFailure): void {
    const { members, state } = this.#parts
    state.counters.add(`receive.failed.${failureName(code, blamesContent)}`)
    if (blamesContent) members.distrust(from)
  }

  #counted(answer: OfferAnswer): OfferAnswer {
    for (const code of answer.codes) this.#parts.state.counters.add(`accept.sent.${code as AcceptCode}`)
    return answer
  }
}
