import { equalBytes } from '../../codec/bytes.ts'
import { RlpFault, RlpReader } from '../../codec/rlp.ts'
import { keccak256 } from '../../crypto/keccak.ts'
import { ok, type Result, refused } from '../../errors.ts'
import type { BlockHeader } from '../headers/header.ts'
import { orderedTrieRoot } from './ordered-trie.ts'
import { ContentFault, contradicts, MAX_CONTENT_BYTES } from './refusal.ts'
import { checkTypedTransaction } from './transaction-envelope.ts'
import { itemStarts } from './trie-items.ts'

/** The commitments of a header that validation compares with. */
export type BodyCommitments = Pick<BlockHeader, 'transactionsRoot' | 'ommersHash' | 'withdrawalsRoot'>

/** The counts of a valid body. */
export interface BodySummary {
  readonly type: 'body'
  readonly transactions: number
  readonly ommers: number
  /** Undefined before Shanghai. */
  readonly withdrawals: number | undefined
}

/** Yellow paper, 4.3.2. */
const MAX_OMMERS = 2

/** [index, validator index, address, amount] (EIP-4895). */
const WITHDRAWAL_FIELDS = 4

/** keccak256(rlp([])): the ommers hash of a block without ommers. */
export const EMPTY_OMMERS_HASH: Uint8Array = keccak256(Uint8Array.of(0xc0))

/**
 * Compares the bytes of a body with the three commitments of its header (history/history-network.md, Block Body;
 * devp2p, caps/eth.md, Block Encoding and Validity). A body is [transactions, ommers] before Shanghai, and
 * [transactions, ommers, withdrawals] from Shanghai on.
 *
 * A body has exactly one valid encoding: every byte is hashed, or is framing that canonical RLP fixes. Never throws on
 * any bytes. Codes: CONTENT_TOO_LARGE, BODY_MALFORMED, TRANSACTION_TYPE_UNKNOWN, TRANSACTIONS_ROOT_WRONG,
 * OMMERS_HASH_WRONG, WITHDRAWALS_WRONG (a list where the header has none, or none where it has one),
 * WITHDRAWALS_ROOT_WRONG.
 */
export function validateBody(header: BodyCommitments, bytes: Uint8Array): Result<BodySummary> {
  if (bytes.length > MAX_CONTENT_BYTES) {
    return refused('CONTENT_TOO_LARGE', `expected a body of at most ${MAX_CONTENT_BYTES} bytes, got ${bytes.length}`)
  }
  try {
    return ok(checkBody(header, bytes))
  } catch (error) {
    if (error instanceof RlpFault) return refused('BODY_MALFORMED', error.message)
    if (error instanceof ContentFault) return refused(error.code, error.message)
    throw error
  }
}

function checkBody(header: BodyCommitments, bytes: Uint8Array): BodySummary {
  const outer = new RlpReader(bytes)
  const parts = outer.readList()
  outer.finish()
  const transactions = parts.readList()
  const ommersAt = parts.at
  const ommers = parts.readList()
  const ommersEnd = parts.at
  const withdrawals = parts.atEnd ? undefined : parts.readList()
  parts.finish()

  // The cheapest check first: a body of another block mostly fails before its transactions are hashed.
  if ((withdrawals === undefined) !== (header.withdrawalsRoot === undefined)) {
    const expected = header.withdrawalsRoot === undefined ? 'no withdrawals (before Shanghai)' : 'withdrawals'
    throw new ContentFault(
      'WITHDRAWALS_WRONG',
      `expected ${expected}, got ${withdrawals === undefined ? 'none' : 'a list'}`,
    )
  }
  const ommersHash = keccak256(bytes.subarray(ommersAt, ommersEnd))
  if (!equalBytes(ommersHash, header.ommersHash)) throw contradicts('OMMERS_HASH_WRONG', header.ommersHash, ommersHash)

  const starts = itemStarts(transactions, 'transactions')
  const transactionsRoot = orderedTrieRoot(starts.length, bytes.length, (index, out, at) => {
    transactions.moveTo(starts[index]!)
    return writeTransaction(transactions, index, out, at)
  })
  if (!equalBytes(transactionsRoot, header.transactionsRoot)) {
    throw contradicts('TRANSACTIONS_ROOT_WRONG', header.transactionsRoot, transactionsRoot)
  }

  let withdrawalCount: number | undefined
  if (withdrawals !== undefined && header.withdrawalsRoot !== undefined) {
    const root = withdrawalsRoot(withdrawals)
    if (!equalBytes(root.hash, header.withdrawalsRoot)) {
      throw contradicts('WITHDRAWALS_ROOT_WRONG', header.withdrawalsRoot, root.hash)
    }
    withdrawalCount = root.count
  }
  return { type: 'body', transactions: starts.length, ommers: countOmmers(ommers), withdrawals: withdrawalCount }
}

/** A legacy transaction is a list; a typed one (EIP-2718) is a string, whose content is the value in the trie. */
function writeTransaction(transactions: RlpReader, index: number, out: Uint8Array, at: number): number {
  const legacy = transactions.peekIsList()
  const value = legacy ? transactions.rawItem() : transactions.readBytes()
  if (!legacy) checkTypedTransaction(value, index)
  out.set(value, at)
  return at + value.length
}

function withdrawalsRoot(withdrawals: RlpReader): { readonly hash: Uint8Array; readonly count: number } {
  const starts = itemStarts(withdrawals, 'withdrawals')
  const hash = orderedTrieRoot(starts.length, withdrawals.end - withdrawals.at + 1, (index, out, at) => {
    withdrawals.moveTo(starts[index]!)
    const value = withdrawals.rawItem()
    withdrawals.moveTo(starts[index]!)
    const fields = withdrawals.readList()
    for (let field = 0; field < WITHDRAWAL_FIELDS; field++) fields.skip()
    fields.finish()
    out.set(value, at)
    return at + value.length
  })
  return { hash, count: starts.length }
}

function countOmmers(ommers: RlpReader): number {
  let count = 0
  for (; !ommers.atEnd; count++) ommers.readList()
  if (count > MAX_OMMERS) throw new RlpFault(`expected at most ${MAX_OMMERS} ommers, got ${count}`)
  return count
}
