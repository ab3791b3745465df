import { ok, type Result } from '../../errors.ts'
import { CONTENT_KEY_BYTES, decodeContentKey, encodeContentKey, type HistoryKey } from './content-key.ts'

const CONTENT_ID_BYTES = 32

/**
 * The content id of a content key (history/history-network.md, Content id Derivation Function).
 *
 * The specification swaps the 16 low bits of the block number (the cycle) with the rest and reverses the rest. On
 * bytes that is: the two low bytes of the number, big-endian; then its other six bytes, lowest first, each with its
 * bits reversed; zeros; the selector.
 *
 * @example
 * contentIdOfKey(encodeContentKey({ type: 'body', number: 12345678n })) // 61 4e 3d 00 ... 00
 */
export function contentIdOfKey(key: Uint8Array): Result<Uint8Array, 'CONTENT_KEY_INVALID'> {
  const decoded = decodeContentKey(key)
  if (!decoded.ok) return decoded
  const id = new Uint8Array(CONTENT_ID_BYTES)
  id[0] = key[2]!
  id[1] = key[1]!
  for (let at = 3; at < CONTENT_KEY_BYTES; at++) id[at - 1] = reverseBits(key[at]!)
  id[CONTENT_ID_BYTES - 1] = key[0]!
  return ok(id)
}

/** The content ids of everything that the network stores of one block. */
export function contentIdsOfBlock(number: bigint): Uint8Array[] {
  const keys: readonly HistoryKey[] = [
    { type: 'body', number },
    { type: 'receipts', number },
  ]
  return keys.flatMap(key => {
    const id = contentIdOfKey(encodeContentKey(key))
    return id.ok ? [id.value] : []
  })
}

/** The bits of a byte in reverse order. */
function reverseBits(byte: number): number {
  const pairs = ((byte & 0x55) << 1) | ((byte >>> 1) & 0x55)
  const nibbles = ((pairs & 0x33) << 2) | ((pairs >>> 2) & 0x33)
  return ((nibbles & 0x0f) << 4) | (nibbles >>> 4)
}
