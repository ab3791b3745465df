/**
 * The four SSZ shapes that the Portal wire protocol is made of, read strictly and without copies.
 *
 * They are written by hand instead of with `@chainsafe/ssz` because of the cost of hostile bytes. Refusing an OFFER
 * takes 0.1 us here and 6 us there, where an error with its stack is made and thrown. Reading a NODES answer of seven
 * records takes 0.3 us against 2.4 us, since lists are subarrays of the datagram here. The library is the reference in
 * test/portal/wire/message.test.ts (both accept and refuse the same bytes) and the peer in bench/portal.ts.
 */

/** Why bytes are not the message that they claim to be. Each reason has a counter. */
export const MALFORMED_REASONS = [
  'empty',
  'selector',
  'truncated',
  'offset',
  'list-too-long',
  'item-too-long',
  'length',
  'bitlist',
  'distance',
] as const

export type MalformedReason = (typeof MALFORMED_REASONS)[number]

/** A value, or the reason why there is none. */
export type Read<T> = T | MalformedReason

const OFFSET_BYTES = 4

export const isMalformed = <T extends object | number>(read: T | MalformedReason): read is MalformedReason =>
  typeof read === 'string'

export const readUint16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8)

export const readUint32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

export const readUint64 = (bytes: Uint8Array, at: number): bigint =>
  (BigInt(readUint32(bytes, at + 4)) << 32n) | BigInt(readUint32(bytes, at))

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

export function writeUint64(bytes: Uint8Array, at: number, value: bigint): void {
  writeUint32(bytes, at, Number(value & 0xffff_ffffn))
  writeUint32(bytes, at + 4, Number((value >> 32n) & 0xffff_ffffn))
}

/**
 * The one variable field at the end of a container. Its offset must equal the end of the fixed part.
 *
 * @param start where the container begins in `bytes`
 * @param fixedBytes the size of the container's fixed part, whose last four bytes are the offset
 */
export function readLastField(bytes: Uint8Array, start: number, fixedBytes: number): Read<Uint8Array> {
  if (bytes.length < start + fixedBytes) return 'truncated'
  if (readUint32(bytes, start + fixedBytes - OFFSET_BYTES) !== fixedBytes) return 'offset'
  return bytes.subarray(start + fixedBytes)
}

/** List[ByteList[itemLimit], limit]: subarrays of `bytes`, in order. */
export function readByteLists(bytes: Uint8Array, limit: number, itemLimit: number): Read<readonly Uint8Array[]> {
  if (bytes.length === 0) return []
  if (bytes.length < OFFSET_BYTES) return 'truncated'
  const tableBytes = readUint32(bytes, 0)
  // The first offset is the size of the offset table, so it determines the number of items.
  if (tableBytes === 0 || tableBytes % OFFSET_BYTES !== 0) return 'offset'
  if (tableBytes > bytes.length) return 'truncated'
  const count = tableBytes / OFFSET_BYTES
  if (count > limit) return 'list-too-long'
  const items: Uint8Array[] = new Array(count)
  let begin = tableBytes
  for (let index = 0; index < count; index++) {
    const end = index + 1 < count ? readUint32(bytes, (index + 1) * OFFSET_BYTES) : bytes.length
    if (end < begin || end > bytes.length) return 'offset'
    if (end - begin > itemLimit) return 'item-too-long'
    items[index] = bytes.subarray(begin, end)
    begin = end
  }
  return items
}

/** The size that `writeByteLists` needs: four bytes of offset for each item, and the items. */
export function byteListsBytes(items: readonly Uint8Array[]): number {
  let total = items.length * OFFSET_BYTES
  for (const item of items) total += item.length
  return total
}

export function writeByteLists(bytes: Uint8Array, at: number, items: readonly Uint8Array[]): void {
  let begin = items.length * OFFSET_BYTES
  for (const [index, item] of items.entries()) {
    writeUint32(bytes, at + index * OFFSET_BYTES, begin)
    bytes.set(item, at + begin)
    begin += item.length
  }
}

/** List[uint16, limit]. */
export function readUint16s(bytes: Uint8Array, limit: number): Read<readonly number[]> {
  if (bytes.length % 2 !== 0) return 'length'
  if (bytes.length / 2 > limit) return 'list-too-long'
  const values: number[] = new Array(bytes.length / 2)
  for (let index = 0; index < values.length; index++) values[index] = readUint16(bytes, index * 2)
  return values
}

export function writeUint16s(bytes: Uint8Array, at: number, values: readonly number[]): void {
  for (const [index, value] of values.entries()) writeUint16(bytes, at + index * 2, value)
}

/** BitList[limit], as one byte of value 0 or 1 for each bit. The highest set bit of the last byte marks the end. */
export function readBitList(bytes: Uint8Array, limit: number): Read<Uint8Array> {
  const last = bytes.at(-1)
  if (last === undefined || last === 0) return 'bitlist'
  const count = (bytes.length - 1) * 8 + (31 - Math.clz32(last))
  if (count > limit) return 'list-too-long'
  const bits = new Uint8Array(count)
  for (let index = 0; index < count; index++) bits[index] = (bytes[index >> 3]! >> (index & 7)) & 1
  return bits
}

export function encodeBitList(bits: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((bits.length >> 3) + 1)
  for (const [index, bit] of bits.entries()) if (bit !== 0) bytes[index >> 3]! |= 1 << (index & 7)
  bytes[bits.length >> 3]! |= 1 << (bits.length & 7)
  return bytes
}
