import { Deadline, invariant, PendingCalls } from 'spimpl-runtime/core'
import { Tally } from '../../discv5/table/tally.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Numbered } from '../deadlines.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { ContentFailure } from '../messages.ts'
import { ContentRoom } from './content-room.ts'

export type TransferKind = 'fetch' | 'serve' | 'send' | 'receive'

/** What the owner of a transfer does when the transfer reports something. */
export interface TransferOwner {
  begun?(): void
  item?(index: number, content: Uint8Array, stored: boolean): void
  /** It is over, with a failure or without. Called once. */
  ended(failure: ContentFailure | undefined): void
}

interface Transfer {
  readonly kind: TransferKind
  /** The node id. */
  readonly peer: string
  readonly connectionId: number
  readonly owner: TransferOwner
  readonly timeout: Deadline<'transfer-timeout', Numbered>
}

const TIMED_OUT: ContentFailure = { code: 'STREAM_TIMEOUT', blamesContent: false }

/** The slots of transfers: how many exist of each kind, altogether and with one peer, and their connection ids. */
export class Transfers {
  readonly #state: OverlayState
  readonly #transfers: PendingCalls<Transfer>
  readonly #count: Record<TransferKind, number> = { fetch: 0, serve: 0, send: 0, receive: 0 }
  readonly #countOfPeer = new Tally()
  /** Connection ids that we chose, of all peers. */
  readonly #listening = new Set<number>()
  /** Connection ids that peers chose and we use, by peer. */
  readonly #initiating = new Set<string>()
  readonly #room: ContentRoom

  constructor(state: OverlayState) {
    const { fetches, serves, offers, receives } = state.limits
    this.#state = state
    this.#transfers = new PendingCalls(fetches + serves + offers + receives)
    this.#room = new ContentRoom(state.limits, state.turn)
  }

  /** What items in transit to us hold. */
  get incoming(): { readonly fetchBytes: number; readonly receiveBytes: number; readonly waiting: number } {
    const room = this.#room
    return { fetchBytes: room.bytes('fetch'), receiveBytes: room.bytes('receive'), waiting: room.waiting }
  }

  count(kind: TransferKind): number {
    return this.#count[kind]
  }

  countOfPeer(kind: TransferKind, nodeIdHex: string): number {
    return this.#countOfPeer.of(kind + nodeIdHex)
  }

  /** Whether one more transfer of this kind may begin with this peer. */
  hasRoom(kind: TransferKind, nodeIdHex: string): boolean {
    const [total, ofPeer] = this.#bounds(kind)
    return this.#count[kind] < total && this.countOfPeer(kind, nodeIdHex) < ofPeer
  }

  /**
   * A connection id for a stream that a peer will initiate. Its neighbours are free, too, because a stream occupies two
   * ids (uTP sends on one and receives on the other). 0 is reserved for "nothing accepted".
   */
  chooseConnectionId(nodeIdHex: string): number {
    const isTaken = (id: number): boolean => this.#listening.has(id) || this.isInitiating(nodeIdHex, id)
    for (;;) {
      const id = 1 + this.#state.randomness.below(0xfffe)
      if (!isTaken(id) && !isTaken(id - 1) && !isTaken(id + 1)) return id
    }
  }

  /**
   * Whether a stream to this peer with an id that the peer chose is under way. A repeated answer names its id again.
   */
  isInitiating(nodeIdHex: string, connectionId: number): boolean {
    return this.#initiating.has(`${nodeIdHex} ${connectionId}`)
  }

  /** @param connectionId of `chooseConnectionId` for `serve` and `receive`, of the peer for `fetch` and `send` */
  begin(ref: number, kind: TransferKind, peer: NodeRecord, connectionId: number, owner: TransferOwner): void {
    const timeout = new Deadline('transfer-timeout', { ref })
    this.#transfers.addAs(ref, { kind, peer: peer.nodeIdHex, connectionId, owner, timeout })
    this.#state.deadlines.set(timeout, this.#state.turn.now + this.#state.limits.transferTimeoutMs)
    this.#countSlot(kind, peer.nodeIdHex, 1)
    if (kind === 'serve' || kind === 'receive') this.#listening.add(connectionId)
    else this.#initiating.add(`${peer.nodeIdHex} ${connectionId}`)
  }

  begun(ref: number): void {
    this.#transfers.peek(ref)?.owner.begun?.()
  }

  /** The next item of the transfer has this many bytes. */
  size(ref: number, bytes: number): void {
    const transfer = this.#transfers.peek(ref)
    if (transfer === undefined) return
    const { kind, peer } = transfer
    if (kind === 'fetch' || kind === 'receive') this.#room.claim({ ref, kind, peer, bytes })
  }

  item(ref: number, index: number, content: Uint8Array, stored: boolean): void {
    this.#room.release(ref)
    this.#transfers.peek(ref)?.owner.item?.(index, content, stored)
  }

  /** Frees the slot and tells the owner. Nothing happens for a transfer that was cancelled or has ended. */
  end(ref: number, failure: ContentFailure | undefined): void {
    this.#free(ref)?.owner.ended(failure)
  }

  /** The deadline of a transfer has come. */
  expire(ref: number): void {
    this.#state.turn.emit({ type: 'cancel-transfer', ref })
    this.end(ref, TIMED_OUT)
  }

  /** Frees the slot and has the stream reset. The owner is not told. */
  cancel(ref: number): void {
    if (this.#free(ref) !== undefined) this.#state.turn.emit({ type: 'cancel-transfer', ref })
  }

  #free(ref: number): Transfer | undefined {
    const transfer = this.#transfers.take(ref)
    if (transfer === undefined) return undefined
    const { kind, peer, connectionId, timeout } = transfer
    this.#room.release(ref)
    this.#state.deadlines.clear(timeout)
    this.#countSlot(kind, peer, -1)
    if (kind === 'serve' || kind === 'receive') this.#listening.delete(connectionId)
    else this.#initiating.delete(`${peer} ${connectionId}`)
    return transfer
  }

  #countSlot(kind: TransferKind, nodeIdHex: string, by: 1 | -1): void {
    this.#count[kind] += by
    this.#countOfPeer.add(kind + nodeIdHex, by)
    const { fetch, serve, send, receive } = this.#count
    invariant(fetch + serve + send + receive === this.#transfers.size, 'a slot for each transfer')
    invariant(this.#count[kind] >= 0 && this.#count[kind] <= this.#bounds(kind)[0], 'no more transfers than slots')
  }

  #bounds(kind: TransferKind): readonly [total: number, ofPeer: number] {
    const { limits } = this.#state
    switch (kind) {
      case 'fetch':
        return [limits.fetches, limits.fetches]
      case 'serve':
        return [limits.serves, limits.servesOfPeer]
      case 'send':
        return [limits.offers, limits.offersToPeer]
      case 'receive':
        return [limits.receives, limits.receivesOfPeer]
    }
  }
}
