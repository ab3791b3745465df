import { logDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { RecordDecoder } from '../../identity/record-decoder.ts'
import type { DiscoveryCounters } from '../counters.ts'
import type { DiscoveryLimits } from '../limits.ts'
import type { Session } from '../sessions/session.ts'
import { mayRelay } from '../wire/address.ts'
import type { Message, NODES } from '../wire/message.ts'

/** The NODES packets that answer one FINDNODE, as they come in. */
export class NodesAnswer {
  readonly #distances: ReadonlySet<number>
  readonly #limits: DiscoveryLimits
  readonly #records = new Map<string, NodeRecord>()
  #expected = 0
  #packets = 0
  #considered = 0

  constructor(distances: readonly number[], limits: DiscoveryLimits) {
    this.#distances = new Set(distances)
    this.#limits = limits
  }

  /** Whether every packet has come that the first one announced, or as many as we take. */
  get complete(): boolean {
    return this.#packets > 0 && this.#packets >= this.#expected
  }

  /** Whether anything has come. */
  get begun(): boolean {
    return this.#packets > 0
  }

  get records(): NodeRecord[] {
    return [...this.#records.values()]
  }

  /**
   * Takes the records of one packet that are valid, at a distance that was asked for (from the node that answers), at an address
   * that it can know of, and not there yet.
   */
  add(
    message: Extract<Message, { type: typeof NODES }>,
    session: Session,
    decoder: RecordDecoder,
    counters: DiscoveryCounters,
  ): void {
    if (this.#packets === 0) this.#expected = Math.min(Math.max(message.total, 1), this.#limits.nodesPackets)
    this.#packets++
    if (message.total > this.#limits.nodesPackets) counters.recordsLimited++
    for (const bytes of message.records) {
      // Each costs a verification, valid or not.
      if (++this.#considered > this.#limits.nodesRecords) {
        counters.recordsLimited++
        break
      }
      counters.recordsReceived++
      const decoded = decoder.decode(bytes)
      if (!decoded.ok) counters.recordsInvalid++
      else this.#consider(decoded.value, session, counters)
    }
  }

  #consider(record: NodeRecord, session: Session, counters: DiscoveryCounters): void {
    const { endpoint } = record
    const distance = logDistance(record.nodeId, session.nodeId)
    if (!this.#distances.has(distance)) counters.recordsWrongDistance++
    // A node's own record may leave its address out: it does not know it.
    else if (endpoint === undefined ? distance !== 0 : !mayRelay(session.endpoint.host, endpoint.host)) {
      counters.recordsUnreachable++
    } else {
      const before = this.#records.get(record.nodeIdHex)
      if (before === undefined || before.seq < record.seq) this.#records.set(record.nodeIdHex, record)
    }
  }
}
