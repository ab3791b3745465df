import type { NodeRecord } from '../../identity/node-record.ts'
import type { SessionCache } from '../sessions/session-cache.ts'
import type { RoutingTable } from './routing-table.ts'
import type { TableNode } from './table-node.ts'

/** The newest record that we have of a node, from the routing table or from a session. */
export class KnownRecords {
  readonly #table: RoutingTable<TableNode>
  readonly #cache: SessionCache

  constructor(table: RoutingTable<TableNode>, cache: SessionCache) {
    this.#table = table
    this.#cache = cache
  }

  newest(nodeIdHex: string): NodeRecord | undefined {
    return newerRecord(this.#table.get(nodeIdHex)?.record, this.#cache.ofNode(nodeIdHex)?.record)
  }
}

/** The record with the higher seq; the second of two equal ones. */
export function newerRecord(a: NodeRecord | undefined, b: NodeRecord | undefined): NodeRecord | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b.seq >= a.seq ? b : a
}
