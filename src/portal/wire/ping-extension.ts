import {
  isMalformed,
  type MalformedReason,
  type Read,
  readUint16,
  readUint16s,
  readUint32,
  writeUint16,
  writeUint16s,
  writeUint32,
} from './ssz.ts'

/** The payload types that we speak (ping-extensions/extensions.md). The first ping to a node is always of type 0. */
export const payloadTypes = { capabilities: 0, basicRadius: 1, error: 65535 } as const

/** The payload types that we announce: those that a peer may use with us. */
export const ownCapabilities: readonly number[] = [0, 1, 65535]

/** The error codes of type 65535 (ping-extensions/extensions/type-65535.md). */
export const pingErrorCodes = { notSupported: 0, notFound: 1, malformed: 2, system: 3 } as const

const MAX_CLIENT_INFO_BYTES = 200
const MAX_CAPABILITIES = 400
const MAX_PING_ERROR_BYTES = 300

const RADIUS_BYTES = 32
const CAPABILITIES_FIXED_BYTES = 4 + RADIUS_BYTES + 4
const ERROR_FIXED_BYTES = 2 + 4

/** The payload of a PING or PONG. */
export type PingPayload =
  | {
      readonly payloadType: 0
      /** name/version-commit/os-cpu/language, or empty. */
      readonly clientInfo: string
      readonly radius: bigint
      readonly capabilities: readonly number[]
    }
  | { readonly payloadType: 1; readonly radius: bigint }
  | { readonly payloadType: 65535; readonly errorCode: number; readonly message: string }

const utf8 = new TextEncoder()
// People read this text: invalid UTF-8 becomes U+FFFD, and the rest of the payload still counts.
const text = new TextDecoder('utf-8', { ignoreBOM: true })

/** SSZ integers are little-endian. */
function writeRadius(bytes: Uint8Array, at: number, radius: bigint): void {
  let rest = radius
  for (let index = 0; index < RADIUS_BYTES; index += 4) {
    writeUint32(bytes, at + index, Number(rest & 0xffff_ffffn))
    rest >>= 32n
  }
}

function readRadius(bytes: Uint8Array, at: number): bigint {
  let radius = 0n
  for (let index = RADIUS_BYTES - 4; index >= 0; index -= 4)
    radius = (radius << 32n) | BigInt(readUint32(bytes, at + index))
  return radius
}

/** The bytes of a payload. Client info is cut at 200 bytes and an error message at 300, as only people read them. */
export function encodePingPayload(payload: PingPayload): Uint8Array {
  switch (payload.payloadType) {
    case 0: {
      const info = utf8Cut(payload.clientInfo, MAX_CLIENT_INFO_BYTES)
      const bytes = new Uint8Array(CAPABILITIES_FIXED_BYTES + info.length + payload.capabilities.length * 2)
      writeUint32(bytes, 0, CAPABILITIES_FIXED_BYTES)
      writeRadius(bytes, 4, payload.radius)
      writeUint32(bytes, 4 + RADIUS_BYTES, CAPABILITIES_FIXED_BYTES + info.length)
      bytes.set(info, CAPABILITIES_FIXED_BYTES)
      writeUint16s(bytes, CAPABILITIES_FIXED_BYTES + info.length, payload.capabilities)
      return bytes
    }
    case 1: {
      const bytes = new Uint8Array(RADIUS_BYTES)
      writeRadius(bytes, 0, payload.radius)
      return bytes
    }
    case 65535: {
      const message = utf8Cut(payload.message, MAX_PING_ERROR_BYTES)
      const bytes = new Uint8Array(ERROR_FIXED_BYTES + message.length)
      writeUint16(bytes, 0, payload.errorCode)
      writeUint32(bytes, 2, ERROR_FIXED_BYTES)
      bytes.set(message, ERROR_FIXED_BYTES)
      return bytes
    }
  }
}

/** At most `limit` bytes of UTF-8, cut between characters. */
function utf8Cut(text: string, limit: number): Uint8Array {
  const bytes = new Uint8Array(limit)
  return bytes.subarray(0, utf8.encodeInto(text, bytes).written)
}

/** A payload, or why there is none: a type that we do not speak, or bytes that are not of that type. */
export type DecodedPingPayload =
  | { readonly ok: true; readonly value: PingPayload }
  | { readonly ok: false; readonly code: 'PORTAL_PAYLOAD_UNSUPPORTED'; readonly detail: string }
  | { readonly ok: false; readonly code: 'PORTAL_PAYLOAD_MALFORMED'; readonly detail: MalformedReason }

/** Decodes the payload of a PING or PONG. */
export function decodePingPayload(payloadType: number, bytes: Uint8Array): DecodedPingPayload {
  let read: Read<PingPayload>
  switch (payloadType) {
    case payloadTypes.capabilities:
      read = readCapabilities(bytes)
      break
    case payloadTypes.basicRadius:
      read = bytes.length === RADIUS_BYTES ? { payloadType: 1, radius: readRadius(bytes, 0) } : 'length'
      break
    case payloadTypes.error:
      read = readError(bytes)
      break
    default: {
      const detail = `expected payload type 0, 1 or 65535, got ${payloadType}`
      return { ok: false, code: 'PORTAL_PAYLOAD_UNSUPPORTED', detail }
    }
  }
  if (isMalformed(read)) return { ok: false, code: 'PORTAL_PAYLOAD_MALFORMED', detail: read }
  return { ok: true, value: read }
}

function readCapabilities(bytes: Uint8Array): Read<PingPayload> {
  if (bytes.length < CAPABILITIES_FIXED_BYTES) return 'truncated'
  const infoAt = readUint32(bytes, 0)
  const capabilitiesAt = readUint32(bytes, 4 + RADIUS_BYTES)
  if (infoAt !== CAPABILITIES_FIXED_BYTES || capabilitiesAt < infoAt || capabilitiesAt > bytes.length) return 'offset'
  if (capabilitiesAt - infoAt > MAX_CLIENT_INFO_BYTES) return 'item-too-long'
  const clientInfo = text.decode(bytes.subarray(infoAt, capabilitiesAt))
  const capabilities = readUint16s(bytes.subarray(capabilitiesAt), MAX_CAPABILITIES)
  if (isMalformed(capabilities)) return capabilities
  return { payloadType: 0, clientInfo, radius: readRadius(bytes, 4), capabilities }
}

function readError(bytes: Uint8Array): Read<PingPayload> {
  if (bytes.length < ERROR_FIXED_BYTES) return 'truncated'
  if (readUint32(bytes, 2) !== ERROR_FIXED_BYTES) return 'offset'
  if (bytes.length - ERROR_FIXED_BYTES > MAX_PING_ERROR_BYTES) return 'item-too-long'
  const message = text.decode(bytes.subarray(ERROR_FIXED_BYTES))
  return { payloadType: 65535, errorCode: readUint16(bytes, 0), message }
}
