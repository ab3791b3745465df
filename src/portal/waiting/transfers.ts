import type { Randomness } from 'spimpl-runtime'
import { Tally } from '../../discv5/table/tally.ts'
import type { ErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { OverlayLimits } from '../limits.ts'
import type { Turn } from '../overlay-messages.ts'
import type { Agenda, Appointment } from './agenda.ts'
import { ContentRoom } from './content-room.ts'

export type TransferKind = 'fetch' | 'serve' | 'send' | 'receive'

/** What the owner of a transfer does when something is reported of it. */
export interface TransferOwner {
  begun?(turn: Turn): void
  item?(turn: Turn, index: number, content: Uint8Array, stored: boolean): void
  /** It is over; without a failure it went well. Called once. */
  ended(turn: Turn, failure: ErrorCode | undefined): void
}

interface Transfer {
  readonly kind: TransferKind
  readonly peer: string
  readonly connectionId: number
  readonly owner: TransferOwner
  readonly overdue: Appointment<(turn: Turn) => void>
}

/**
 * The slots of transfers: how many there are of each kind, in all and with one peer, and which connection ids are
 * taken.
 */
export class Transfers {
  readonly #limits: OverlayLimits
  readonly #agenda: Agenda<(turn: Turn) => void>
  readonly #randomness: Randomness
  readonly #transfers = new Map<number, Transfer>()
  readonly #count: Record<TransferKind, number> = { fetch: 0, serve: 0, send: 0, receive: 0 }
  readonly #countOfPeer = new Tally()
  /** Connection ids that we chose, of all peers. */
  readonly #listening = new Set<number>()
  /** Connection ids that peers chose and we use, by peer. */
  readonly #initiating = new Set<string>()
  readonly #room: ContentRoom

  constructor(limits: OverlayLimits, agenda: Agenda<(turn: Turn) => void>, randomness: Randomness) {
    this.#limits = limits
    this.#agenda = agenda
    this.#randomness = randomness
    this.#room = new ContentRoom(limits)
  }

  /** What items on their way to us hold. */
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

  /** Whether one more of this kind may begin with this peer. */
  hasRoom(kind: TransferKind, nodeIdHex: string): boolean {
    const [total, ofPeer] = this.#bounds(kind)
    return this.#count[kind] < total && this.countOfPeer(kind, nodeIdHex) < ofPeer
  }

  /**
   * A connection id for a stream that a peer will initiate. Its neighbours stay free as well, because a stream takes
   * two ids (uTP sends on one and receives on the other); 0 stands for "nothing accepted".
   */
  chooseConnectionId(nodeIdHex: string): number {
    const isTaken = (id: number): boolean => this.#listening.has(id) || this.isInitiating(nodeIdHex, id)
    for (;;) {
      const id = 1 + this.#randomness.below(0xfffe)
      if (!isTaken(id) && !isTaken(id - 1) && !isTaken(id + 1)) return id
    }
  }

  /**
   * Whether a stream to this peer with the id that it chose is under way: an answer that repeats one names it again.
   */
  isInitiating(nodeIdHex: string, connectionId: number): boolean {
    return this.#initiating.has(`${nodeIdHex} ${connectionId}`)
  }

  /** @param connectionId of `chooseConnectionId` for `serve` and `receive`, of the peer for `fetch` and `send` */
  begin(
    turn: Turn,
    ref: number,
    kind: TransferKind,
    peer: NodeRecord,
    connectionId: number,
    owner: TransferOwner,
  ): void {
    const overdue = this.#agenda.set(turn.now + this.#limits.transferTimeoutMs, later => {
      later.emit({ type: 'cancel-transfer', ref })
      this.end(later, ref, 'STREAM_TIMEOUT')
    })
    this.#transfers.set(ref, { kind, peer: peer.nodeIdHex, connectionId, owner, overdue })
    this.#count[kind] += 1
    this.#countOfPeer.add(kind + peer.nodeIdHex, 1)
    if (kind === 'serve' || kind === 'receive') this.#listening.add(connectionId)
    else this.#initiating.add(`${peer.nodeIdHex} ${connectionId}`)
  }

  begun(turn: Turn, ref: number): void {
    this.#transfers.get(ref)?.owner.begun?.(turn)
  }

  /** An item of so many bytes comes next. */
  size(turn: Turn, ref: number, bytes: number): void {
    const transfer = this.#transfers.get(ref)
    if (transfer === undefined) return
    const { kind, peer } = transfer
    if (kind === 'fetch' || kind === 'receive') this.#room.ask(turn, { ref, kind, peer, bytes })
  }

  item(turn: Turn, ref: number, index: number, content: Uint8Array, stored: boolean): void {
    this.#room.release(turn, ref)
    this.#transfers.get(ref)?.owner.item?.(turn, index, content, stored)
  }

  /** Frees the slot and tells the owner. What is not known any more (cancelled, overdue) is passed over. */
  end(turn: Turn, ref: number, failure: ErrorCode | undefined): void {
    const transfer = this.#free(turn, ref)
    transfer?.owner.ended(turn, failure)
  }

  /** Frees the slot without a word to the owner, and has the stream reset. */
  cancel(turn: Turn, ref: number): void {
    if (this.#free(turn, ref) !== undefined) turn.emit({ type: 'cancel-transfer', ref })
  }

  #free(turn: Turn, ref: number): Transfer | undefined {
    const transfer = this.#transfers.get(ref)
    if (transfer === undefined) return undefined
    this.#transfers.delete(ref)
    this.#room.release(turn, ref)
    this.#agenda.cancel(transfer.overdue)
    this.#count[transfer.kind] -= 1
    this.#countOfPeer.add(transfer.kind + transfer.peer, -1)
    if (transfer.kind === 'serve' || transfer.kind === 'receive') this.#listening.delete(transfer.connectionId)
    else this.#initiating.delete(`${transfer.peer} ${transfer.connectionId}`)
    return transfer
  }

  #bounds(kind: TransferKind): readonly [total: number, ofPeer: number] {
    const limits = this.#limits
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
