import { Tally } from '../../discv5/table/tally.ts'
import type { StreamPeer } from './streams-messages.ts'

/** A SYN that came before anybody expected it. */
interface EarlySyn<Peer extends StreamPeer> {
  readonly peer: Peer
  readonly bytes: Uint8Array
  readonly until: number
}

/**
 * SYNs that are a moment early. The peer that reads a connection id in our message connects at once, and its SYN may overtake the word
 * that we give ourselves to expect it (two queues, under load a whole turn). A RESET at once would end what is about to begin, so it comes
 * when the SYN has waited, briefly and bounded.
 */
export class EarlySyns<Peer extends StreamPeer> {
  readonly #capacity: number
  readonly #capacityOfPeer: number
  readonly #waitMs: number
  /** All wait equally long: the oldest stands first. */
  readonly #waiting = new Map<string, EarlySyn<Peer>>()
  /** How many of each peer: one that opens what nobody expects takes no room from others. */
  readonly #ofPeer = new Tally()

  constructor(options: { readonly capacity: number; readonly capacityOfPeer: number; readonly waitMs: number }) {
    this.#capacity = options.capacity
    this.#capacityOfPeer = options.capacityOfPeer
    this.#waitMs = options.waitMs
  }

  get size(): number {
    return this.#waiting.size
  }

  /** When the oldest has waited long enough; `Infinity` where none waits. */
  get deadline(): number {
    for (const { until } of this.#waiting.values()) return until
    return Number.POSITIVE_INFINITY
  }

  /**
   * @param receiveId the id that we would receive with
   * @returns false where there is no room: it is refused at once
   */
  keep(peer: Peer, receiveId: number, bytes: Uint8Array, now: number): boolean {
    const key = keyOf(peer.nodeIdHex, receiveId)
    if (this.#waiting.has(key)) return true // a repetition, which waits no longer than the first
    if (this.#waiting.size >= this.#capacity || this.#ofPeer.of(peer.nodeIdHex) >= this.#capacityOfPeer) return false
    this.#waiting.set(key, { peer, bytes, until: now + this.#waitMs })
    this.#ofPeer.add(peer.nodeIdHex, 1)
    return true
  }

  /** The SYN that waits for this expectation, if one does. */
  take(nodeIdHex: string, receiveId: number): Uint8Array | undefined {
    const key = keyOf(nodeIdHex, receiveId)
    const early = this.#waiting.get(key)
    if (early !== undefined) this.#remove(key, early)
    return early?.bytes
  }

  /** Those that nobody came to expect. */
  *takeOverdue(now: number): IterableIterator<{ readonly peer: Peer; readonly bytes: Uint8Array }> {
    for (const [key, early] of this.#waiting) {
      if (early.until > now) return
      this.#remove(key, early)
      yield early
    }
  }

  #remove(key: string, { peer }: EarlySyn<Peer>): void {
    this.#waiting.delete(key)
    this.#ofPeer.add(peer.nodeIdHex, -1)
  }
}

const keyOf = (nodeIdHex: string, receiveId: number): string => `${nodeIdHex}:${receiveId}`
