import { ST_RESET, ST_SYN } from '../wire/packet.ts'
import type { StreamId, StreamPeer } from './streams-messages.ts'

export const EXPECTED = 0
export const OPEN = 1
export const LINGERING = 2

/** One receiving connection id of one peer, through its life. */
export interface StreamEntry<Peer extends StreamPeer> {
  stage: typeof EXPECTED | typeof OPEN | typeof LINGERING
  readonly peer: Peer
  /** As the Portal message named it. */
  readonly connectionId: number
  /** The id in packets that we receive. */
  readonly receiveId: number
  readonly initiated: boolean
  readonly ref: number
  stream: StreamId
  /** When an expectation or a lingering entry ends. */
  until: number
  farewell: Uint8Array | undefined
  /** Packets of the present input. */
  batch: Uint8Array[] | undefined
}

/** The streams of one peer by receiving connection id. */
class PeerStreams<Peer extends StreamPeer> {
  /** How many of them are open. */
  open = 0
  readonly entries = new Map<number, StreamEntry<Peer>>()

  at(receiveId: number): StreamEntry<Peer> | undefined {
    return this.entries.get(receiveId)
  }

  /**
   * A SYN carries the initiator's receiving id, which is one below ours. A RESET carries whichever id its sender had at hand: ours,
   * or the one that we send with (nim-eth `getSocketOnReset`).
   */
  find(type: number, id: number): StreamEntry<Peer> | undefined {
    if (type === ST_SYN) {
      const entry = this.entries.get((id + 1) & 0xffff)
      return entry === undefined || entry.initiated ? undefined : entry
    }
    const entry = this.entries.get(id)
    if (entry !== undefined || type !== ST_RESET) return entry
    const initiated = this.entries.get((id - 1) & 0xffff)
    if (initiated?.initiated === true) return initiated
    const accepted = this.entries.get((id + 1) & 0xffff)
    return accepted?.initiated === false ? accepted : undefined
  }
}

/** (node id, receiving connection id) to stream. A peer without streams takes no room; the limits of `Streams` bound the rest. */
export class StreamIndex<Peer extends StreamPeer> {
  readonly #peers = new Map<string, PeerStreams<Peer>>()

  of(peer: Peer): PeerStreams<Peer> | undefined {
    return this.#peers.get(peer.nodeIdHex)
  }

  add(entry: StreamEntry<Peer>): void {
    const { nodeIdHex } = entry.peer
    let known = this.#peers.get(nodeIdHex)
    if (known === undefined) {
      known = new PeerStreams()
      this.#peers.set(nodeIdHex, known)
    }
    known.entries.set(entry.receiveId, entry)
  }

  /** Its id may belong to a younger entry by now, which stays. */
  remove(entry: StreamEntry<Peer>): void {
    const { nodeIdHex } = entry.peer
    const known = this.#peers.get(nodeIdHex)
    if (known === undefined) return
    if (known.entries.get(entry.receiveId) === entry) known.entries.delete(entry.receiveId)
    if (known.entries.size === 0) this.#peers.delete(nodeIdHex)
  }
}
