import { encodeRlp, RlpFault, type RlpItem, type RlpReader, readRlp, uintBytes } from '../../codec/rlp.ts'
import { keccak256 } from '../../crypto/keccak.ts'
import { ok, type Result, refused } from '../../errors.ts'
import { BLOOM_BYTES } from '../content/bloom.ts'

/**
 * The fields of a block header, in the order of the wire (devp2p, caps/eth.md, Block Encoding and Validity).
 * A buffer may be a view of the bytes from which the header was decoded.
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
  /** uint64, like the four fields below. */
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
  /** Since London (EIP-1559), in wei. */
  readonly baseFeePerGas?: bigint
  /** Since Shanghai (EIP-4895). */
  readonly withdrawalsRoot?: Uint8Array
  /** Since Cancun (EIP-4844). */
  readonly blobGasUsed?: bigint
  readonly excessBlobGas?: bigint
  /** Since Cancun (EIP-4788). */
  readonly parentBeaconBlockRoot?: Uint8Array
  /** Since Prague (EIP-7685). */
  readonly requestsHash?: Uint8Array
  /** Since Amsterdam (EIP-7928). */
  readonly blockAccessListHash?: Uint8Array
  /** Since Amsterdam (EIP-7843), a uint64. */
  readonly slotNumber?: bigint
}

/** A decoded header with its bytes and their hash, the block hash. */
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

/** The numbers of fields that the headers of the forks have. No fork has another number. */
const FIELDS_OF_FORKS: ReadonlySet<number> = new Set([15, 16, 17, 20, 21, 23])

/**
 * Reads one header, of any fork since Frontier. Strict: canonical RLP, every length, no byte behind it. Its `hash` is
 * computed from the bytes; the caller must know whether it is a header of the chain.
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

/** Counts the items ahead; the reader stays where it is. */
function countItems(list: RlpReader): number {
  const start = list.at
  let count = 0
  for (; !list.atEnd; count++) list.skip()
  list.moveTo(start)
  return count
}

/**
 * The bytes of a header, for a chain maker and for the JSON of an execution client. A field of a fork comes with all
 * fields of older forks.
 *
 * @throws RangeError for a field without one of an older fork
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

/** A header from its fields, as `decodeHeader` returns it. */
export function makeHeader(fields: HeaderFields): BlockHeader {
  const bytes = encodeHeader(fields)
  return { ...fields, hash: keccak256(bytes), bytes }
}
