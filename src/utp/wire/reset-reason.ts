import type { StreamErrorCode } from '../../errors.ts'

/**
 * Why a stream was reset, for the other end: its code in ASCII, as the payload of the RESET. BEP 29 gives a RESET no payload and no reason;
 * peers that know of none (libutp, nim-eth, utp-rs) look at the type alone. Nothing depends on it but what people are told.
 */
const REASONS: ReadonlySet<string> = new Set<StreamErrorCode>([
  'STREAM_TIMEOUT',
  'STREAM_IDLE',
  'STREAM_TOO_LARGE',
  'STREAM_LIMIT',
  'STREAM_CLOSED',
  'STREAM_CONNECT_TIMEOUT',
])
const LONGEST = 'STREAM_CONNECT_TIMEOUT'.length

export function encodeResetReason(reason: StreamErrorCode | undefined): Uint8Array {
  return new TextEncoder().encode(reason !== undefined && REASONS.has(reason) ? reason : '')
}

/** Undefined where the payload is none of our codes. */
export function decodeResetReason(payload: Uint8Array): StreamErrorCode | undefined {
  if (payload.length === 0 || payload.length > LONGEST) return undefined
  const text = String.fromCharCode(...payload)
  return REASONS.has(text) ? (text as StreamErrorCode) : undefined
}
