import type { Randomness } from 'spimpl-runtime'
import type { Cryptography } from '../../crypto/cryptography.ts'
import { addressOfPublicKey } from '../../wallet/address.ts'
import {
  type Authorization,
  type SignedTransaction,
  signAuthorization,
  signTransaction,
  type Transaction,
} from '../../wallet/transaction.ts'
import type { Log } from '../content/receipt.ts'

/** The content of a made block. */
export interface BlockProfile {
  readonly transactions: number
  /** Calldata of each transaction. */
  readonly dataBytes: number
  readonly logs: number
  /** Data of each log. */
  readonly logBytes: number
  readonly withdrawals: number
}

/** A transaction and the fields of its receipt. */
export interface MadeTransaction {
  readonly transaction: SignedTransaction
  readonly gasUsed: bigint
  readonly blobs: number
  readonly succeeded: boolean
  readonly logs: readonly Log[]
}

const MADE_CHAIN_ID = 1337n

const ACCOUNTS = 8
const TRANSACTION_TYPES = 5
const GWEI = 1_000_000_000n
/** keccak256('Transfer(address,address,uint256)'), the most frequent topic. */
const TRANSFER_TOPIC = Uint8Array.from(
  Buffer.from('ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef', 'hex'),
)

class Account {
  readonly privateKey: Uint8Array
  readonly address: Uint8Array
  #nonce = 0n

  constructor(privateKey: Uint8Array, crypto: Cryptography) {
    this.privateKey = privateKey
    this.address = addressOfPublicKey(crypto.publicKey(privateKey), crypto)
  }

  takeNonce(): bigint {
    return this.#nonce++
  }
}

/** Draws transactions of types 0 to 4 in turn, signed by a few accounts with increasing nonces. */
export class TransactionMaker {
  readonly #crypto: Cryptography
  readonly #randomness: Randomness
  readonly #accounts: readonly Account[]
  readonly #tokens: readonly Uint8Array[]
  #made = 0

  constructor(randomness: Randomness, crypto: Cryptography) {
    this.#crypto = crypto
    this.#randomness = randomness
    this.#accounts = Array.from({ length: ACCOUNTS }, () => {
      const privateKey = randomness.bytes(32)
      // Always between zero and the order of the curve.
      privateKey[0] = 0x01
      return new Account(privateKey, crypto)
    })
    this.#tokens = Array.from({ length: 4 }, () => randomness.bytes(20))
  }

  /**
   * @param blobsLeft how many blobs the block has room for; without room, type 2 replaces type 3
   */
  make(profile: BlockProfile, baseFeePerGas: bigint, blobsLeft: number): MadeTransaction {
    const turn = this.#made % TRANSACTION_TYPES
    const type = turn === 3 && blobsLeft === 0 ? 2 : turn
    const sender = this.#accounts[this.#made % ACCOUNTS]!
    this.#made++
    const nonce = sender.takeNonce()
    const data = this.#randomness.bytes(profile.dataBytes)
    const logs = Array.from({ length: profile.logs }, () => this.#log(sender, profile.logBytes))
    // One in sixteen fails, and has no logs.
    const succeeded = profile.logs === 0 || this.#randomness.below(16) !== 0
    const kept = succeeded ? logs : []
    const draft = this.#draft(type, nonce, data, baseFeePerGas)
    const gasUsed = gasOf(draft, kept)
    const transaction = signTransaction({ ...draft, gasLimit: gasUsed }, sender.privateKey, this.#crypto)
    const blobs = draft.type === 3 ? draft.blobVersionedHashes.length : 0
    return { transaction, gasUsed, blobs, succeeded, logs: kept }
  }

  #draft(type: number, nonce: bigint, data: Uint8Array, baseFeePerGas: bigint): Transaction {
    const to = this.#randomness.bytes(20)
    const value = BigInt(this.#randomness.below(1_000_000)) * GWEI
    const common = { nonce, gasLimit: 0n, to, value, data }
    const gasPrice = baseFeePerGas + GWEI
    const typed = { ...common, chainId: MADE_CHAIN_ID, accessList: [] }
    const fees = { maxPriorityFeePerGas: GWEI, maxFeePerGas: 2n * baseFeePerGas + GWEI }
    switch (type) {
      case 0:
        return { type, ...common, chainId: MADE_CHAIN_ID, gasPrice }
      case 1:
        return {
          type,
          ...typed,
          gasPrice,
          accessList: [{ address: to, storageKeys: [this.#randomness.bytes(32), this.#randomness.bytes(32)] }],
        }
      case 2:
        return { type, ...typed, ...fees }
      case 3:
        return { type, ...typed, ...fees, maxFeePerBlobGas: GWEI, blobVersionedHashes: [this.#versionedHash()] }
      default:
        return { type: 4, ...typed, ...fees, authorizationList: [this.#authorization()] }
    }
  }

  /**
   * It uses up a nonce of the authority, after that of the transaction if the sender is the authority (EIP-7702).
   */
  #authorization(): Authorization {
    const authority = this.#accounts[this.#randomness.below(ACCOUNTS)]!
    const unsigned = { chainId: MADE_CHAIN_ID, address: this.#randomness.bytes(20), nonce: authority.takeNonce() }
    return signAuthorization(unsigned, authority.privateKey, this.#crypto)
  }

  #versionedHash(): Uint8Array {
    const hash = this.#randomness.bytes(32)
    hash[0] = 0x01
    return hash
  }

  /** A token transfer between accounts: few contracts and few topics, as on mainnet. */
  #log(sender: Account, bytes: number): Log {
    const receiver = this.#accounts[this.#randomness.below(ACCOUNTS)]!
    return {
      address: this.#tokens[this.#randomness.below(this.#tokens.length)]!,
      topics: [TRANSFER_TOPIC, padded(sender.address), padded(receiver.address)],
      data: this.#randomness.bytes(bytes),
    }
  }
}

/** An address as a topic: 32 bytes, big-endian. */
function padded(address: Uint8Array): Uint8Array {
  const topic = new Uint8Array(32)
  topic.set(address, 12)
  return topic
}

/**
 * Intrinsic gas (EIP-2028, EIP-2930, EIP-7702) and the gas of the logs (yellow paper, appendix G), or the floor of
 * EIP-7623 if that is more.
 */
function gasOf(transaction: Transaction, logs: readonly Log[]): bigint {
  let tokens = 0
  for (const byte of transaction.data) tokens += byte === 0 ? 1 : 4
  let gas = 21_000 + 4 * tokens
  if (transaction.type !== 0) {
    for (const { storageKeys } of transaction.accessList) gas += 2400 + 1900 * storageKeys.length
  }
  if (transaction.type === 4) gas += 25_000 * transaction.authorizationList.length
  for (const { topics, data } of logs) gas += 375 + 375 * topics.length + 8 * data.length
  return BigInt(Math.max(gas, 21_000 + 10 * tokens))
}
