import { type Randomness, seededRandomness } from 'spimpl-runtime'
import { decodeRlp, encodeRlp, type RlpItem, uintBytes } from '../../codec/rlp.ts'
import type { Cryptography } from '../../crypto/cryptography.ts'
import { nodeCryptography } from '../../crypto/node-cryptography.ts'
import { unwrap } from '../../errors.ts'
import { encodeTransaction } from '../../wallet/transaction.ts'
import { BLOOM_BYTES } from '../content/bloom.ts'
import { EMPTY_OMMERS_HASH } from '../content/body.ts'
import { EMPTY_TRIE_ROOT, orderedTrieRoot } from '../content/ordered-trie.ts'
import { bloomOf, encodeReceipts, type Receipt } from '../content/receipt.ts'
import { receiptsRootOf } from '../content/receipts.ts'
import type { Block } from '../headers/block-file.ts'
import { type BlockHeader, makeHeader } from '../headers/header.ts'
import { type BlockProfile, TransactionMaker } from './chain-transactions.ts'

/** Which chain to make. */
export interface ChainOptions {
  /** The same seed makes the same chain, byte for byte. A uint32. */
  readonly seed: number
  /** How many blocks follow the genesis. The genesis itself has no content and is not returned. */
  readonly blocks: number
  readonly crypto?: Cryptography
  /**
   * The content of the blocks, in turn. Default: content that fits a packet, content that needs a transfer, an ordinary
   * block, a block without transactions.
   */
  readonly profiles?: readonly BlockProfile[]
}

/** Together 150 MB, in memory: enough for a devnet. */
export const MAX_MADE_BLOCKS = 1024

/** Five times mainnet's, so that a profile may ask for megabytes. */
const GAS_LIMIT = 300_000_000n
const GENESIS_TIME = 1_700_000_000n
const SLOT_SECONDS = 12n
const INITIAL_BASE_FEE = 1_000_000_000n
/** EIP-4844 and EIP-7691: the gas of a blob; a block has a target of 6 blobs and at most 9. */
const BLOB_GAS = 131_072n
const TARGET_BLOB_GAS = 6n * BLOB_GAS
const MAX_BLOBS = 9

/**
 * In turn: content that fits one packet, content of hundreds of kilobytes, content of an ordinary block, and a block
 * without transactions. Two blocks are enough to see both an inline answer and a transfer.
 */
const PROFILES: readonly BlockProfile[] = [
  { transactions: 1, dataBytes: 68, logs: 1, logBytes: 32, withdrawals: 2 },
  { transactions: 45, dataBytes: 8_000, logs: 24, logBytes: 96, withdrawals: 16 },
  { transactions: 24, dataBytes: 260, logs: 2, logBytes: 32, withdrawals: 16 },
  { transactions: 0, dataBytes: 0, logs: 0, logBytes: 0, withdrawals: 4 },
]

/**
 * Makes a small chain of the Prague fork, linked by hashes, from a seed: signed transactions of types 0 to 4, receipts,
 * withdrawals, and headers whose roots, blooms, gas and fees follow the rules of consensus. Only the state roots are
 * random: no EVM runs.
 *
 * @throws RangeError for more than MAX_MADE_BLOCKS, no profiles, or a profile above the gas limit of a block
 * @example
 * const blocks = makeChain({ seed: 1, blocks: 8 }) // blocks[0].number === 1n
 */
export function makeChain({ seed, blocks, crypto = nodeCryptography, profiles = PROFILES }: ChainOptions): Block[] {
  if (!Number.isInteger(blocks) || blocks < 0 || blocks > MAX_MADE_BLOCKS) {
    throw new RangeError(`expected 0 to ${MAX_MADE_BLOCKS} blocks, got ${blocks}`)
  }
  if (profiles.length === 0) throw new RangeError('expected one or more profiles, got none')
  const maker = new ChainMaker(seededRandomness(seed), crypto)
  return Array.from({ length: blocks }, (_, at) => maker.next(profiles[at % profiles.length]!))
}

class ChainMaker {
  readonly #randomness: Randomness
  readonly #crypto: Cryptography
  readonly #transactions: TransactionMaker
  #parent: BlockHeader
  #withdrawals = 0

  constructor(randomness: Randomness, crypto: Cryptography) {
    this.#randomness = randomness
    this.#crypto = crypto
    this.#transactions = new TransactionMaker(randomness, crypto)
    this.#parent = this.#genesis()
  }

  next(profile: BlockProfile): Block {
    const parent = this.#parent
    const baseFeePerGas = nextBaseFee(parent)
    const transactions: Uint8Array[] = []
    const receipts: Receipt[] = []
    let cumulativeGas = 0n
    let blobs = 0
    for (let index = 0; index < profile.transactions; index++) {
      const made = this.#transactions.make(profile, baseFeePerGas, MAX_BLOBS - blobs)
      blobs += made.blobs
      cumulativeGas += made.gasUsed
      transactions.push(encodeTransaction(made.transaction))
      const { succeeded, logs, transaction } = made
      receipts.push({ type: transaction.type, succeeded, cumulativeGas, logs })
    }
    if (cumulativeGas > GAS_LIMIT) {
      throw new RangeError(`expected a profile of at most ${GAS_LIMIT} gas, got ${cumulativeGas}`)
    }
    const withdrawals = Array.from({ length: profile.withdrawals }, () => this.#withdrawal())
    const encodedReceipts = encodeReceipts(receipts)
    const header = makeHeader({
      parentHash: parent.hash,
      ommersHash: EMPTY_OMMERS_HASH,
      beneficiary: this.#randomness.bytes(20),
      stateRoot: this.#randomness.bytes(32),
      transactionsRoot: rootOf(transactions),
      receiptsRoot: receiptsRootOf(encodedReceipts),
      logsBloom: bloomOf(receipts),
      difficulty: 0n,
      number: parent.number + 1n,
      gasLimit: GAS_LIMIT,
      gasUsed: cumulativeGas,
      timestamp: parent.timestamp + SLOT_SECONDS,
      extraData: new TextEncoder().encode('spimpl devnet'),
      mixHash: this.#randomness.bytes(32),
      nonce: new Uint8Array(8),
      baseFeePerGas,
      withdrawalsRoot: rootOf(withdrawals.map(encodeRlp)),
      blobGasUsed: BigInt(blobs) * BLOB_GAS,
      excessBlobGas: nextExcessBlobGas(parent),
      parentBeaconBlockRoot: this.#randomness.bytes(32),
      requestsHash: this.#emptyRequestsHash(),
    })
    this.#parent = header
    return {
      number: header.number,
      header,
      body: encodeRlp([transactions.map(bodyItem), [], withdrawals]),
      receipts: encodedReceipts,
    }
  }

  #genesis(): BlockHeader {
    return makeHeader({
      parentHash: new Uint8Array(32),
      ommersHash: EMPTY_OMMERS_HASH,
      beneficiary: new Uint8Array(20),
      stateRoot: this.#randomness.bytes(32),
      transactionsRoot: EMPTY_TRIE_ROOT,
      receiptsRoot: EMPTY_TRIE_ROOT,
      logsBloom: new Uint8Array(BLOOM_BYTES),
      difficulty: 0n,
      number: 0n,
      gasLimit: GAS_LIMIT,
      gasUsed: 0n,
      timestamp: GENESIS_TIME,
      extraData: new Uint8Array(0),
      mixHash: new Uint8Array(32),
      nonce: new Uint8Array(8),
      baseFeePerGas: INITIAL_BASE_FEE,
      withdrawalsRoot: EMPTY_TRIE_ROOT,
      blobGasUsed: 0n,
      excessBlobGas: 0n,
      parentBeaconBlockRoot: new Uint8Array(32),
      requestsHash: this.#emptyRequestsHash(),
    })
  }

  /** [index, validator index, address, amount in gwei] (EIP-4895). */
  #withdrawal(): RlpItem[] {
    return [
      uintBytes(this.#withdrawals++),
      uintBytes(this.#randomness.below(1_000_000)),
      this.#randomness.bytes(20),
      uintBytes(1 + this.#randomness.below(20_000_000)),
    ]
  }

  /** EIP-7685: the sha256 over no requests. */
  #emptyRequestsHash(): Uint8Array {
    return this.#crypto.sha256(new Uint8Array(0))
  }
}

/** EIP-1559: changes by an eighth at most, towards half the gas limit. */
function nextBaseFee({ baseFeePerGas = INITIAL_BASE_FEE, gasUsed, gasLimit }: BlockHeader): bigint {
  const target = gasLimit / 2n
  const change = (baseFeePerGas * (gasUsed > target ? gasUsed - target : target - gasUsed)) / target / 8n
  if (gasUsed === target) return baseFeePerGas
  return gasUsed > target ? baseFeePerGas + (change > 0n ? change : 1n) : baseFeePerGas - change
}

/** EIP-4844: the blob gas that ancestors used above the target. */
function nextExcessBlobGas({ excessBlobGas = 0n, blobGasUsed = 0n }: BlockHeader): bigint {
  const sum = excessBlobGas + blobGasUsed
  return sum > TARGET_BLOB_GAS ? sum - TARGET_BLOB_GAS : 0n
}

/** In a body a legacy transaction is a list, a typed one a string. */
function bodyItem(transaction: Uint8Array): RlpItem {
  return transaction[0]! >= 0xc0 ? unwrap(decodeRlp(transaction)) : transaction
}

function rootOf(values: readonly Uint8Array[]): Uint8Array {
  const longest = values.reduce((length, value) => Math.max(length, value.length), 0)
  return orderedTrieRoot(values.length, longest, (index, out, at) => {
    out.set(values[index]!, at)
    return at + values[index]!.length
  })
}
