import type { ErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { OfferedContent, Turn } from '../overlay-messages.ts'
import { itemsOfOneOffer, type OutgoingOffers } from './outgoing-offers.ts'

/**
 * One item for one peer, and who wants to know what became of it: `failed`, or `answered` and, after code 0, `sent`.
 */
export interface Letter {
  readonly item: OfferedContent
  answered(turn: Turn, to: NodeRecord, code: number, isRepeated: boolean): void
  sent(turn: Turn, to: NodeRecord, failure: ErrorCode | undefined): void
  failed(turn: Turn, to: NodeRecord): void
}

interface Tray {
  readonly to: NodeRecord
  letters: Letter[]
}

/**
 * What waits to be offered, by peer. Items for one peer travel together: what gathers while its slots are taken leaves
 * as one OFFER of up to 64 keys. Peers take turns.
 */
export class Outbox {
  readonly #offers: OutgoingOffers
  readonly #limitOfPeer: number
  /** Peers with letters, in the order in which they are served. */
  readonly #trays = new Map<string, Tray>()

  constructor(offers: OutgoingOffers, limitOfPeer: number) {
    this.#offers = offers
    this.#limitOfPeer = limitOfPeer
    offers.freed = turn => this.#flush(turn)
  }

  get size(): number {
    let size = 0
    for (const tray of this.#trays.values()) size += tray.letters.length
    return size
  }

  /** @returns false where too much waits for this peer already */
  post(turn: Turn, to: NodeRecord, letter: Letter): boolean {
    let tray = this.#trays.get(to.nodeIdHex)
    if (tray === undefined) {
      tray = { to, letters: [] }
      this.#trays.set(to.nodeIdHex, tray)
    }
    if (tray.letters.length >= this.#limitOfPeer) return false
    tray.letters.push(letter)
    if (this.#offers.hasRoomTo(to.nodeIdHex)) this.#send(turn, tray)
    return true
  }

  #flush(turn: Turn): void {
    for (const [nodeIdHex, tray] of [...this.#trays]) {
      if (!this.#offers.hasRoom) return
      if (this.#trays.get(nodeIdHex) === tray && this.#offers.hasRoomTo(nodeIdHex)) this.#send(turn, tray)
    }
  }

  #send(turn: Turn, tray: Tray): void {
    const { to } = tray
    const batch = tray.letters.splice(0, Math.max(1, itemsOfOneOffer(tray.letters.map(letter => letter.item))))
    this.#trays.delete(to.nodeIdHex)
    // Behind the others, so that a busy peer does not take every slot that becomes free.
    if (tray.letters.length > 0) this.#trays.set(to.nodeIdHex, tray)
    let accepted: readonly Letter[] = []
    const refused = this.#offers.offer(
      turn,
      to,
      batch.map(letter => letter.item),
      {
        answered: (later, codes, isRepeated) => {
          accepted = batch.filter((_letter, index) => codes[index] === 0)
          for (const [index, letter] of batch.entries()) letter.answered(later, to, codes[index]!, isRepeated)
        },
        ended: (later, failure) => {
          for (const letter of accepted) letter.sent(later, to, failure)
        },
        failed: later => {
          for (const letter of batch) letter.failed(later, to)
        },
      },
    )
    if (refused !== undefined) for (const letter of batch) letter.failed(turn, to)
  }
}
