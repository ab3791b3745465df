import { Deadline, type Deadlines } from 'spimpl-runtime/core'
import { Tally } from '../../discv5/table/tally.ts'
import type { StreamsDeadline } from '../deadlines.ts'
import type { StreamPeer } from './messages.ts'
import type { EarlySyn } from './stream-entry.ts'

/**
 * SYNs that arrived before their expectation. The peer connects as soon as it reads a connection id in our message, and
 * its SYN may overtake our own message to expect it (two queues, under load a whole turn). A RESET at once would end a
 * stream that is about to start, so the RESET waits, briefly and bounded.
 */
export class SynBacklog<Peer extends StreamPeer> {
  readonly #capacity: number
  readonly #capacityOfPeer: number
  readonly #waitMs: number
  readonly #deadlines: Deadlines<StreamsDeadline<Peer>>
  readonly #syns = new Map<string, EarlySyn<Peer>>()
  /** How many of each peer: a peer that opens unexpected streams takes no room from others. */
  readonly #ofPeer = new Tally()

  constructor(
    deadlines: Deadlines<StreamsDeadline<Peer>>,
    options: { readonly capacity: number; readonly capacityOfPeer: number; readonly waitMs: number },
  ) {
    this.#deadlines = deadlines
    this.#capacity = options.capacity
    this.#capacityOfPeer = options.capacityOfPeer
    this.#waitMs = options.waitMs
  }

  /**
   * @param receiveId the id that we would receive with
   * @returns false if there is no room: the SYN is refused at once
   */
  hold(peer: Peer, receiveId: number, bytes: Uint8Array, now: number): boolean {
    const key = keyOf(peer.nodeIdHex, receiveId)
    if (this.#syns.has(key)) return true // a repetition, which waits no longer than the first one
    if (this.#syns.size >= this.#capacity || this.#ofPeer.of(peer.nodeIdHex) >= this.#capacityOfPeer) return false
    const syn = new HeldSyn(key, peer, bytes)
    this.#syns.set(key, syn)
    this.#ofPeer.add(peer.nodeIdHex, 1)
    this.#deadlines.set(syn.deadline, now + this.#waitMs)
    return true
  }

  /** The SYN that waits for this expectation, if one does. */
  take(nodeIdHex: string, receiveId: number): Uint8Array | undefined {
    const syn = this.#syns.get(keyOf(nodeIdHex, receiveId))
    if (syn === undefined) return undefined
    this.#deadlines.clear(syn.deadline)
    this.drop(syn)
    return syn.bytes
  }

  /** The deadline of this SYN has come. */
  drop({ key, peer }: EarlySyn<Peer>): void {
    this.#syns.delete(key)
    this.#ofPeer.add(peer.nodeIdHex, -1)
  }
}

class HeldSyn<Peer extends StreamPeer> implements EarlySyn<Peer> {
  readonly key: string
  readonly peer: Peer
  readonly bytes: Uint8Array
  readonly deadline = new Deadline('early-syn', this as EarlySyn<Peer>)

  constructor(key: string, peer: Peer, bytes: Uint8Array) {
    this.key = key
    this.peer = peer
    this.bytes = bytes
  }
}

const keyOf = (nodeIdHex: string, receiveId: number): string => `${nodeIdHex}:${receiveId}`
