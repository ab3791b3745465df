import { Deadline, invariant } from 'spimpl-runtime/core'
import type { StreamId, StreamPeer } from './messages.ts'

/** A SYN that arrived before its expectation. */
export interface EarlySyn<Peer extends StreamPeer> {
  readonly key: string
  readonly peer: Peer
  readonly bytes: Uint8Array
  readonly deadline: Deadline<'early-syn', EarlySyn<Peer>>
}

/** One receiving connection id of one peer. */
export class StreamEntry<Peer extends StreamPeer> {
  readonly ref: number
  readonly peer: Peer
  /** As the Portal message named it. */
  readonly connectionId: number
  /** The id in packets that arrive. */
  readonly receiveId: number
  readonly initiated: boolean
  readonly expectation = new Deadline('expectation', this as StreamEntry<Peer>)
  readonly lingering = new Deadline('lingering', this as StreamEntry<Peer>)
  #stage: 'expected' | 'open' | 'lingering' = 'expected'
  #stream: StreamId = 0
  #lastAck: Uint8Array | undefined
  #collected: Uint8Array[] | undefined

  constructor(ref: number, peer: Peer, connectionId: number, initiated: boolean) {
    this.ref = ref
    this.peer = peer
    this.connectionId = connectionId
    this.receiveId = initiated ? connectionId : (connectionId + 1) & 0xffff
    this.initiated = initiated
  }

  get stage(): 'expected' | 'open' | 'lingering' {
    return this.#stage
  }

  /** 0 while it is expected. */
  get stream(): StreamId {
    return this.#stream
  }

  /** The reply to late packets; undefined: a RESET. */
  get lastAck(): Uint8Array | undefined {
    return this.#lastAck
  }

  open(stream: StreamId): void {
    invariant(this.#stage === 'expected', 'a stream that is opened once')
    this.#stage = 'open'
    this.#stream = stream
  }

  close(lastAck: Uint8Array | undefined): void {
    invariant(this.#stage === 'open', 'a stream that is closed once')
    this.#stage = 'lingering'
    this.#lastAck = lastAck
  }

  /** Keeps a packet of the present input. Returns whether it is the first one. */
  collect(packet: Uint8Array): boolean {
    if (this.#collected !== undefined) {
      this.#collected.push(packet)
      return false
    }
    this.#collected = [packet]
    return true
  }

  takeCollected(): readonly Uint8Array[] {
    const collected = this.#collected ?? []
    this.#collected = undefined
    return collected
  }
}
