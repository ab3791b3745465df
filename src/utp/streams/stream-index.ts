import { invariant } from 'spimpl-runtime/core'
import { ST_RESET, ST_SYN } from '../wire/packet.ts'
import type { StreamPeer } from './messages.ts'
import type { StreamEntry } from './stream-entry.ts'

/** The entries of one peer, by the connection id that we receive with. */
class PeerEntries<Peer extends StreamPeer> {
  readonly #entries = new Map<number, StreamEntry<Peer>>()
  #openStreams = 0

  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  get openStreams(): number {
    return this.#openStreams
  }

  at(receiveId: number): StreamEntry<Peer> | undefined {
    return this.#entries.get(receiveId)
  }

  /**
   * A SYN carries the initiator's receiving id, which is one below ours. A RESET carries one of two ids: the one that
   * we receive with, or the one that we send with (nim-eth `getSocketOnReset`).
   */
  find(type: number, id: number): StreamEntry<Peer> | undefined {
    if (type === ST_SYN) {
      const entry = this.#entries.get((id + 1) & 0xffff)
      return entry === undefined || entry.initiated ? undefined : entry
    }
    const entry = this.#entries.get(id)
    if (entry !== undefined || type !== ST_RESET) return entry
    const initiated = this.#entries.get((id - 1) & 0xffff)
    if (initiated?.initiated === true) return initiated
    const accepted = this.#entries.get((id + 1) & 0xffff)
    return accepted?.initiated === false ? accepted : undefined
  }

  set(entry: StreamEntry<Peer>): void {
    this.#entries.set(entry.receiveId, entry)
  }

  /** A newer entry may have taken over the id; it stays. */
  remove(entry: StreamEntry<Peer>): void {
    if (this.#entries.get(entry.receiveId) === entry) this.#entries.delete(entry.receiveId)
  }

  count(change: 1 | -1): void {
    this.#openStreams += change
    invariant(
      this.#openStreams >= 0 && this.#openStreams <= this.#entries.size,
      'open streams of a peer to be a part of its entries',
    )
  }
}

/**
 * (node id, receiving connection id) to entry. A peer without entries takes no room; the limits of `Streams` bound the
 * rest.
 */
export class StreamIndex<Peer extends StreamPeer> {
  readonly #peers = new Map<string, PeerEntries<Peer>>()

  of(peer: Peer): Pick<PeerEntries<Peer>, 'at' | 'find' | 'openStreams'> | undefined {
    return this.#peers.get(peer.nodeIdHex)
  }

  add(entry: StreamEntry<Peer>): void {
    const { nodeIdHex } = entry.peer
    let entries = this.#peers.get(nodeIdHex)
    if (entries === undefined) {
      entries = new PeerEntries()
      this.#peers.set(nodeIdHex, entries)
    }
    entries.set(entry)
  }

  /** One more, or one less, of the peer's entries is an open stream. */
  count(entry: StreamEntry<Peer>, change: 1 | -1): void {
    this.#peers.get(entry.peer.nodeIdHex)?.count(change)
  }

  remove(entry: StreamEntry<Peer>): void {
    const { nodeIdHex } = entry.peer
    const entries = this.#peers.get(nodeIdHex)
    if (entries === undefined) return
    entries.remove(entry)
    if (entries.isEmpty) this.#peers.delete(nodeIdHex)
  }
}
