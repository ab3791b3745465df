import { RlpFault, type RlpReader, readRlp } from '../codec/rlp.ts'
import { ok, type Result, refused } from '../errors.ts'
import { ADDRESS_BYTES } from './address.ts'
import type { AccessListEntry, Authorization, SignedTransaction, TransactionSignature } from './transaction.ts'

/** The version byte of a blob's versioned hash (EIP-4844). */
const VERSIONED_HASH_VERSION = 0x01

/**
 * Decodes the canonical bytes of a signed transaction of types 0 to 4. Strict: canonical RLP, no field missing, added
 * or out of range. The signature is not verified: see `recoverSender`. Byte fields are views of `bytes`.
 */
export function decodeTransaction(bytes: Uint8Array): Result<SignedTransaction, 'TRANSACTION_INVALID'> {
  const first = bytes[0]
  if (first === undefined) return refused('TRANSACTION_INVALID', 'expected a transaction, got no bytes')
  const type = first >= 0xc0 ? 'legacy' : first
  if (type !== 'legacy' && type !== 1 && type !== 2 && type !== 3 && type !== 4) {
    return refused('TRANSACTION_INVALID', `expected a list or a type of 1 to 4, got the first byte ${first}`)
  }
  const result = readRlp(type === 'legacy' ? bytes : bytes.subarray(1), reader => {
    const list = reader.readList()
    const transaction = type === 'legacy' ? readLegacy(list) : readTyped(type, list)
    list.finish()
    return transaction
  })
  return result.ok ? ok(result.value) : refused('TRANSACTION_INVALID', result.detail)
}

function readLegacy(list: RlpReader): SignedTransaction {
  const nonce = list.readBigUint(8)
  const gasPrice = list.readBigUint(32)
  const execution = readExecution(list)
  const v = list.readBigUint(32)
  if (v < 27n || (v > 28n && v < 35n)) throw new RlpFault(`expected v to be 27, 28 or above 34 (EIP-155), got ${v}`)
  const chainId = v < 35n ? undefined : (v - 35n) / 2n
  const yParity = (v < 35n ? v - 27n : v - 35n) % 2n === 0n ? 0 : 1
  const r = list.readBigUint(32)
  const s = list.readBigUint(32)
  return { type: 0, chainId, nonce, gasPrice, ...execution, signature: { yParity, r, s } }
}

function readTyped(type: 1 | 2 | 3 | 4, list: RlpReader): SignedTransaction {
  const chainId = list.readBigUint(32)
  const nonce = list.readBigUint(8)
  if (type === 1) {
    const gasPrice = list.readBigUint(32)
    const execution = readExecution(list)
    const accessList = readAccessList(list)
    return { type, chainId, nonce, gasPrice, ...execution, accessList, signature: readSignature(list) }
  }
  const maxPriorityFeePerGas = list.readBigUint(32)
  const maxFeePerGas = list.readBigUint(32)
  const { to, ...execution } = readExecution(list)
  const accessList = readAccessList(list)
  const common = { chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, ...execution, accessList }
  if (type === 2) return { type, to, ...common, signature: readSignature(list) }

  if (to === undefined) throw new RlpFault(`expected a recipient in a transaction of type ${type}, got none`)
  if (type === 3) {
    const maxFeePerBlobGas = list.readBigUint(32)
    const blobVersionedHashes = readVersionedHashes(list)
    return { type, to, ...common, maxFeePerBlobGas, blobVersionedHashes, signature: readSignature(list) }
  }
  const authorizationList = readAuthorizations(list)
  return { type, to, ...common, authorizationList, signature: readSignature(list) }
}

/** The four fields that are adjacent in every type. */
function readExecution(list: RlpReader): {
  readonly gasLimit: bigint
  readonly to: Uint8Array | undefined
  readonly value: bigint
  readonly data: Uint8Array
} {
  const gasLimit = list.readBigUint(8)
  const to = list.readBytes()
  if (to.length !== 0 && to.length !== ADDRESS_BYTES) {
    throw new RlpFault(`expected to of 0 or ${ADDRESS_BYTES} bytes, got ${to.length}`)
  }
  const value = list.readBigUint(32)
  return { gasLimit, to: to.length === 0 ? undefined : to, value, data: list.readBytes() }
}

function readSignature(list: RlpReader): TransactionSignature {
  const yParity = list.readUint(1)
  if (yParity !== 0 && yParity !== 1) throw new RlpFault(`expected yParity 0 or 1, got ${yParity}`)
  const r = list.readBigUint(32)
  return { yParity, r, s: list.readBigUint(32) }
}

function readAccessList(list: RlpReader): AccessListEntry[] {
  return readAll(list.readList(), entries => {
    const entry = entries.readList()
    const address = entry.readFixed(ADDRESS_BYTES)
    const storageKeys = readAll(entry.readList(), keys => keys.readFixed(32))
    entry.finish()
    return { address, storageKeys }
  })
}

function readVersionedHashes(list: RlpReader): Uint8Array[] {
  const hashes = readAll(list.readList(), items => {
    const hash = items.readFixed(32)
    if (hash[0] !== VERSIONED_HASH_VERSION) throw new RlpFault(`expected a versioned hash 0x01..., got ${hash[0]}`)
    return hash
  })
  if (hashes.length === 0) throw new RlpFault('expected one or more versioned hashes, got none')
  return hashes
}

function readAuthorizations(list: RlpReader): Authorization[] {
  const authorizations = readAll(list.readList(), items => {
    const item = items.readList()
    const authorization = {
      chainId: item.readBigUint(32),
      address: item.readFixed(ADDRESS_BYTES),
      nonce: item.readBigUint(8),
      yParity: item.readUint(1),
      r: item.readBigUint(32),
      s: item.readBigUint(32),
    }
    item.finish()
    return authorization
  })
  if (authorizations.length === 0) throw new RlpFault('expected one or more authorizations, got none')
  return authorizations
}

function readAll<T>(list: RlpReader, read: (list: RlpReader) => T): T[] {
  const items: T[] = []
  while (!list.atEnd) items.push(read(list))
  return items
}
