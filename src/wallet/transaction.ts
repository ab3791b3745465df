import { concatBytes } from '../codec/bytes.ts'
import { encodeRlp, type RlpItem, uintBytes } from '../codec/rlp.ts'
import type { Cryptography } from '../crypto/cryptography.ts'
import { SpimplError } from '../errors.ts'
import { ADDRESS_BYTES, addressOfPoint } from './address.ts'

/**
 * Transactions of an execution chain in their network form (blob transactions without their blobs): encoding, signing,
 * hashing and the recovery of senders. `transaction-decoder.ts` decodes them. Amounts are in wei; addresses have 20
 * bytes.
 */
export type Transaction =
  | LegacyTransaction
  | AccessListTransaction
  | FeeMarketTransaction
  | BlobTransaction
  | SetCodeTransaction

/** A transaction with the signature of its sender. */
export type SignedTransaction = Transaction & { readonly signature: TransactionSignature }

interface CommonFields {
  /** A uint64. */
  readonly nonce: bigint
  /** A uint64. */
  readonly gasLimit: bigint
  readonly value: bigint
  readonly data: Uint8Array
}

/** The form that predates transaction types (EIP-2718). */
export interface LegacyTransaction extends CommonFields {
  readonly type: 0
  /** Undefined in transactions from before EIP-155, which any chain accepts. */
  readonly chainId: bigint | undefined
  readonly gasPrice: bigint
  /** Undefined: the transaction creates a contract. */
  readonly to: Uint8Array | undefined
}

interface TypedFields extends CommonFields {
  readonly chainId: bigint
  readonly accessList: readonly AccessListEntry[]
}

interface FeeMarketFields extends TypedFields {
  readonly maxPriorityFeePerGas: bigint
  readonly maxFeePerGas: bigint
}

/** EIP-2930. */
export interface AccessListTransaction extends TypedFields {
  readonly type: 1
  readonly gasPrice: bigint
  readonly to: Uint8Array | undefined
}

/** EIP-1559. */
export interface FeeMarketTransaction extends FeeMarketFields {
  readonly type: 2
  readonly to: Uint8Array | undefined
}

/** EIP-4844. Never creates a contract. */
export interface BlobTransaction extends FeeMarketFields {
  readonly type: 3
  readonly to: Uint8Array
  readonly maxFeePerBlobGas: bigint
  /** One or more, of 32 bytes each; the first byte is the version 1. */
  readonly blobVersionedHashes: readonly Uint8Array[]
}

/** EIP-7702. Never creates a contract. */
export interface SetCodeTransaction extends FeeMarketFields {
  readonly type: 4
  readonly to: Uint8Array
  /** One or more. */
  readonly authorizationList: readonly Authorization[]
}

/** Storage that a transaction announces to access (EIP-2930). The address has 20 bytes. */
export interface AccessListEntry {
  readonly address: Uint8Array
  /** 32 bytes each. */
  readonly storageKeys: readonly Uint8Array[]
}

/** ECDSA on secp256k1. `yParity` is that of EIP-2718 transactions, for legacy transactions as well. */
export interface TransactionSignature {
  readonly yParity: 0 | 1
  readonly r: bigint
  readonly s: bigint
}

/** Signed by the owner of an account so that the account runs the code of `address` (EIP-7702). */
export interface Authorization {
  /** 0 for any chain. */
  readonly chainId: bigint
  readonly address: Uint8Array
  /** A uint64. */
  readonly nonce: bigint
  /** A uint8. The transaction is valid with any value, the authorization only with 0 or 1. */
  readonly yParity: number
  readonly r: bigint
  readonly s: bigint
}

/** Half the order of secp256k1: a larger `s` is a mirrored signature, which EIP-2 forbids. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n

/** The byte before the payload that an authorization signs. */
const AUTHORIZATION_MAGIC = 0x05

/**
 * The canonical bytes, as in a block body and a transactions trie.
 *
 * @throws TRANSACTION_INVALID for a field outside its range
 */
export function encodeTransaction(transaction: SignedTransaction): Uint8Array {
  const { yParity, r, s } = transaction.signature
  return envelope(transaction, [
    ...fields(transaction),
    uint256(vOf(transaction, yParity), 'v'),
    uint256(r, 'r'),
    uint256(s, 's'),
  ])
}

/** The digest that the sender signs: 32 bytes. */
export function signingDigest(transaction: Transaction, crypto: Cryptography): Uint8Array {
  const items = fields(transaction)
  // EIP-155: the chain id and two zeros take the place of the signature.
  if (transaction.type === 0 && transaction.chainId !== undefined) {
    items.push(uint256(transaction.chainId, 'chainId'), uintBytes(0), uintBytes(0))
  }
  return crypto.keccak256(envelope(transaction, items))
}

/**
 * Signs with the sender's private key (32 bytes).
 *
 * @throws KEY_INVALID, TRANSACTION_INVALID
 */
export function signTransaction(
  transaction: Transaction,
  privateKey: Uint8Array,
  crypto: Cryptography,
): SignedTransaction {
  return { ...transaction, signature: signDigest(signingDigest(transaction, crypto), privateKey, crypto) }
}

/** The hash that identifies the transaction: 32 bytes. */
export function transactionHash(transaction: SignedTransaction, crypto: Cryptography): Uint8Array {
  return crypto.keccak256(encodeTransaction(transaction))
}

/**
 * The address (20 bytes) of the signer; undefined if no key made this signature. Signatures with `s` in the upper half
 * count only if they may be from before EIP-2: in legacy transactions without a chain id.
 */
export function recoverSender(transaction: SignedTransaction, crypto: Cryptography): Uint8Array | undefined {
  const { signature } = transaction
  const fromBeforeHomestead = transaction.type === 0 && transaction.chainId === undefined
  if (signature.s > HALF_ORDER && !fromBeforeHomestead) return undefined
  return recoverAddress(signature, signingDigest(transaction, crypto), crypto)
}

/** Signs an authorization with the private key (32 bytes) of the authorizing account. */
export function signAuthorization(
  authorization: Pick<Authorization, 'chainId' | 'address' | 'nonce'>,
  privateKey: Uint8Array,
  crypto: Cryptography,
): Authorization {
  return { ...authorization, ...signDigest(authorizationDigest(authorization, crypto), privateKey, crypto) }
}

/** The authorizing account (20 bytes); undefined if no key made the signature. */
export function recoverAuthority(authorization: Authorization, crypto: Cryptography): Uint8Array | undefined {
  if (authorization.s > HALF_ORDER) return undefined
  return recoverAddress(authorization, authorizationDigest(authorization, crypto), crypto)
}

function authorizationDigest(
  authorization: Pick<Authorization, 'chainId' | 'address' | 'nonce'>,
  crypto: Cryptography,
): Uint8Array {
  const payload = encodeRlp([
    uint256(authorization.chainId, 'chainId'),
    fixed(authorization.address, ADDRESS_BYTES, 'address'),
    uint64(authorization.nonce, 'nonce'),
  ])
  return crypto.keccak256(concatBytes(Uint8Array.of(AUTHORIZATION_MAGIC), payload))
}

function signDigest(digest: Uint8Array, privateKey: Uint8Array, crypto: Cryptography): TransactionSignature {
  const { signature, recovery } = crypto.signRecoverable(digest, privateKey)
  return { yParity: recovery, r: bigint(signature.subarray(0, 32)), s: bigint(signature.subarray(32)) }
}

function recoverAddress(
  signature: { readonly yParity: number; readonly r: bigint; readonly s: bigint },
  digest: Uint8Array,
  crypto: Cryptography,
): Uint8Array | undefined {
  const compact = new Uint8Array(64)
  const r = uint256(signature.r, 'r')
  const s = uint256(signature.s, 's')
  compact.set(r, 32 - r.length)
  compact.set(s, 64 - s.length)
  const point = crypto.recover(compact, signature.yParity, digest)
  return point === undefined ? undefined : addressOfPoint(point, crypto)
}

/** Type byte and payload (EIP-2718), or the bare list of a legacy transaction. */
function envelope(transaction: Transaction, items: readonly RlpItem[]): Uint8Array {
  const payload = encodeRlp(items)
  return transaction.type === 0 ? payload : concatBytes(Uint8Array.of(transaction.type), payload)
}

/** `v` of a legacy transaction (EIP-155), or the parity of a typed one. */
function vOf(transaction: Transaction, yParity: 0 | 1): bigint {
  if (transaction.type !== 0) return BigInt(yParity)
  return BigInt(yParity) + (transaction.chainId === undefined ? 27n : 35n + 2n * transaction.chainId)
}

/** The fields before the signature, in their order. */
function fields(transaction: Transaction): RlpItem[] {
  const nonce = uint64(transaction.nonce, 'nonce')
  const execution = [
    uint64(transaction.gasLimit, 'gasLimit'),
    transaction.to === undefined ? new Uint8Array(0) : fixed(transaction.to, ADDRESS_BYTES, 'to'),
    uint256(transaction.value, 'value'),
    transaction.data,
  ]
  if (transaction.type === 0) return [nonce, uint256(transaction.gasPrice, 'gasPrice'), ...execution]

  const chainId = uint256(transaction.chainId, 'chainId')
  const accessList = transaction.accessList.map(entry => [
    fixed(entry.address, ADDRESS_BYTES, 'address'),
    entry.storageKeys.map(key => fixed(key, 32, 'storageKeys')),
  ])
  if (transaction.type === 1) {
    return [chainId, nonce, uint256(transaction.gasPrice, 'gasPrice'), ...execution, accessList]
  }
  const fees = [
    uint256(transaction.maxPriorityFeePerGas, 'maxPriorityFeePerGas'),
    uint256(transaction.maxFeePerGas, 'maxFeePerGas'),
  ]
  const common = [chainId, nonce, ...fees, ...execution, accessList]
  switch (transaction.type) {
    case 2:
      return common
    case 3:
      return [
        ...common,
        uint256(transaction.maxFeePerBlobGas, 'maxFeePerBlobGas'),
        notEmpty(transaction.blobVersionedHashes, 'blobVersionedHashes').map(hash =>
          fixed(hash, 32, 'blobVersionedHashes'),
        ),
      ]
    case 4:
      return [...common, notEmpty(transaction.authorizationList, 'authorizationList').map(authorizationItem)]
  }
}

function authorizationItem(authorization: Authorization): RlpItem {
  return [
    uint256(authorization.chainId, 'chainId'),
    fixed(authorization.address, ADDRESS_BYTES, 'address'),
    uint64(authorization.nonce, 'nonce'),
    uint(BigInt(authorization.yParity), 8, 'yParity'),
    uint256(authorization.r, 'r'),
    uint256(authorization.s, 's'),
  ]
}

const uint64 = (value: bigint, name: string): Uint8Array => uint(value, 64, name)
const uint256 = (value: bigint, name: string): Uint8Array => uint(value, 256, name)

function uint(value: bigint, bits: number, name: string): Uint8Array {
  if (value < 0n || value >> BigInt(bits) !== 0n) {
    throw new SpimplError('TRANSACTION_INVALID', `expected ${name} to be a uint${bits}, got ${value}`)
  }
  return uintBytes(value)
}

function fixed(bytes: Uint8Array, length: number, name: string): Uint8Array {
  if (bytes.length === length) return bytes
  throw new SpimplError('TRANSACTION_INVALID', `expected ${name} of ${length} bytes, got ${bytes.length}`)
}

function notEmpty<T>(list: readonly T[], name: string): readonly T[] {
  if (list.length > 0) return list
  throw new SpimplError('TRANSACTION_INVALID', `expected one or more ${name}, got none`)
}

function bigint(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}
