import { mayRelay } from '../../discv5/wire/address.ts'
import { logDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { RECORD_OVERHEAD_BYTES } from '../wire/message.ts'
import type { OverlayState } from './state.ts'

/**
 * The records that a peer told of, decoded and verified; each that does not hold is left out and counted: a bad
 * signature, an address nobody there can know, a distance that was not asked for, a node named twice.
 *
 * @param distances of the request, where it named some
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
    const reason = decoded.ok ? fault(from, decoded.value, distances) : 'record'
    if (reason === undefined && decoded.ok && !records.has(decoded.value.nodeIdHex)) {
      records.set(decoded.value.nodeIdHex, decoded.value)
    } else state.counters.add(`malformed.relayed.${reason ?? 'duplicate'}`)
  }
  return [...records.values()]
}

function fault(from: NodeRecord, record: NodeRecord, distances: readonly number[] | undefined): string | undefined {
  const { endpoint } = record
  if (endpoint === undefined) return 'no-endpoint'
  if (
    record.nodeIdHex !== from.nodeIdHex &&
    from.endpoint !== undefined &&
    !mayRelay(from.endpoint.host, endpoint.host)
  ) {
    return 'address'
  }
  if (distances !== undefined && !distances.includes(logDistance(from.nodeId, record.nodeId))) return 'distance'
  return undefined
}

/** Whether a node may be told of another: nobody far away can reach our own network, or should be sent to its own. */
export function mayTell(to: NodeRecord, of: NodeRecord): boolean {
  if (to.endpoint === undefined || of.endpoint === undefined) return of.endpoint !== undefined
  return mayRelay(to.endpoint.host, of.endpoint.host)
}

/** As many of the records, from the first, as `budgetBytes` of an answer hold; at most `limit`. */
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
