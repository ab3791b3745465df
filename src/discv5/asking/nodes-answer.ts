import { logDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { RecordDecoder } from '../../identity/record-decoder.ts'
import type { DiscoveryCounters } from '../counters.ts'
import type { DiscoveryLimits } from '../limits.ts'
import type { Session } from '../sessions/session.ts'
import { mayRelay } from '../wire/address.ts'
import type { Message, NODES } from '../wire/message.ts'

/** The NODES packets that answer one FINDNODE, as they arrive. */
export class NodesAnswer {
  readonly #distances: ReadonlySet<number>
  readonly #limits: DiscoveryLimits
  readonly #records = new Map<string, NodeRecord>()
  /** Packets that the first one announced, at most `nodesPackets`. */
  #expected = 0
  #packets = 0
  #examined = 0

  constructor(distances: readonly number[], limits: DiscoveryLimits) {
    this.#distances = new Set(distances)
    this.#limits = limits
  }

  /** Whether all expected packets have arrived. */
  get isComplete(): boolean {
    return this.#packets > 0 && this.#packets >= this.#expected
  }

  /** Whether any packet has arrived. */
  get hasBegun(): boolean {
    return this.#packets > 0
  }

  /** The accepted records, the newest of each node. */
  get records(): NodeRecord[] {
    return [...this.#records.values()]
  }

  /**
   * Takes the records of one packet. It accepts a valid record at a requested distance from the answering node, with an
   * address that this node can know.
   */
  add(
    message: Extract<Message, { type: typeof NODES }>,
    session: Session,
    decoder: RecordDecoder,
    counters: DiscoveryCounters,
  ): void {
    if (this.#packets === 0) this.#expected = Math.min(Math.max(message.total, 1), this.#limits.nodesPackets)
    this.#packets++
    if (message.total > this.#limits.nodesPackets) counters.add('recordsLimited')
    for (const bytes of message.records) {
      // Each record costs a verification, whether it is valid or not.
      if (++this.#examined > this.#limits.nodesRecords) {
        counters.add('recordsLimited')
        break
      }
      counters.add('recordsReceived')
      const decoded = decoder.decode(bytes)
      if (!decoded.ok) counters.add('recordsInvalid')
      else this.#examine(decoded.value, session, counters)
    }
  }

  #examine(record: NodeRecord, session: Session, counters: DiscoveryCounters): void {
    const { endpoint } = record
    const distance = logDistance(record.nodeId, session.nodeId)
    if (!this.#distances.has(distance)) counters.add('recordsWrongDistance')
    // A node's own record may lack an address, because the node does not know it.
    else if (endpoint === undefined ? distance !== 0 : !mayRelay(session.endpoint.host, endpoint.host)) {
      counters.add('recordsUnreachable')
    } else {
      const before = this.#records.get(record.nodeIdHex)
      if (before === undefined || before.seq < record.seq) this.#records.set(record.nodeIdHex, record)
    }
  }
}
