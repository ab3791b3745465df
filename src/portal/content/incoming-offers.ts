import { toHex } from '../../codec/hex.ts'
import type { ErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { Members } from '../network/members.ts'
import type { ContentName, Turn } from '../overlay-messages.ts'
import type { Questions } from '../waiting/questions.ts'
import type { Transfers } from '../waiting/transfers.ts'
import { acceptCodes } from '../wire/message.ts'

/** The answer to an OFFER: one code for each key, and the connection id where at least one is 0. */
export interface OfferAnswer {
  readonly connectionId: number
  readonly codes: Uint8Array
}

/** For so long an offer that is made again gets the answer that was given: a peer's time-out, and some. */
const REPEAT_MS = 3_000

const offerName = (from: NodeRecord, keys: readonly Uint8Array[]): string =>
  `${from.nodeIdHex} ${keys.map(key => toHex(key)).join(' ')}`

/** One key that is still wanted after what the overlay itself can say of it. */
interface Candidate {
  readonly index: number
  readonly name: ContentName
  readonly idHex: string
}

export interface IncomingOfferParts {
  readonly state: OverlayState
  readonly members: Members
  readonly questions: Questions
  readonly transfers: Transfers
  /** An item came, whole and valid. `content` is undefined where the store has it. */
  readonly received: (turn: Turn, from: NodeRecord, name: ContentName, content: Uint8Array | undefined) => void
}

/** OFFER from others: which keys are taken, and the one transfer that brings them. */
export class IncomingOffers {
  readonly #parts: IncomingOfferParts
  /** Content ids that somebody is sending us, by which transfer and since when: a second offer of one gets code 5. */
  readonly #receiving = new Map<string, { readonly ref: number; readonly since: number }>()
  /** What was answered to offers whose peer has not connected yet, by peer and keys. */
  readonly #answered = new Map<string, { readonly answer: OfferAnswer; readonly until: number }>()

  constructor(parts: IncomingOfferParts) {
    this.#parts = parts
  }

  get receiving(): number {
    return this.#receiving.size
  }

  /** @param settle is called once, in this turn or a later one */
  offered(
    turn: Turn,
    from: NodeRecord,
    version: number,
    keys: readonly Uint8Array[],
    settle: (turn: Turn, answer: OfferAnswer) => void,
  ): void {
    const { questions, state, transfers } = this.#parts
    // Our ACCEPT was lost and the peer asks again: without the same answer it would hear that its own transfer is in
    // the way.
    const repeated = this.#answered.size === 0 ? undefined : this.#answered.get(offerName(from, keys))
    if (repeated !== undefined && turn.now < repeated.until) {
      state.counters.add('accept.repeated')
      settle(turn, repeated.answer)
      return
    }
    const codes = new Uint8Array(keys.length)
    const candidates: Candidate[] = []
    const hasRoom = transfers.hasRoom('receive', from.nodeIdHex) && questions.hasRoom
    const offered = new Set<string>()
    for (const [index, key] of keys.entries()) {
      // A view of the datagram would keep all of it in memory for as long as the transfer lasts.
      const name = state.name(key.slice())
      const idHex = name === undefined ? '' : toHex(name.contentId)
      if (name === undefined) codes[index] = acceptCodes.notVerifiable
      else if (!state.wants(name.contentId)) codes[index] = acceptCodes.notWithinRadius
      else if (this.#isReceiving(turn, idHex) || offered.has(idHex)) codes[index] = acceptCodes.transferInProgress
      else if (!hasRoom) codes[index] = acceptCodes.rateLimited
      else {
        offered.add(idHex)
        candidates.push({ index, name, idHex })
      }
    }
    if (candidates.length === 0) {
      settle(turn, this.#counted({ connectionId: 0, codes }))
      return
    }
    const ref = questions.open(turn, state.limits.questionTimeoutMs, (later, answer) => {
      const judged = answer?.type === 'offer-judged' ? answer.codes : []
      settle(later, this.#counted(this.#judged(later, from, version, keys, codes, candidates, judged)))
    })
    turn.emit({ type: 'judge-offer', ref, from, items: candidates.map(candidate => candidate.name) })
  }

  #judged(
    turn: Turn,
    from: NodeRecord,
    version: number,
    keys: readonly Uint8Array[],
    codes: Uint8Array,
    candidates: readonly Candidate[],
    judged: readonly number[],
  ): OfferAnswer {
    const { state, transfers } = this.#parts
    // While the store was asked another offer may have taken the content or the last slot.
    const hasRoom = transfers.hasRoom('receive', from.nodeIdHex)
    const accepted: Candidate[] = []
    for (const [at, candidate] of candidates.entries()) {
      let code = judged[at] ?? acceptCodes.declined
      if (code === acceptCodes.accepted) {
        if (this.#isReceiving(turn, candidate.idHex)) code = acceptCodes.transferInProgress
        else if (!hasRoom) code = acceptCodes.rateLimited
        else accepted.push(candidate)
      }
      codes[candidate.index] = code
    }
    if (accepted.length === 0) return { connectionId: 0, codes }
    const connectionId = transfers.chooseConnectionId(from.nodeIdHex)
    const ref = state.nextRef()
    const answer = { connectionId, codes }
    const name = offerName(from, keys)
    this.#answered.set(name, { answer, until: turn.now + REPEAT_MS })
    this.#receive(turn, ref, from, connectionId, accepted, () => {
      if (this.#answered.get(name)?.answer === answer) this.#answered.delete(name)
    })
    const items = accepted.map(candidate => candidate.name)
    turn.emit({ type: 'receive', ref, peer: from, connectionId, version, prefixed: true, items })
    return answer
  }

  /**
   * @param begun the peer has our answer. It is not repeated any more: the same offer is a new one now, and the stream of the answer may
   * have ended long before its last item is judged and stored
   */
  #receive(
    turn: Turn,
    ref: number,
    from: NodeRecord,
    connectionId: number,
    accepted: readonly Candidate[],
    begun: () => void,
  ): void {
    const { transfers, received, state } = this.#parts
    for (const { idHex } of accepted) this.#receiving.set(idHex, { ref, since: turn.now })
    const missing = new Map(accepted.entries())
    transfers.begin(turn, ref, 'receive', from, connectionId, {
      begun,
      item: (later, index, content, stored) => {
        const candidate = missing.get(index)
        if (candidate === undefined) return
        missing.delete(index)
        this.#received(candidate.idHex, ref)
        state.counters.add('received.items')
        received(later, from, candidate.name, stored ? undefined : content)
      },
      ended: (later, failure) => {
        for (const { idHex } of missing.values()) this.#received(idHex, ref)
        begun()
        this.#ended(later, from, failure)
      },
    })
  }

  /** Whoever offers content and never sends it would else keep it from us for as long as a stream may last. */
  #isReceiving(turn: Turn, idHex: string): boolean {
    const transfer = this.#receiving.get(idHex)
    return transfer !== undefined && turn.now - transfer.since < this.#parts.state.limits.receivePatienceMs
  }

  /** Another transfer of the same content may have begun meanwhile. */
  #received(idHex: string, ref: number): void {
    if (this.#receiving.get(idHex)?.ref === ref) this.#receiving.delete(idHex)
  }

  #ended(turn: Turn, from: NodeRecord, failure: ErrorCode | undefined): void {
    if (failure === undefined) return
    this.#parts.state.counters.add(`receive.failed.${failure}`)
    if (failure === 'CONTENT_INVALID') this.#parts.members.distrust(turn, from)
  }

  #counted(answer: OfferAnswer): OfferAnswer {
    for (const code of answer.codes) this.#parts.state.counters.add(`accept.sent.${code}`)
    return answer
  }
}
