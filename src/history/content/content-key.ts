import { ok, type Result, refused } from '../../errors.ts'

/**
 * The kinds of content that the history network stores of a block (history/history-network.md, Data Types).
 * In the order of their selectors: body 0x00, receipts 0x01.
 */
export type HistoryContentType = 'body' | 'receipts'

/** A decoded content key: the block number (uint64), and the kind of content. */
export interface HistoryKey {
  readonly type: HistoryContentType
  readonly number: bigint
}

/** Selector (1 byte), then SSZ of Container(block_number: uint64), which is 8 bytes little-endian. */
export const CONTENT_KEY_BYTES = 9

/** The highest block number that a key can carry. */
export const MAX_BLOCK_NUMBER = 0xffff_ffff_ffff_ffffn

const SELECTORS: readonly HistoryContentType[] = ['body', 'receipts']

/** The selector of a content type, which is also the last byte of its content id. */
function selectorOf(type: HistoryContentType): number {
  return type === 'body' ? 0x00 : 0x01
}

/**
 * The bytes of a content key.
 *
 * @throws RangeError for a block number that is no uint64: these keys come from the program, not from the network
 * @example
 * encodeContentKey({ type: 'body', number: 12345678n }) // 00 4e 61 bc 00 00 00 00 00
 */
export function encodeContentKey(key: HistoryKey): Uint8Array {
  if (key.number < 0n || key.number > MAX_BLOCK_NUMBER) {
    throw new RangeError(`expected a block number of 64 bits, got ${key.number}`)
  }
  const bytes = new Uint8Array(CONTENT_KEY_BYTES)
  bytes[0] = selectorOf(key.type)
  new DataView(bytes.buffer).setBigUint64(1, key.number, true)
  return bytes
}

/** Reads a key from the network: exactly 9 bytes, with a selector that the history network defines. */
export function decodeContentKey(bytes: Uint8Array): Result<HistoryKey, 'CONTENT_KEY_INVALID'> {
  if (bytes.length !== CONTENT_KEY_BYTES) {
    return refused('CONTENT_KEY_INVALID', `expected a content key of ${CONTENT_KEY_BYTES} bytes, got ${bytes.length}`)
  }
  const type = SELECTORS[bytes[0]!]
  if (type === undefined) {
    return refused('CONTENT_KEY_INVALID', `expected selector 0 (body) or 1 (receipts), got ${bytes[0]}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return ok({ type, number: view.getBigUint64(1, true) })
}
