import type { Cryptography } from '../../crypto/cryptography.ts'

/**
 * The layout of a discovery packet (discv5-wire.md, Packet Encoding):
 *
 *     masking-iv 16 | protocol-id 6 | version 2 | flag 1 | nonce 12 | authdata-size 2 | authdata | message
 *
 * Everything between the IV and the message is masked with AES-CTR under the receiver's node id. Headers are masked and
 * unmasked in the buffer of the packet, so that the adjacent IV and header are the associated data of the message
 * without a copy.
 */

const MIN_PACKET_BYTES = 63
export const MAX_PACKET_BYTES = 1280

export const MASKING_IV_BYTES = 16
const STATIC_HEADER_BYTES = 23
export const NONCE_BYTES = 12
export const TAG_BYTES = 16
export const NODE_ID_BYTES = 32
export const ID_NONCE_BYTES = 16

export const FLAG_ORDINARY = 0
export const FLAG_WHOAREYOU = 1
export const FLAG_HANDSHAKE = 2

const PROTOCOL_ID = Uint8Array.of(0x64, 0x69, 0x73, 0x63, 0x76, 0x35) // discv5
const VERSION = 0x0001

const HEADER_AT = MASKING_IV_BYTES
const VERSION_AT = HEADER_AT + 6
const FLAG_AT = HEADER_AT + 8
const NONCE_AT = HEADER_AT + 9
const AUTHDATA_SIZE_AT = HEADER_AT + 21
export const AUTHDATA_AT = HEADER_AT + STATIC_HEADER_BYTES

/** The length of IV and header of an ordinary packet; the message follows. */
export const ORDINARY_HEADER_BYTES = AUTHDATA_AT + NODE_ID_BYTES
/** The length of a whole WHOAREYOU packet: id-nonce and enr-seq, no message. */
export const WHOAREYOU_BYTES = AUTHDATA_AT + ID_NONCE_BYTES + 8
/** The length of source id, sig-size and eph-key-size. */
export const HANDSHAKE_HEAD_BYTES = NODE_ID_BYTES + 2

/** The largest plaintext (message-type and message-data) of an ordinary packet. */
export const MAX_PLAINTEXT_BYTES = MAX_PACKET_BYTES - ORDINARY_HEADER_BYTES - TAG_BYTES

/** A packet with an unmasked header. All bytes are views of its buffer. */
export interface Packet {
  readonly flag: number
  /** 12 bytes: the nonce of the message, or of the packet that a WHOAREYOU challenges. */
  readonly nonce: Uint8Array
  readonly authdata: Uint8Array
  /** IV and header: the associated data of the message; in a WHOAREYOU, the challenge data. */
  readonly head: Uint8Array
  /** Ciphertext and tag; empty in a WHOAREYOU. */
  readonly message: Uint8Array
}

/** Why bytes are no packet for us; each reason is a counter. */
export type PacketFault = 'packetSizeInvalid' | 'headerInvalid' | 'versionUnknown' | 'flagUnknown' | 'authdataInvalid'

// The header of an ordinary packet. A WHOAREYOU has a shorter one; the longer one of a handshake is unmasked twice.
const FIRST_UNMASKED_BYTES = STATIC_HEADER_BYTES + NODE_ID_BYTES

/**
 * Unmasks the header of a packet in its buffer, and checks that its parts have the sizes of its kind.
 *
 * @param localId the receiver's node id
 */
export function unmaskPacket(bytes: Uint8Array, localId: Uint8Array, crypto: Cryptography): Packet | PacketFault {
  const { length } = bytes
  if (length < MIN_PACKET_BYTES || length > MAX_PACKET_BYTES) return 'packetSizeInvalid'
  const key = localId.subarray(0, 16)
  const iv = bytes.subarray(0, MASKING_IV_BYTES)
  const first = Math.min(length, HEADER_AT + FIRST_UNMASKED_BYTES)
  let header = crypto.maskHeader(key, iv, bytes.subarray(HEADER_AT, first))
  for (let at = 0; at < 6; at++) if (header[at] !== PROTOCOL_ID[at]) return 'headerInvalid'
  if (((header[6]! << 8) | header[7]!) !== VERSION) return 'versionUnknown'
  const flag = header[8]!
  if (flag > FLAG_HANDSHAKE) return 'flagUnknown'
  const authdataSize = (header[21]! << 8) | header[22]!
  const headEnd = AUTHDATA_AT + authdataSize
  if (!sizesFit(flag, authdataSize, length - headEnd)) return 'authdataInvalid'
  if (headEnd > first) header = crypto.maskHeader(key, iv, bytes.subarray(HEADER_AT, headEnd))
  bytes.set(headEnd < first ? header.subarray(0, headEnd - HEADER_AT) : header, HEADER_AT)
  return {
    flag,
    nonce: bytes.subarray(NONCE_AT, NONCE_AT + NONCE_BYTES),
    authdata: bytes.subarray(AUTHDATA_AT, headEnd),
    head: bytes.subarray(0, headEnd),
    message: bytes.subarray(headEnd),
  }
}

function sizesFit(flag: number, authdataSize: number, messageBytes: number): boolean {
  if (flag === FLAG_WHOAREYOU) return authdataSize === ID_NONCE_BYTES + 8 && messageBytes === 0
  // A sealed message has at least its type and its tag.
  if (messageBytes <= TAG_BYTES) return false
  return flag === FLAG_ORDINARY ? authdataSize === NODE_ID_BYTES : authdataSize > HANDSHAKE_HEAD_BYTES
}

/**
 * Writes IV and plain header of a packet to the start of `out`. The caller writes the authdata, which follow at
 * AUTHDATA_AT.
 *
 * @param iv 16 random bytes
 */
export function writeHeader(
  out: Uint8Array,
  iv: Uint8Array,
  flag: number,
  nonce: Uint8Array,
  authdataSize: number,
): void {
  out.set(iv, 0)
  out.set(PROTOCOL_ID, HEADER_AT)
  out[VERSION_AT] = VERSION >> 8
  out[VERSION_AT + 1] = VERSION & 0xff
  out[FLAG_AT] = flag
  out.set(nonce, NONCE_AT)
  out[AUTHDATA_SIZE_AT] = authdataSize >> 8
  out[AUTHDATA_SIZE_AT + 1] = authdataSize & 0xff
}

/** Masks the header in place. Seal the message first: its associated data is the plain header. */
export function maskPacket(out: Uint8Array, headBytes: number, targetId: Uint8Array, crypto: Cryptography): void {
  const masked = crypto.maskHeader(
    targetId.subarray(0, 16),
    out.subarray(0, MASKING_IV_BYTES),
    out.subarray(HEADER_AT, headBytes),
  )
  out.set(masked, HEADER_AT)
}
