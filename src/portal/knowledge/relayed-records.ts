import { mayRelay } from '../../discv5/wire/address.ts'
import { logDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { RECORD_OVERHEAD_BYTES } from '../wire/message.ts'
import type { OverlayState } from './state.ts'

/**
 * Decodes and verifies the records in an answer of a peer. Those at fault are left out and counted: a bad signature, an
 * address that the peer cannot know, a distance that was not asked for, a node named twice.
 *
 * @param distances of the request, if it named some
 */
export function relayedRecords(
  state: OverlayState,
  from: NodeRecord,
  encoded: readonly Uint8Array[],
  distances?: readonly number[],
): NodeRecord[] {
  const records = new Map<string, NodeRecord>()
  for (const bytes of encoded) {
    const decoded = state.records.decode(bytes)
    const fault = decoded.ok ? faultOf(from, decoded.value, distances) : 'record'
    if (fault === undefined && decoded.ok && !records.has(decoded.value.nodeIdHex)) {
      records.set(decoded.value.nodeIdHex, decoded.value)
    } else state.counters.add(`malformed.relayed.${fault ?? 'duplicate'}`)
  }
  return [...records.values()]
}

function faultOf(
  from: NodeRecord,
  record: NodeRecord,
  distances: readonly number[] | undefined,
): 'no-endpoint' | 'address' | 'distance' | undefined {
  const { endpoint } = record
  if (endpoint === undefined) return 'no-endpoint'
  const isOther = record.nodeIdHex !== from.nodeIdHex
  if (isOther && from.endpoint !== undefined && !mayRelay(from.endpoint.host, endpoint.host)) return 'address'
  if (distances !== undefined && !distances.includes(logDistance(from.nodeId, record.nodeId))) return 'distance'
  return undefined
}

/** Whether our answers to `asker` may include this record: a node in another network cannot reach a private address. */
export function mayAdvertiseTo(asker: NodeRecord, record: NodeRecord): boolean {
  if (asker.endpoint === undefined || record.endpoint === undefined) return record.endpoint !== undefined
  return mayRelay(asker.endpoint.host, record.endpoint.host)
}

/** As many of the records, from the first, as fit into `budgetBytes` of an answer; at most `limit`. */
export function packRecords(records: readonly NodeRecord[], budgetBytes: number, limit: number): Uint8Array[] {
  const packed: Uint8Array[] = []
  let left = budgetBytes
  for (const { bytes } of records) {
    left -= bytes.length + RECORD_OVERHEAD_BYTES
    if (left < 0 || packed.length === limit) break
    packed.push(bytes)
  }
  return packed
}
