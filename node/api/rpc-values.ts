import type { AcceptCounts, ContentTrace } from '../../src/portal/portal.ts'
import type { PingPayload } from '../../src/portal/wire/ping-extension.ts'
import type * as rpc from '../../src/rpc/node-api.ts'

/** The values of the overlay in the shapes of JSON-RPC, and back. */

export function toPayload(payload: rpc.PingPayload): PingPayload {
  if (payload.type === 1) return { payloadType: 1, radius: payload.dataRadius }
  const { clientInfo, dataRadius, capabilities } = payload
  return { payloadType: 0, clientInfo, radius: dataRadius, capabilities }
}

export function fromPayload(payload: PingPayload): rpc.PongPayload {
  switch (payload.payloadType) {
    case 0: {
      const { clientInfo, radius, capabilities } = payload
      return { type: 0, clientInfo, dataRadius: radius, capabilities }
    }
    case 1:
      return { type: 1, dataRadius: payload.radius }
    default:
      return { type: 65535, errorCode: payload.errorCode, message: payload.message }
  }
}

export function toTrace(trace: ContentTrace, targetId: Uint8Array): rpc.ContentTrace {
  const { origin, receivedFrom, responses, metadata, startedAtMs, cancelled } = trace
  const distances = Object.entries(metadata).map(
    ([id, { enr, distance }]) => [id, { enr, distance: BigInt(distance) }] as const,
  )
  return {
    origin,
    targetId,
    ...(receivedFrom === undefined ? {} : { receivedFrom }),
    responses: new Map(Object.entries(responses)),
    metadata: new Map(distances),
    cancelled,
    startedAtMs,
  }
}

export function toCounts(counts: AcceptCounts): Omit<rpc.PutReport, 'storedLocally' | 'peerCount'> {
  return {
    accepted: counts.acceptedCount,
    declined: counts.genericDeclineCount,
    alreadyStored: counts.alreadyStoredCount,
    notWithinRadius: counts.notWithinRadiusCount,
    rateLimited: counts.rateLimitedCount,
    transferInProgress: counts.transferInProgressCount,
  }
}
