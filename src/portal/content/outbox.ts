import type { NodeRecord } from '../../identity/node-record.ts'
import type { ContentFailure, OfferedContent } from '../messages.ts'

/** One item for one peer, and what is done with the outcome: `failed`, or `answered` and, after code 0, `sent`. */
export interface Letter {
  readonly item: OfferedContent
  answered(to: NodeRecord, code: number, isRepeated: boolean): void
  sent(to: NodeRecord, failure: ContentFailure | undefined): void
  failed(to: NodeRecord): void
}

interface Tray {
  readonly to: NodeRecord
  readonly letters: Letter[]
}

/** The items that wait to be offered, by peer. Items for one peer leave together, in one OFFER; peers take turns. */
export class Outbox {
  readonly #limitOfPeer: number
  /** Peers with letters, in the order in which they are served. */
  readonly #trays = new Map<string, Tray>()

  constructor(limitOfPeer: number) {
    this.#limitOfPeer = limitOfPeer
  }

  /** Letters that wait. */
  get size(): number {
    let size = 0
    for (const tray of this.#trays.values()) size += tray.letters.length
    return size
  }

  /** The peers with letters, in the order in which they are served. */
  peers(): NodeRecord[] {
    return Array.from(this.#trays.values(), tray => tray.to)
  }

  /** @returns false if too many letters wait for this peer */
  add(to: NodeRecord, letter: Letter): boolean {
    const tray = this.#trays.get(to.nodeIdHex) ?? { to, letters: [] }
    if (tray.letters.length >= this.#limitOfPeer) return false
    tray.letters.push(letter)
    this.#trays.set(to.nodeIdHex, tray)
    return true
  }

  /**
   * Takes the next letters for a peer, which then moves behind the others, so that a busy peer does not get every free
   * slot.
   *
   * @param countFitting how many of the items, from the first, one OFFER holds
   */
  take(nodeIdHex: string, countFitting: (items: readonly OfferedContent[]) => number): Letter[] {
    const tray = this.#trays.get(nodeIdHex)
    if (tray === undefined) return []
    const batch = tray.letters.splice(0, Math.max(1, countFitting(tray.letters.map(letter => letter.item))))
    this.#trays.delete(nodeIdHex)
    if (tray.letters.length > 0) this.#trays.set(nodeIdHex, tray)
    return batch
  }
}
