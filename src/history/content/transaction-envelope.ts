import { RlpReader } from '../../codec/rlp.ts'
import { ContentFault } from './refusal.ts'

/** Access list (EIP-2930), fee market (EIP-1559), blob (EIP-4844), set code (EIP-7702). */
export const MAX_TRANSACTION_TYPE = 4

/**
 * Checks the envelope of EIP-2718: a known type, then one list, then the end.
 *
 * The root does not check this. The bytes of a legacy transaction, wrapped in a string, have the same trie value as the
 * bare list: without this check, one block would have many valid bodies. A list starts with 0xc0 or more, which is no
 * type.
 */
export function checkTypedTransaction(envelope: Uint8Array, index: number): void {
  const type = envelope[0]
  if (type === undefined || type === 0 || type > MAX_TRANSACTION_TYPE) {
    const got = type === undefined ? 'an empty string' : `type ${type}`
    throw new ContentFault(
      'TRANSACTION_TYPE_UNKNOWN',
      `transaction ${index}: expected a list or a type of 1 to ${MAX_TRANSACTION_TYPE}, got ${got}`,
    )
  }
  const payload = new RlpReader(envelope, 1)
  payload.readList()
  payload.finish()
}
