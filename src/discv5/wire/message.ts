import { encodeRlp, type RlpItem, type RlpReader, readRlp, rlpBytesLength, uintBytes } from '../../codec/rlp.ts'
import { ok, type Result, refused } from '../../errors.ts'
import { MAX_DISTANCE } from '../../identity/distances.ts'

/** Protocol messages (discv5-wire.md, Protocol Messages): a type, then an RLP list that begins with the request id. */

export const PING = 0x01
export const PONG = 0x02
export const FINDNODE = 0x03
export const NODES = 0x04
export const TALKREQ = 0x05
export const TALKRESP = 0x06
/** REGTOPIC to TOPICNODES: topics, which the network does not use. They are recognized and not answered. */
const LAST_TOPIC_MESSAGE = 0x0a

const MAX_REQUEST_ID_BYTES = 8
const MAX_DISTANCES = 257
/** Far more than 1,280 bytes can hold; every loop of a reader has a named bound. */
const MAX_RECORDS = 64

export type Message =
  | { readonly type: typeof PING; readonly requestId: Uint8Array; readonly enrSeq: bigint }
  | {
      readonly type: typeof PONG
      readonly requestId: Uint8Array
      readonly enrSeq: bigint
      /** 4 or 16 bytes. */
      readonly ip: Uint8Array
      readonly port: number
    }
  | { readonly type: typeof FINDNODE; readonly requestId: Uint8Array; readonly distances: readonly number[] }
  | {
      readonly type: typeof NODES
      readonly requestId: Uint8Array
      /** The number of NODES messages that answer the request. */
      readonly total: number
      /** Encoded records, not verified. */
      readonly records: readonly Uint8Array[]
    }
  | {
      readonly type: typeof TALKREQ
      readonly requestId: Uint8Array
      readonly protocol: Uint8Array
      readonly payload: Uint8Array
    }
  | { readonly type: typeof TALKRESP; readonly requestId: Uint8Array; readonly payload: Uint8Array }

export type Request = Extract<Message, { type: typeof PING | typeof FINDNODE | typeof TALKREQ }>
export type Response = Extract<Message, { type: typeof PONG | typeof NODES | typeof TALKRESP }>

/** The detail of `decodeMessage` for a message that we recognize and do not support. */
export const UNSUPPORTED = 'topic messages are not supported'

/** Decodes the decrypted message of a packet. Bytes of the result are views of `plaintext`. */
export function decodeMessage(plaintext: Uint8Array): Result<Message, 'MESSAGE_MALFORMED'> {
  const type = plaintext[0]
  if (type === undefined || type < PING || type > LAST_TOPIC_MESSAGE) {
    return refused('MESSAGE_MALFORMED', `expected a message type of 1 to 10, got ${type}`)
  }
  if (type > TALKRESP) return refused('MESSAGE_MALFORMED', UNSUPPORTED)
  const decoded = readRlp(plaintext.subarray(1), reader => readFields(type, reader.readList()))
  if (!decoded.ok) return refused('MESSAGE_MALFORMED', decoded.detail)
  return decoded.value === undefined
    ? refused('MESSAGE_MALFORMED', 'expected a request id of at most 8 bytes and fields in their ranges')
    : ok(decoded.value)
}

function readFields(type: number, list: RlpReader): Message | undefined {
  const requestId = list.readBytes()
  if (requestId.length > MAX_REQUEST_ID_BYTES) return undefined
  const message = readBody(type, requestId, list)
  list.finish()
  return message
}

function readBody(type: number, requestId: Uint8Array, list: RlpReader): Message | undefined {
  switch (type) {
    case PING:
      return { type, requestId, enrSeq: list.readBigUint(8) }
    case PONG: {
      const enrSeq = list.readBigUint(8)
      const ip = list.readBytes()
      const port = list.readUint(2)
      return ip.length === 4 || ip.length === 16 ? { type, requestId, enrSeq, ip, port } : undefined
    }
    case FINDNODE: {
      const distances: number[] = []
      const items = list.readList()
      while (!items.atEnd) {
        const distance = items.readUint(2)
        if (distance > MAX_DISTANCE || distances.push(distance) > MAX_DISTANCES) return undefined
      }
      return { type, requestId, distances }
    }
    case NODES: {
      const total = list.readUint(4)
      const records: Uint8Array[] = []
      const items = list.readList()
      while (!items.atEnd) {
        if (!items.peekIsList() || records.push(items.rawItem()) > MAX_RECORDS) return undefined
      }
      return { type, requestId, total, records }
    }
    case TALKREQ: {
      const protocol = list.readBytes()
      return { type, requestId, protocol, payload: list.readBytes() }
    }
    case TALKRESP:
      return { type, requestId, payload: list.readBytes() }
    default:
      return undefined
  }
}

/** Encodes any message. TALKREQ and TALKRESP, the frequent ones, are written without an intermediate list. */
export function encodeMessage(message: Message): Uint8Array {
  switch (message.type) {
    case PING:
      return encode(PING, [message.requestId, uintBytes(message.enrSeq)])
    case PONG:
      return encode(PONG, [message.requestId, uintBytes(message.enrSeq), message.ip, uintBytes(message.port)])
    case FINDNODE:
      return encode(FINDNODE, [message.requestId, message.distances.map(distance => uintBytes(distance))])
    case NODES:
      return encodeNodes(message.requestId, message.total, message.records)
    case TALKREQ:
      return encodeTalkRequest(message.requestId, message.protocol, message.payload)
    case TALKRESP:
      return encodeTalkResponse(message.requestId, message.payload)
  }
}

function encodeTalkRequest(requestId: Uint8Array, protocol: Uint8Array, payload: Uint8Array): Uint8Array {
  return encodeStrings(TALKREQ, requestId, protocol, payload)
}

/** Encodes TALKREQs of many payloads into one buffer: an allocation for each packet would be most of the cost. */
export function encodeTalkRequests(
  newId: () => Uint8Array,
  protocol: Uint8Array,
  payloads: readonly Uint8Array[],
): Uint8Array[] {
  const ids = payloads.map(newId)
  const lengths = payloads.map((payload, index) => stringsBytes(ids[index]!, protocol, payload))
  const buffer = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  let end = 0
  return payloads.map((payload, index) => {
    const start = end
    end += lengths[index]!
    const out = buffer.subarray(start, end)
    writeStrings(out, TALKREQ, ids[index]!, protocol, payload)
    return out
  })
}

export function encodeTalkResponse(requestId: Uint8Array, payload: Uint8Array): Uint8Array {
  return encodeStrings(TALKRESP, requestId, payload, undefined)
}

function encode(type: number, fields: RlpItem): Uint8Array {
  const list = encodeRlp(fields)
  const out = new Uint8Array(1 + list.length)
  out[0] = type
  out.set(list, 1)
  return out
}

/** The records are encoded lists already, so they are copied. */
function encodeNodes(requestId: Uint8Array, total: number, records: readonly Uint8Array[]): Uint8Array {
  const count = uintBytes(total)
  const recordsBytes = records.reduce((sum, record) => sum + record.length, 0)
  const items = rlpBytesLength(requestId) + rlpBytesLength(count) + headerBytes(recordsBytes) + recordsBytes
  const out = new Uint8Array(1 + headerBytes(items) + items)
  out[0] = NODES
  let at = writeListHeader(out, 1, items)
  at = writeString(out, at, requestId)
  at = writeString(out, at, count)
  at = writeListHeader(out, at, recordsBytes)
  for (const record of records) {
    out.set(record, at)
    at += record.length
  }
  return out
}

function encodeStrings(type: number, first: Uint8Array, second: Uint8Array, third: Uint8Array | undefined): Uint8Array {
  const out = new Uint8Array(stringsBytes(first, second, third))
  writeStrings(out, type, first, second, third)
  return out
}

/** The length of what `writeStrings` writes. */
function stringsBytes(first: Uint8Array, second: Uint8Array, third: Uint8Array | undefined): number {
  const items = itemsBytes(first, second, third)
  return 1 + headerBytes(items) + items
}

function itemsBytes(first: Uint8Array, second: Uint8Array, third: Uint8Array | undefined): number {
  return rlpBytesLength(first) + rlpBytesLength(second) + (third === undefined ? 0 : rlpBytesLength(third))
}

/** Writes a message of two or three strings into `out`, which has exactly its length. */
function writeStrings(
  out: Uint8Array,
  type: number,
  first: Uint8Array,
  second: Uint8Array,
  third: Uint8Array | undefined,
): void {
  out[0] = type
  let at = writeListHeader(out, 1, itemsBytes(first, second, third))
  at = writeString(out, at, first)
  at = writeString(out, at, second)
  if (third !== undefined) writeString(out, at, third)
}

// A message has at most 1,193 bytes, so a length takes at most two bytes. Longer messages are refused for their size.
function headerBytes(length: number): number {
  return length < 56 ? 1 : length < 256 ? 2 : 3
}

function writeListHeader(out: Uint8Array, at: number, length: number): number {
  return writeLength(out, at, length, 0xc0)
}

function writeString(out: Uint8Array, at: number, bytes: Uint8Array): number {
  if (bytes.length === 1 && bytes[0]! < 0x80) {
    out[at] = bytes[0]!
    return at + 1
  }
  const start = writeLength(out, at, bytes.length, 0x80)
  out.set(bytes, start)
  return start + bytes.length
}

function writeLength(out: Uint8Array, at: number, length: number, base: number): number {
  if (length < 56) {
    out[at] = base + length
    return at + 1
  }
  if (length < 256) {
    out[at] = base + 56
    out[at + 1] = length
    return at + 2
  }
  out[at] = base + 57
  out[at + 1] = length >> 8
  out[at + 2] = length & 0xff
  return at + 3
}
