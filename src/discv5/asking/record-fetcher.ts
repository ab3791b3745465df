import type { Context } from '../context.ts'
import type { Session } from '../sessions/session.ts'
import type { TableMembers } from '../table/table-members.ts'
import { FINDNODE } from '../wire/message.ts'
import type { Messenger } from './messenger.ts'
import type { PendingRequest, RequestOwner } from './pending-request.ts'

/** Fetches newer records of nodes that announce one: FINDNODE for distance 0, one at a time for each node. */
export class RecordFetcher implements RequestOwner {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #members: TableMembers
  /** Ids of the nodes whose record is being fetched. */
  readonly #fetching = new Set<string>()

  constructor(context: Context, messenger: Messenger, members: TableMembers) {
    this.#context = context
    this.#messenger = messenger
    this.#members = members
  }

  /** A node named the seq of its record. */
  noticed(session: Session, seq: bigint): void {
    const { record } = session
    if (record === undefined || this.#fetching.has(session.nodeIdHex) || seq <= record.seq) return
    const refusal = this.#messenger.ask(record, { type: FINDNODE, distances: [0] }, this, 0)
    if (refusal === undefined) this.#fetching.add(session.nodeIdHex)
  }

  answered({ session, nodes }: PendingRequest): void {
    this.#fetching.delete(session.nodeIdHex)
    const [record] = nodes?.records ?? []
    if (record === undefined || !session.learn(record)) return
    if (this.#members.table.get(record.nodeIdHex) === undefined) {
      this.#context.turn.emit({ type: 'node-met', record })
    }
    this.#members.offer(record)
  }

  failed({ session }: PendingRequest): void {
    this.#fetching.delete(session.nodeIdHex)
  }
}
