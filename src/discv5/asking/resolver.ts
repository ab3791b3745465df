import { toHex } from '../../codec/hex.ts'
import type { Context } from '../context.ts'
import type { KnownRecords } from '../table/known-records.ts'
import { FINDNODE } from '../wire/message.ts'
import type { Lookups } from './lookups.ts'
import type { Messenger } from './messenger.ts'
import type { PendingRequest, RequestOwner } from './pending-request.ts'

/** Finds the newest record of a node: asks the node itself if it is known, and otherwise the network. */
export class Resolver implements RequestOwner {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #lookups: Lookups
  readonly #known: KnownRecords

  constructor(
    context: Context,
    parts: { readonly messenger: Messenger; readonly lookups: Lookups; readonly known: KnownRecords },
  ) {
    this.#context = context
    this.#messenger = parts.messenger
    this.#lookups = parts.lookups
    this.#known = parts.known
  }

  /** @param nodeId 32 bytes */
  resolve(ref: number, nodeId: Uint8Array): void {
    const { own, localIdHex, turn } = this.#context
    const wanted = toHex(nodeId)
    if (wanted === localIdHex) {
      turn.emit({ type: 'resolved', ref, record: own.current })
      return
    }
    const known = this.#known.newest(wanted)
    const isAsked =
      known !== undefined && this.#messenger.ask(known, { type: FINDNODE, distances: [0] }, this, ref) === undefined
    if (!isAsked) this.#lookups.start(nodeId.slice(), { type: 'resolve', ref, wanted, known })
  }

  answered({ session, ref, nodes }: PendingRequest): void {
    const record = nodes?.records[0]
    if (record !== undefined) session.learn(record)
    this.#context.turn.emit({ type: 'resolved', ref, record: session.record })
  }

  failed({ session, ref }: PendingRequest): void {
    const purpose = { type: 'resolve', ref, wanted: session.nodeIdHex, known: session.record } as const
    this.#lookups.start(session.nodeId, purpose)
  }
}
