import { z } from 'zod'
import { equalBytes } from '../../codec/bytes.ts'
import { fromHex, toHex } from '../../codec/hex.ts'
import { ok, type Result, refused } from '../../errors.ts'
import { BLOOM_BYTES } from '../content/bloom.ts'
import { type BlockHeader, decodeHeader, encodeHeader, type HeaderFields } from './header.ts'

/** A QUANTITY of the execution API: hex without leading zeros, but some servers pad. */
const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform(text => BigInt(text))

/** DATA of the execution API, of `length` bytes if the length is fixed. */
const data = (length?: number) =>
  z.string().transform((text, context) => {
    const bytes = fromHex(text)
    if (bytes.ok && (length === undefined || bytes.value.length === length)) return bytes.value
    context.addIssue({ code: 'custom', message: `expected ${length ?? 'any number of'} bytes in 0x-hex` })
    return z.NEVER
  })

/** A field that the block's fork does not have is null or absent. */
const block = z.object({
  hash: data(32),
  parentHash: data(32),
  sha3Uncles: data(32),
  miner: data(20),
  stateRoot: data(32),
  transactionsRoot: data(32),
  receiptsRoot: data(32),
  logsBloom: data(BLOOM_BYTES),
  difficulty: quantity,
  number: quantity,
  gasLimit: quantity,
  gasUsed: quantity,
  timestamp: quantity,
  extraData: data(),
  mixHash: data(32),
  nonce: data(8),
  baseFeePerGas: quantity.nullish(),
  withdrawalsRoot: data(32).nullish(),
  blobGasUsed: quantity.nullish(),
  excessBlobGas: quantity.nullish(),
  parentBeaconBlockRoot: data(32).nullish(),
  requestsHash: data(32).nullish(),
  blockAccessListHash: data(32).nullish(),
  slotNumber: quantity.nullish(),
})

/**
 * The header in an answer of `eth_getBlockByNumber`. JSON does not say which fields are hashed, so the header is
 * rebuilt, and its hash must be the block hash of the answer. A fork with unknown fields is refused.
 */
export function headerFromJson(value: unknown): Result<BlockHeader, 'HEADER_MALFORMED' | 'HEADER_WRONG'> {
  const parsed = block.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return refused('HEADER_MALFORMED', `the block's ${issue?.path.join('.') || 'JSON'}: ${issue?.message}`)
  }
  const json = parsed.data
  const fields: HeaderFields = {
    parentHash: json.parentHash,
    ommersHash: json.sha3Uncles,
    beneficiary: json.miner,
    stateRoot: json.stateRoot,
    transactionsRoot: json.transactionsRoot,
    receiptsRoot: json.receiptsRoot,
    logsBloom: json.logsBloom,
    difficulty: json.difficulty,
    number: json.number,
    gasLimit: json.gasLimit,
    gasUsed: json.gasUsed,
    timestamp: json.timestamp,
    extraData: json.extraData,
    mixHash: json.mixHash,
    nonce: json.nonce,
    ...given('baseFeePerGas', json.baseFeePerGas),
    ...given('withdrawalsRoot', json.withdrawalsRoot),
    ...given('blobGasUsed', json.blobGasUsed),
    ...given('excessBlobGas', json.excessBlobGas),
    ...given('parentBeaconBlockRoot', json.parentBeaconBlockRoot),
    ...given('requestsHash', json.requestsHash),
    ...given('blockAccessListHash', json.blockAccessListHash),
    ...given('slotNumber', json.slotNumber),
  }
  let bytes: Uint8Array
  try {
    bytes = encodeHeader(fields)
  } catch (error) {
    return refused('HEADER_MALFORMED', error instanceof Error ? error.message : String(error))
  }
  // Decoding checks the rules of a header: which fields go together, and how long each one may be.
  const header = decodeHeader(bytes)
  if (header.ok && !equalBytes(header.value.hash, json.hash)) {
    return refused('HEADER_WRONG', `expected block hash ${toHex(json.hash)}, got ${toHex(header.value.hash)} rebuilt`)
  }
  return header.ok ? ok(header.value) : header
}

function given<Key extends keyof HeaderFields>(key: Key, value: HeaderFields[Key] | null): Partial<HeaderFields> {
  return value === undefined || value === null ? {} : { [key]: value }
}
