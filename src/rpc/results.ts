import { toHex } from '../codec/hex.ts'
import type { NodeRecord } from '../identity/node-record.ts'
import { HexText } from './json-writer.ts'
import type { ContentAnswer, ContentTrace, HistoryPong, PutReport, RoutingTableView } from './node-api.ts'

/** The JSON shapes of jsonrpc/src/content/results.json and jsonrpc/src/schemas. */

/** A uint256 without leading zeros; ids keep theirs, as every client writes them. */
const quantity = (value: bigint): string => `0x${value.toString(16)}`

export const recordTexts = (records: readonly NodeRecord[]): string[] => records.map(record => record.text)

export const routingTableInfo = (table: RoutingTableView) => ({
  localNodeId: toHex(table.localNodeId),
  buckets: table.buckets.map(bucket => bucket.map(toHex)),
})

export const contentInfo = ({ content, utpTransfer }: ContentAnswer) => ({ content: new HexText(content), utpTransfer })

export function pong({ enrSeq, payload }: HistoryPong) {
  const { type, ...members } = payload
  const json = 'dataRadius' in members ? { ...members, dataRadius: quantity(members.dataRadius) } : members
  return { enrSeq, payloadType: type, payload: json }
}

export const traceInfo = (trace: ContentTrace) => ({
  origin: trace.origin,
  targetId: toHex(trace.targetId),
  ...(trace.receivedFrom === undefined ? {} : { receivedFrom: trace.receivedFrom }),
  responses: Object.fromEntries(
    // The schema spells it durationsMs, every client writes durationMs: readers of either find theirs.
    [...trace.responses].map(([id, { durationMs, respondedWith }]) => [
      id,
      { durationMs: Math.round(durationMs), durationsMs: Math.round(durationMs), respondedWith },
    ]),
  ),
  metadata: Object.fromEntries(
    [...trace.metadata].map(([id, { enr, distance }]) => [id, { enr, distance: quantity(distance) }]),
  ),
  ...(trace.failures === undefined ? {} : { failures: Object.fromEntries(trace.failures) }),
  cancelled: trace.cancelled,
  startedAtMs: Math.round(trace.startedAtMs),
})

export const putContentInfo = (report: PutReport) => ({
  storedLocally: report.storedLocally,
  peerCount: report.peerCount,
  acceptMetadata: {
    acceptedCount: report.accepted,
    genericDeclineCount: report.declined,
    alreadyStoredCount: report.alreadyStored,
    notWithinRadiusCount: report.notWithinRadius,
    rateLimitedCount: report.rateLimited,
    transferInProgressCount: report.transferInProgress,
  },
})
