import { MAX_DISTANCE } from '../../identity/distances.ts'
import {
  byteListsBytes,
  encodeBitList,
  isMalformed,
  type MalformedReason,
  type Read,
  readBitList,
  readByteLists,
  readLastField,
  readUint16,
  readUint16s,
  readUint64,
  writeByteLists,
  writeUint16,
  writeUint16s,
  writeUint32,
  writeUint64,
} from './ssz.ts'

/** portal-wire-protocol.md, Message Types: the limits of the SSZ types. */
const MAX_PING_PAYLOAD_BYTES = 1100
export const MAX_DISTANCES = 256
export const MAX_RECORDS = 32
const MAX_RECORD_BYTES = 2048
const MAX_CONTENT_KEY_BYTES = 2048
const MAX_INLINE_CONTENT_BYTES = 2048
export const MAX_CONTENT_KEYS = 64

/**
 * The largest payload of a TALKRESP in one discv5 packet of 1,280 bytes (discv5-wire.md). The rest are the masking IV
 * (16), the static header (23), the source id (32) and the AES-GCM tag (16); then the message type (1), the RLP header
 * of the list (3), a request id of 8 bytes with its header (9) and the header of the byte string (3).
 */
export const MAX_TALK_RESPONSE_BYTES = 1280 - (16 + 23 + 32 + 16) - (1 + 3 + 9 + 3)

/** A TALKREQ also carries the protocol id: two bytes and the header of their byte string. */
export const MAX_TALK_REQUEST_BYTES = MAX_TALK_RESPONSE_BYTES - 3

/** Content of at most this size is sent inside CONTENT: what the selectors of message and union leave. */
export const MAX_INLINE_BYTES = MAX_TALK_RESPONSE_BYTES - 2

/** The codes of ACCEPT since version 1, one for each key: 0 accepts, all others decline, 7 to 255 are unassigned. */
export const acceptCodes = {
  accepted: 0,
  declined: 1,
  stored: 2,
  notWithinRadius: 3,
  rateLimited: 4,
  transferInProgress: 5,
  notVerifiable: 6,
} as const

/** A code that we send or understand. */
export type AcceptCode = (typeof acceptCodes)[keyof typeof acceptCodes]

export interface Ping {
  readonly type: 'ping' | 'pong'
  readonly enrSeq: bigint
  readonly payloadType: number
  readonly payload: Uint8Array
}

export interface FindNodes {
  readonly type: 'find-nodes'
  /** Unique, each from 0 to 256. 0 stands for the record of the node itself. */
  readonly distances: readonly number[]
}

export interface Nodes {
  readonly type: 'nodes'
  readonly total: number
  /** RLP of node records that are not verified yet. */
  readonly records: readonly Uint8Array[]
}

export interface FindContent {
  readonly type: 'find-content'
  readonly key: Uint8Array
}

/** The answer to FIND_CONTENT: a connection id to fetch the content over uTP, the content itself, or closer nodes. */
export type Content =
  | { readonly type: 'content'; readonly kind: 'connection-id'; readonly connectionId: number }
  | { readonly type: 'content'; readonly kind: 'inline'; readonly content: Uint8Array }
  | { readonly type: 'content'; readonly kind: 'records'; readonly records: readonly Uint8Array[] }

export interface Offer {
  readonly type: 'offer'
  readonly keys: readonly Uint8Array[]
}

export interface Accept {
  readonly type: 'accept'
  /** uint16, big-endian on the wire as uTP has it. */
  readonly connectionId: number
  /** One for each offered key. The bits of a version 0 peer become `accepted` and `declined`. */
  readonly codes: Uint8Array
}

export type PortalMessage = Ping | FindNodes | Nodes | FindContent | Content | Offer | Accept

const SELECTORS = { ping: 0, pong: 1, findNodes: 2, nodes: 3, findContent: 4, content: 5, offer: 6, accept: 7 } as const
const CONTENT_KINDS = { connectionId: 0, inline: 1, records: 2 } as const

const PING_FIXED_BYTES = 14
const NODES_FIXED_BYTES = 5
const ACCEPT_FIXED_BYTES = 6
const OFFSET_BYTES = 4

/** Bytes of NODES (and of CONTENT with records) without the records, and of a list entry without its record. */
export const NODES_OVERHEAD_BYTES = 1 + NODES_FIXED_BYTES
export const CONTENT_RECORDS_OVERHEAD_BYTES = 2
export const RECORD_OVERHEAD_BYTES = OFFSET_BYTES

/** Bytes of an OFFER without its keys, and of a list entry without its key. */
export const OFFER_OVERHEAD_BYTES = 1 + OFFSET_BYTES
export const KEY_OVERHEAD_BYTES = OFFSET_BYTES

/**
 * Encodes one message as the SSZ union of portal-wire-protocol.md.
 *
 * @param version the version negotiated with the receiver: at 0 ACCEPT carries a bit list
 */
export function encodeMessage(message: PortalMessage, version: number): Uint8Array {
  switch (message.type) {
    case 'ping':
    case 'pong': {
      const bytes = new Uint8Array(1 + PING_FIXED_BYTES + message.payload.length)
      bytes[0] = message.type === 'ping' ? SELECTORS.ping : SELECTORS.pong
      writeUint64(bytes, 1, message.enrSeq)
      writeUint16(bytes, 9, message.payloadType)
      writeUint32(bytes, 11, PING_FIXED_BYTES)
      bytes.set(message.payload, 1 + PING_FIXED_BYTES)
      return bytes
    }
    case 'find-nodes': {
      const bytes = withField(SELECTORS.findNodes, message.distances.length * 2)
      writeUint16s(bytes, 1 + OFFSET_BYTES, message.distances)
      return bytes
    }
    case 'nodes': {
      const bytes = new Uint8Array(NODES_OVERHEAD_BYTES + byteListsBytes(message.records))
      bytes[0] = SELECTORS.nodes
      bytes[1] = message.total
      writeUint32(bytes, 2, NODES_FIXED_BYTES)
      writeByteLists(bytes, NODES_OVERHEAD_BYTES, message.records)
      return bytes
    }
    case 'find-content': {
      const bytes = withField(SELECTORS.findContent, message.key.length)
      bytes.set(message.key, 1 + OFFSET_BYTES)
      return bytes
    }
    case 'content':
      return encodeContent(message)
    case 'offer': {
      const bytes = withField(SELECTORS.offer, byteListsBytes(message.keys))
      writeByteLists(bytes, 1 + OFFSET_BYTES, message.keys)
      return bytes
    }
    case 'accept': {
      const codes = version === 0 ? encodeBitList(message.codes.map(code => (code === 0 ? 1 : 0))) : message.codes
      const bytes = new Uint8Array(1 + ACCEPT_FIXED_BYTES + codes.length)
      bytes[0] = SELECTORS.accept
      bytes[1] = message.connectionId >>> 8
      bytes[2] = message.connectionId
      writeUint32(bytes, 3, ACCEPT_FIXED_BYTES)
      bytes.set(codes, 1 + ACCEPT_FIXED_BYTES)
      return bytes
    }
  }
}

/** A message whose only field has variable size: selector, offset, and space for the field. */
function withField(selector: number, fieldBytes: number): Uint8Array {
  const bytes = new Uint8Array(1 + OFFSET_BYTES + fieldBytes)
  bytes[0] = selector
  writeUint32(bytes, 1, OFFSET_BYTES)
  return bytes
}

function encodeContent(message: Content): Uint8Array {
  if (message.kind === 'connection-id') {
    const { connectionId } = message
    return Uint8Array.of(SELECTORS.content, CONTENT_KINDS.connectionId, connectionId >>> 8, connectionId & 0xff)
  }
  const inline = message.kind === 'inline'
  const bytes = new Uint8Array(2 + (inline ? message.content.length : byteListsBytes(message.records)))
  bytes[0] = SELECTORS.content
  bytes[1] = inline ? CONTENT_KINDS.inline : CONTENT_KINDS.records
  if (inline) bytes.set(message.content, 2)
  else writeByteLists(bytes, 2, message.records)
  return bytes
}

/** A message, or the reason why bytes are none. */
export type DecodedMessage =
  | { readonly ok: true; readonly value: PortalMessage }
  | { readonly ok: false; readonly code: 'PORTAL_MESSAGE_MALFORMED'; readonly detail: MalformedReason }

/**
 * Decodes one message. Byte fields are subarrays of `bytes`, not copies.
 *
 * @param version the version negotiated with the sender: at 0 ACCEPT carries a bit list
 */
export function decodeMessage(bytes: Uint8Array, version: number): DecodedMessage {
  const read = readMessage(bytes, version)
  if (isMalformed(read)) return { ok: false, code: 'PORTAL_MESSAGE_MALFORMED', detail: read }
  return { ok: true, value: read }
}

function readMessage(bytes: Uint8Array, version: number): Read<PortalMessage> {
  switch (bytes[0]) {
    case undefined:
      return 'empty'
    case SELECTORS.ping:
      return readPing('ping', bytes)
    case SELECTORS.pong:
      return readPing('pong', bytes)
    case SELECTORS.findNodes: {
      const field = readLastField(bytes, 1, OFFSET_BYTES)
      if (isMalformed(field)) return field
      const distances = readUint16s(field, MAX_DISTANCES)
      if (isMalformed(distances)) return distances
      for (const distance of distances) if (distance > MAX_DISTANCE) return 'distance'
      if (new Set(distances).size !== distances.length) return 'distance'
      return { type: 'find-nodes', distances }
    }
    case SELECTORS.nodes: {
      const field = readLastField(bytes, 1, NODES_FIXED_BYTES)
      if (isMalformed(field)) return field
      const records = readByteLists(field, MAX_RECORDS, MAX_RECORD_BYTES)
      return isMalformed(records) ? records : { type: 'nodes', total: bytes[1]!, records }
    }
    case SELECTORS.findContent: {
      const key = readLastField(bytes, 1, OFFSET_BYTES)
      if (isMalformed(key)) return key
      return key.length > MAX_CONTENT_KEY_BYTES ? 'item-too-long' : { type: 'find-content', key }
    }
    case SELECTORS.content:
      return readContent(bytes)
    case SELECTORS.offer: {
      const field = readLastField(bytes, 1, OFFSET_BYTES)
      if (isMalformed(field)) return field
      const keys = readByteLists(field, MAX_CONTENT_KEYS, MAX_CONTENT_KEY_BYTES)
      return isMalformed(keys) ? keys : { type: 'offer', keys }
    }
    case SELECTORS.accept: {
      const field = readLastField(bytes, 1, ACCEPT_FIXED_BYTES)
      if (isMalformed(field)) return field
      const codes = version === 0 ? readBitList(field, MAX_CONTENT_KEYS) : field
      if (isMalformed(codes)) return codes
      if (codes.length > MAX_CONTENT_KEYS) return 'list-too-long'
      const connectionId = (bytes[1]! << 8) | bytes[2]!
      return { type: 'accept', connectionId, codes: version === 0 ? codes.map(bit => bit ^ 1) : codes }
    }
    default:
      return 'selector'
  }
}

function readPing(type: 'ping' | 'pong', bytes: Uint8Array): Read<Ping> {
  const payload = readLastField(bytes, 1, PING_FIXED_BYTES)
  if (isMalformed(payload)) return payload
  if (payload.length > MAX_PING_PAYLOAD_BYTES) return 'item-too-long'
  return { type, enrSeq: readUint64(bytes, 1), payloadType: readUint16(bytes, 9), payload }
}

function readContent(bytes: Uint8Array): Read<Content> {
  const field = bytes.subarray(2)
  switch (bytes[1]) {
    case undefined:
      return 'truncated'
    case CONTENT_KINDS.connectionId:
      if (field.length !== 2) return 'length'
      return { type: 'content', kind: 'connection-id', connectionId: (field[0]! << 8) | field[1]! }
    case CONTENT_KINDS.inline:
      if (field.length > MAX_INLINE_CONTENT_BYTES) return 'item-too-long'
      return { type: 'content', kind: 'inline', content: field }
    case CONTENT_KINDS.records: {
      const records = readByteLists(field, MAX_RECORDS, MAX_RECORD_BYTES)
      return isMalformed(records) ? records : { type: 'content', kind: 'records', records }
    }
    default:
      return 'selector'
  }
}
