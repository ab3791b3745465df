import { encodeRlp, RlpFault, type RlpItem, type RlpReader, readRlp, uintBytes } from '../../codec/rlp.ts'
import { keccak256 } from '../../crypto/keccak.ts'
import { ok, type Result, refused } from '../../errors.ts'
import { BLOOM_BYTES } from '../content/bloom.ts'

/**
 * The fields of a block header, in the order of the wire (devp2p, caps/eth.md, Block Encoding and Validity).
 * Every buffer may be a view of the bytes that the header was decoded from.
 */
export interface HeaderFields {
  readonly parentHash: Uint8Array
  /** keccak256 of the RLP list of ommers ("uncles"). */
  readonly ommersHash: Uint8Array
  /** 20 bytes. */
  readonly beneficiary: Uint8Array
  readonly stateRoot: Uint8Array
  readonly transactionsRoot: Uint8Array
  readonly receiptsRoot: Uint8Array
  /** 256 bytes. */
  readonly logsBloom: Uint8Array
  readonly difficulty: bigint
  /** uint64, as the four that follow. */
  readonly number: bigint
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  /** Seconds since the Unix epoch. */
  readonly timestamp: bigint
  /** At most 32 bytes. */
  readonly extraData: Uint8Array
  readonly mixHash: Uint8Array
  /** 8 bytes. */
  readonly nonce: Uint8Array
  /** From London on (EIP-1559), in wei. */
  readonly baseFeePerGas?: bigint
  /** From Shanghai on (EIP-4895). */
  readonly withdrawalsRoot?: Uint8Array
  /** From Cancun on (EIP-4844). */
  readonly blobGasUsed?: bigint
  readonly excessBlobGas?: bigint
  /** From Cancun on (EIP-4788). */
  readonly parentBeaconBlockRoot?: Uint8Array
  /** From Prague on (EIP-7685). */
  readonly requestsHash?: Uint8Array
  /** From Amsterdam on (EIP-7928). */
  readonly blockAccessListHash?: Uint8Array
  /** From Amsterdam on (EIP-7843), a uint64. */
  readonly slotNumber?: bigint
}

/** A decoded header with the bytes that it came from and their hash, the block hash. */
export interface BlockHeader extends HeaderFields {
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
}

/** The largest header has 23 fields and stays below 800 bytes. */
export const MAX_HEADER_BYTES = 1024

/** Yellow paper, 4.3.4: a rule of consensus on mainnet, sepolia and hoodi. */
const MAX_EXTRA_DATA_BYTES = 32

const UINT64 = 8
const UINT256 = 32

/** How many fields a header has, by the fork that added the last of them. Other counts belong to no fork. */
const FIELDS_OF_FORKS: ReadonlySet<number> = new Set([15, 16, 17, 20, 21, 23])

/**
 * Reads one header, of any fork from Frontier on. Strict: canonical RLP, every length, no byte behind it.
 * Whether it is a header of the chain is for whoever supplied it to know; its `hash` is computed from the bytes.
 */
export function decodeHeader(bytes: Uint8Array): Result<BlockHeader, 'HEADER_MALFORMED'> {
  if (bytes.length > MAX_HEADER_BYTES) {
    return refused('HEADER_MALFORMED', `expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${bytes.length}`)
  }
  const fields = readRlp(bytes, reader => readFields(reader.readList()))
  if (!fields.ok) return refused('HEADER_MALFORMED', fields.detail)
  return ok({ ...fields.value, hash: keccak256(bytes), bytes })
}

function readFields(list: RlpReader): HeaderFields {
  const count = countItems(list)
  if (!FIELDS_OF_FORKS.has(count)) {
    throw new RlpFault(`expected a header of 15, 16, 17, 20, 21 or 23 fields, got ${count}`)
  }
  const fields: HeaderFields = {
    parentHash: list.readFixed(32),
    ommersHash: list.readFixed(32),
    beneficiary: list.readFixed(20),
    stateRoot: list.readFixed(32),
    transactionsRoot: list.readFixed(32),
    receiptsRoot: list.readFixed(32),
    logsBloom: list.readFixed(BLOOM_BYTES),
    difficulty: list.readBigUint(UINT256),
    number: list.readBigUint(UINT64),
    gasLimit: list.readBigUint(UINT64),
    gasUsed: list.readBigUint(UINT64),
    timestamp: list.readBigUint(UINT64),
    extraData: readExtraData(list),
    mixHash: list.readFixed(32),
    nonce: list.readFixed(8),
    ...(count >= 16 && { baseFeePerGas: list.readBigUint(UINT256) }),
    ...(count >= 17 && { withdrawalsRoot: list.readFixed(32) }),
    ...(count >= 20 && {
      blobGasUsed: list.readBigUint(UINT64),
      excessBlobGas: list.readBigUint(UINT64),
      parentBeaconBlockRoot: list.readFixed(32),
    }),
    ...(count >= 21 && { requestsHash: list.readFixed(32) }),
    ...(count >= 23 && { blockAccessListHash: list.readFixed(32), slotNumber: list.readBigUint(UINT64) }),
  }
  list.finish()
  return fields
}

function readExtraData(list: RlpReader): Uint8Array {
  const extraData = list.readBytes()
  if (extraData.length > MAX_EXTRA_DATA_BYTES) {
    throw new RlpFault(`expected at most ${MAX_EXTRA_DATA_BYTES} bytes of extra data, got ${extraData.length}`)
  }
  return extraData
}

/** Counts what is ahead and leaves the reader where it was. */
function countItems(list: RlpReader): number {
  const start = list.at
  let count = 0
  for (; !list.atEnd; count++) list.skip()
  list.at = start
  return count
}

/**
 * The bytes of a header: what a chain maker hashes, and what an execution client's JSON is rebuilt to. Fields that a
 * fork added come with all that older forks added.
 *
 * @throws RangeError where a field is there without one that is older
 */
export function encodeHeader(fields: HeaderFields): Uint8Array {
  const items: RlpItem[] = [
    fields.parentHash,
    fields.ommersHash,
    fields.beneficiary,
    fields.stateRoot,
    fields.transactionsRoot,
    fields.receiptsRoot,
    fields.logsBloom,
    uintBytes(fields.difficulty),
    uintBytes(fields.number),
    uintBytes(fields.gasLimit),
    uintBytes(fields.gasUsed),
    uintBytes(fields.timestamp),
    fields.extraData,
    fields.mixHash,
    fields.nonce,
  ]
  const added: readonly (Uint8Array | bigint | undefined)[] = [
    fields.baseFeePerGas,
    fields.withdrawalsRoot,
    fields.blobGasUsed,
    fields.excessBlobGas,
    fields.parentBeaconBlockRoot,
    fields.requestsHash,
    fields.blockAccessListHash,
    fields.slotNumber,
  ]
  const present = added.findLastIndex(field => field !== undefined) + 1
  for (const field of added.slice(0, present)) {
    if (field === undefined) throw new RangeError('expected the fields of older forks before those of newer ones')
    items.push(typeof field === 'bigint' ? uintBytes(field) : field)
  }
  return encodeRlp(items)
}

/** A header made from its fields, as `decodeHeader` would give it. */
export function makeHeader(fields: HeaderFields): BlockHeader {
  const bytes = encodeHeader(fields)
  return { ...fields, hash: keccak256(bytes), bytes }
}
