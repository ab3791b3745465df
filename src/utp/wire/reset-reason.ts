import type { StreamErrorCode } from '../../errors.ts'

/**
 * The reason of a RESET, for the other end: an error code in ASCII, as its payload. BEP 29 defines no payload and no
 * reason, and other implementations (libutp, nim-eth, utp-rs) ignore it. Only logs and error messages use it.
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

/** Undefined if the payload is none of our codes. */
export function decodeResetReason(payload: Uint8Array): StreamErrorCode | undefined {
  if (payload.length === 0 || payload.length > LONGEST) return undefined
  const text = String.fromCharCode(...payload)
  return REASONS.has(text) ? (text as StreamErrorCode) : undefined
}
