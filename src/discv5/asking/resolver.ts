import { toHex } from '../../codec/hex.ts'
import type { Context } from '../context.ts'
import type { SessionEvents } from '../sessions/session-events.ts'
import { FINDNODE } from '../wire/message.ts'
import type { Lookups } from './lookups.ts'
import type { Messenger } from './messenger.ts'
import type { PendingRequest, RequestOwner } from './requests.ts'

/** Finds the newest record of a node: asks the node itself where it is known, else the network. */
export class Resolver implements RequestOwner {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #lookups: Lookups
  readonly #knownRecord: SessionEvents['knownRecord']

  constructor(
    context: Context,
    parts: { readonly messenger: Messenger; readonly lookups: Lookups },
    knownRecord: SessionEvents['knownRecord'],
  ) {
    this.#context = context
    this.#messenger = parts.messenger
    this.#lookups = parts.lookups
    this.#knownRecord = knownRecord
  }

  /** @param nodeId 32 bytes */
  resolve(ref: number, nodeId: Uint8Array): void {
    const { own, localIdHex, turn } = this.#context
    const wanted = toHex(nodeId)
    if (wanted === localIdHex) {
      turn.emit({ type: 'resolved', ref, record: own.current })
      return
    }
    const known = this.#knownRecord(wanted)
    const asked =
      known !== undefined && this.#messenger.ask(known, { type: FINDNODE, distances: [0] }, this, ref) === undefined
    if (!asked) this.#lookups.start(nodeId.slice(), { type: 'resolve', ref, wanted, known })
  }

  answered(request: PendingRequest): void {
    const { session, ref } = request
    const told = request.nodes?.records[0]
    const known = session.record
    const record = told !== undefined && (known === undefined || told.seq >= known.seq) ? told : known
    session.record = record
    this.#context.turn.emit({ type: 'resolved', ref, record })
  }

  failed({ session, ref }: PendingRequest): void {
    const purpose = { type: 'resolve', ref, wanted: session.nodeIdHex, known: session.record } as const
    this.#lookups.start(session.nodeId, purpose)
  }
}
