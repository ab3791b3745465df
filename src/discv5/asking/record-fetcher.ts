import type { NodeRecord } from '../../identity/node-record.ts'
import type { Session } from '../sessions/session.ts'
import { FINDNODE } from '../wire/message.ts'
import type { Messenger } from './messenger.ts'
import type { PendingRequest, RequestOwner } from './requests.ts'

/** Fetches the records of nodes that say they have a newer one: FINDNODE for distance 0, one at a time for a node. */
export class RecordFetcher implements RequestOwner {
  readonly #messenger: Messenger
  readonly #learned: (record: NodeRecord) => void

  constructor(messenger: Messenger, learned: (record: NodeRecord) => void) {
    this.#messenger = messenger
    this.#learned = learned
  }

  /** A node said what its record's seq is. */
  noticed(session: Session, seq: bigint): void {
    const { record } = session
    if (record === undefined || session.fetchingRecord || seq <= record.seq) return
    session.fetchingRecord = this.#messenger.ask(record, { type: FINDNODE, distances: [0] }, this, 0) === undefined
  }

  answered(request: PendingRequest): void {
    const { session } = request
    session.fetchingRecord = false
    const [record] = request.nodes?.records ?? []
    if (record === undefined || record.seq <= (session.record?.seq ?? -1n)) return
    session.record = record
    this.#learned(record)
  }

  failed(request: PendingRequest): void {
    request.session.fetchingRecord = false
  }
}
