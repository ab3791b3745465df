import type { NodeRecord } from '../../identity/node-record.ts'
import type { ContentTrace } from '../../portal/portal.ts'
import { HexText } from '../dispatching/json-writer.ts'
import type { ContentAnswer, HistoryPong, PutReport, RoutingTableView } from '../node-api.ts'

/** The JSON shapes of jsonrpc/src/content/results.json and jsonrpc/src/schemas. */

/** A uint256 without leading zeros; ids keep theirs, as every client writes them. */
const quantity = (value: bigint): string => `0x${value.toString(16)}`

export const recordTexts = (records: readonly NodeRecord[]): string[] => records.map(record => record.text)

export const routingTableInfo = ({ localNodeId, buckets }: RoutingTableView) => ({ localNodeId, buckets })

export const contentInfo = ({ content, utpTransfer }: ContentAnswer) => ({ content: new HexText(content), utpTransfer })

export function pong({ enrSeq, payload }: HistoryPong) {
  const { payloadType } = payload
  switch (payloadType) {
    case 0: {
      const { clientInfo, radius, capabilities } = payload
      return { enrSeq, payloadType, payload: { clientInfo, dataRadius: quantity(radius), capabilities } }
    }
    case 1:
      return { enrSeq, payloadType, payload: { dataRadius: quantity(payload.radius) } }
    default: {
      const { errorCode, message } = payload
      return { enrSeq, payloadType, payload: { errorCode, message } }
    }
  }
}

export const traceInfo = (trace: ContentTrace) => ({
  origin: trace.origin,
  targetId: trace.targetId,
  ...(trace.receivedFrom === undefined ? {} : { receivedFrom: trace.receivedFrom }),
  responses: Object.fromEntries(
    // The schema says durationsMs, every client writes durationMs: readers of either find theirs.
    Object.entries(trace.responses).map(([id, { durationMs, respondedWith }]) => [
      id,
      { durationMs: Math.round(durationMs), durationsMs: Math.round(durationMs), respondedWith },
    ]),
  ),
  metadata: Object.fromEntries(
    Object.entries(trace.metadata).map(([id, { enr, distance }]) => [
      id,
      { enr, distance: quantity(BigInt(distance)) },
    ]),
  ),
  cancelled: trace.cancelled,
  startedAtMs: Math.round(trace.startedAtMs),
})

export const putContentInfo = ({ storedLocally, peerCount, acceptMetadata }: PutReport) => ({
  storedLocally,
  peerCount,
  acceptMetadata,
})
