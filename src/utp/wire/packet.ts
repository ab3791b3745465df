/**
 * The uTP packet (BEP 29, "header format", version 1) and its one known extension, the selective ack.
 *
 *     0       4       8               16              24              32
 *     +-------+-------+---------------+---------------+---------------+
 *     | type  | ver   | extension     | connection_id                 |
 *     +-------+-------+---------------+---------------+---------------+
 *     | timestamp_microseconds                                        |
 *     +---------------+---------------+---------------+---------------+
 *     | timestamp_difference_microseconds                             |
 *     +---------------+---------------+---------------+---------------+
 *     | wnd_size                                                      |
 *     +---------------+---------------+---------------+---------------+
 *     | seq_nr                        | ack_nr                        |
 *     +---------------+---------------+---------------+---------------+
 *
 * All integers are big-endian.
 */
import { ok, type Result, refused } from '../../errors.ts'

export const ST_DATA = 0 as const
export const ST_FIN = 1 as const
export const ST_STATE = 2 as const
export const ST_RESET = 3 as const
export const ST_SYN = 4 as const

/** One of ST_DATA, ST_FIN, ST_STATE, ST_RESET, ST_SYN. */
export type PacketType = 0 | 1 | 2 | 3 | 4

export const HEADER_BYTES = 20
const PROTOCOL_VERSION = 1

const EXTENSION_NONE = 0
const EXTENSION_SELECTIVE_ACK = 1
/** BEP 29 defines one extension; a longer chain than this has no use. */
const MAX_EXTENSIONS = 4
/** 1,024 packets: as far ahead as any client buffers (nim-eth `reorderBufferMaxSize`). */
export const MAX_SELECTIVE_ACK_BYTES = 128

/**
 * The header of one packet, read into an object that is reused for the next one: the hot path allocates nothing.
 * The payload is `bytes.subarray(payloadAt)`, the selective ack bitmask `bytes.subarray(maskAt, maskAt + maskBytes)`.
 */
export class PacketView {
  type: PacketType = ST_DATA
  connectionId = 0
  /** Microseconds of the sender's clock, 32 bits. */
  timestamp = 0
  /** Microseconds between the other end's last timestamp and its arrival, 32 bits; 0 if none was measured. */
  timestampDifference = 0
  windowBytes = 0
  sequence = 0
  acknowledged = 0
  maskAt = 0
  maskBytes = 0
  payloadAt = HEADER_BYTES

  /** Reads `bytes`. Returns undefined if they are a packet, or the reason why they are not. Never throws. */
  read(bytes: Uint8Array): string | undefined {
    const length = bytes.length
    if (length < HEADER_BYTES) return `expected a header of ${HEADER_BYTES} bytes, got ${length} bytes`
    const first = bytes[0] as number
    if ((first & 0x0f) !== PROTOCOL_VERSION) return `expected version ${PROTOCOL_VERSION}, got ${first & 0x0f}`
    const type = first >> 4
    if (type > ST_SYN) return `expected a type from 0 to 4, got ${type}`
    this.type = type as PacketType
    this.connectionId = read16(bytes, 2)
    this.timestamp = read32(bytes, 4)
    this.timestampDifference = read32(bytes, 8)
    this.windowBytes = read32(bytes, 12)
    this.sequence = read16(bytes, 16)
    this.acknowledged = read16(bytes, 18)
    this.maskAt = 0
    this.maskBytes = 0
    this.payloadAt = HEADER_BYTES
    const extension = bytes[1] as number
    return extension === EXTENSION_NONE ? undefined : this.#readExtensions(bytes, extension)
  }

  /** Acks and RESETs get no answer: two ends that answer each other's would never stop. */
  get wantsAnswer(): boolean {
    return this.type === ST_DATA || this.type === ST_FIN || this.type === ST_SYN
  }

  #readExtensions(bytes: Uint8Array, first: number): string | undefined {
    let extension = first
    let at = HEADER_BYTES
    for (let count = 0; extension !== EXTENSION_NONE; count++) {
      if (count === MAX_EXTENSIONS) return `expected at most ${MAX_EXTENSIONS} extensions, got more`
      if (at + 2 > bytes.length) return `expected the head of extension ${extension} at ${at}, got the end`
      const length = bytes[at + 1] as number
      const from = at + 2
      if (from + length > bytes.length)
        return `expected ${length} bytes of extension ${extension}, got ${bytes.length - from}`
      if (extension === EXTENSION_SELECTIVE_ACK) {
        if (length === 0 || length % 4 !== 0 || length > MAX_SELECTIVE_ACK_BYTES)
          return `expected a selective ack of 4 to ${MAX_SELECTIVE_ACK_BYTES} bytes in steps of 4, got ${length}`
        if (this.maskBytes !== 0) return 'expected one selective ack, got two'
        this.maskAt = from
        this.maskBytes = length
      }
      extension = bytes[at] as number
      at = from + length
    }
    this.payloadAt = at
    return undefined
  }
}

/**
 * The type and connection id of a packet in one integer, `type << 16 | connectionId`, without reading the rest; -1 if
 * it is no uTP packet.
 */
export function routeOf(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES) return -1
  const first = bytes[0] as number
  if ((first & 0x0f) !== PROTOCOL_VERSION || first >> 4 > ST_SYN) return -1
  return ((first >> 4) << 16) | read16(bytes, 2)
}

/** A decoded packet as a value, for tests, traces and tools. */
export interface Packet {
  readonly type: PacketType
  readonly connectionId: number
  readonly timestamp: number
  readonly timestampDifference: number
  readonly windowBytes: number
  readonly sequence: number
  readonly acknowledged: number
  /** Bit i of byte j stands for the packet `acknowledged + 2 + 8 * j + i`. */
  readonly selectiveAck?: Uint8Array | undefined
  readonly payload: Uint8Array
}

/** Strict decoding of one packet. The payload and the bitmask are views of `bytes`. */
export function decodePacket(bytes: Uint8Array): Result<Packet, 'UTP_PACKET_MALFORMED'> {
  const view = new PacketView()
  const fault = view.read(bytes)
  if (fault !== undefined) return refused('UTP_PACKET_MALFORMED', fault)
  const { type, connectionId, timestamp, timestampDifference, windowBytes, sequence, acknowledged } = view
  return ok({
    type,
    connectionId,
    timestamp,
    timestampDifference,
    windowBytes,
    sequence,
    acknowledged,
    selectiveAck: view.maskBytes === 0 ? undefined : bytes.subarray(view.maskAt, view.maskAt + view.maskBytes),
    payload: bytes.subarray(view.payloadAt),
  })
}

/** The bytes of a packet; `selectiveAck`, when given, has 4 to 128 bytes in steps of 4. */
export function encodePacket(packet: Packet): Uint8Array {
  const mask = packet.selectiveAck
  const payloadAt = mask === undefined ? HEADER_BYTES : HEADER_BYTES + 2 + mask.length
  const bytes = new Uint8Array(payloadAt + packet.payload.length)
  writeHeader(bytes, packet.type, packet.connectionId, packet.sequence)
  stampHeader(bytes, packet.timestamp, packet.timestampDifference, packet.windowBytes, packet.acknowledged)
  if (mask !== undefined) {
    writeSelectiveAckHead(bytes, mask.length)
    bytes.set(mask, HEADER_BYTES + 2)
  }
  bytes.set(packet.payload, payloadAt)
  return bytes
}

/** Writes the header fields that stay the same when a packet is retransmitted. */
export function writeHeader(bytes: Uint8Array, type: PacketType, connectionId: number, sequence: number): void {
  bytes[0] = (type << 4) | PROTOCOL_VERSION
  bytes[1] = EXTENSION_NONE
  write16(bytes, 2, connectionId)
  write16(bytes, 16, sequence)
}

/** Writes the header fields of the moment of sending. */
export function stampHeader(
  bytes: Uint8Array,
  timestamp: number,
  timestampDifference: number,
  windowBytes: number,
  acknowledged: number,
): void {
  write32(bytes, 4, timestamp)
  write32(bytes, 8, timestampDifference)
  write32(bytes, 12, windowBytes)
  write16(bytes, 18, acknowledged)
}

/**
 * Writes the head of a selective ack of `maskBytes`, the only extension; the bitmask itself starts at HEADER_BYTES + 2.
 */
export function writeSelectiveAckHead(bytes: Uint8Array, maskBytes: number): void {
  bytes[1] = EXTENSION_SELECTIVE_ACK
  bytes[HEADER_BYTES] = EXTENSION_NONE
  bytes[HEADER_BYTES + 1] = maskBytes
}

/** A monotonic clock's milliseconds as the 32-bit microseconds of the header. */
export function timestampOf(now: number): number {
  return Math.floor(now * 1000) % 0x1_0000_0000
}

/** Rewrites only the timestamp, for a packet that is kept and sent again. */
export function stampTime(bytes: Uint8Array, timestamp: number): void {
  write32(bytes, 4, timestamp)
}

/** The connection id of a packet that `routeOf` accepted. */
export function connectionIdOf(bytes: Uint8Array): number {
  return read16(bytes, 2)
}

/** The sequence number of a packet that `routeOf` accepted, as on the wire. */
export function sequenceOf(bytes: Uint8Array): number {
  return read16(bytes, 16)
}

/** The timestamp of a packet that `routeOf` accepted. */
export function timestampIn(bytes: Uint8Array): number {
  return read32(bytes, 4)
}

function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

function read32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}

function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
