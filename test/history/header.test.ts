import test from 'ava'
import fc from 'fast-check'
import { RLP } from 'rlp'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import { unwrap } from '../../src/errors.ts'
import { EMPTY_OMMERS_HASH } from '../../src/history/content/body.ts'
import { EMPTY_TRIE_ROOT } from '../../src/history/content/ordered-trie.ts'
import {
  decodeHeader,
  encodeHeader,
  type HeaderFields,
  MAX_HEADER_BYTES,
  makeHeader,
} from '../../src/history/headers/header.ts'
import { blocksDirectory, mainnetBlocks } from '../testing/history/blocks.ts'
import { referenceKeccak } from '../testing/history/reference.ts'
import { vectorsMissing } from '../vectors.ts'

const vectorTest = blocksDirectory() === undefined ? test.skip : test
if (blocksDirectory() === undefined) console.log(vectorsMissing)

const hex = (text: string): Uint8Array => unwrap(fromHex(text))
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const uint64 = fc.bigInt(0n, 2n ** 64n - 1n)
const uint256 = fc.bigInt(0n, 2n ** 256n - 1n)

const frontier = {
  parentHash: bytes(32),
  ommersHash: bytes(32),
  beneficiary: bytes(20),
  stateRoot: bytes(32),
  transactionsRoot: bytes(32),
  receiptsRoot: bytes(32),
  logsBloom: bytes(256),
  difficulty: uint256,
  number: uint64,
  gasLimit: uint64,
  gasUsed: uint64,
  timestamp: uint64,
  extraData: fc.uint8Array({ maxLength: 32 }),
  mixHash: bytes(32),
  nonce: bytes(8),
}
const london = { ...frontier, baseFeePerGas: uint256 }
const shanghai = { ...london, withdrawalsRoot: bytes(32) }
const cancun = { ...shanghai, blobGasUsed: uint64, excessBlobGas: uint64, parentBeaconBlockRoot: bytes(32) }
const prague = { ...cancun, requestsHash: bytes(32) }
const amsterdam = { ...prague, blockAccessListHash: bytes(32), slotNumber: uint64 }
const forks: Readonly<Record<string, fc.Arbitrary<HeaderFields>>> = {
  frontier: fc.record(frontier),
  london: fc.record(london),
  shanghai: fc.record(shanghai),
  cancun: fc.record(cancun),
  prague: fc.record(prague),
  amsterdam: fc.record(amsterdam),
}

test('the genesis block of mainnet has its hash', t => {
  const genesis = makeHeader({
    parentHash: new Uint8Array(32),
    ommersHash: EMPTY_OMMERS_HASH,
    beneficiary: new Uint8Array(20),
    stateRoot: hex('0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544'),
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 17179869184n,
    number: 0n,
    gasLimit: 5000n,
    gasUsed: 0n,
    timestamp: 0n,
    extraData: hex('0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa'),
    mixHash: new Uint8Array(32),
    nonce: hex('0x0000000000000042'),
  })
  t.is(toHex(genesis.hash), '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3')
  t.deepEqual(unwrap(decodeHeader(genesis.bytes)), genesis)
})

vectorTest('real headers: encoded again they are the same bytes, and consecutive ones link by hash', async t => {
  const blocks = new Map((await mainnetBlocks()).map(block => [block.number, block.header]))
  t.is(blocks.size, 10)
  for (const header of blocks.values()) {
    t.deepEqual(encodeHeader(header), header.bytes)
    t.deepEqual(header.hash, referenceKeccak(header.bytes))
  }
  for (const [child, parent] of [
    [15537394n, 15537393n],
    [19426587n, 19426586n],
    [22431084n, 22431083n],
  ] as const) {
    t.deepEqual(blocks.get(child)?.parentHash, blocks.get(parent)?.hash)
  }
})

vectorTest('the fields of each fork are there from its first block on', async t => {
  const blocks = new Map((await mainnetBlocks()).map(block => [block.number, block.header]))
  // Paris began at 15537394, Shanghai at 17034870, Cancun at 19426587, Prague at 22431084.
  t.true((blocks.get(15537393n)?.difficulty ?? 0n) > 0n)
  t.is(blocks.get(15537394n)?.difficulty, 0n)
  t.is(blocks.get(17034869n)?.withdrawalsRoot, undefined)
  t.is(blocks.get(17062257n)?.withdrawalsRoot?.length, 32)
  t.is(blocks.get(19426586n)?.blobGasUsed, undefined)
  t.is(typeof blocks.get(19426587n)?.blobGasUsed, 'bigint')
  t.is(blocks.get(22431083n)?.requestsHash, undefined)
  t.is(blocks.get(22431084n)?.requestsHash?.length, 32)
})

for (const [fork, fields] of Object.entries(forks)) {
  test(`a ${fork} header survives its encoding, which is that of the reference`, t => {
    fc.assert(
      fc.property(fields, header => {
        const made = makeHeader(header)
        t.deepEqual(made.bytes, RLP.encode(Object.values(header)))
        t.deepEqual(made.hash, referenceKeccak(made.bytes))
        t.deepEqual(unwrap(decodeHeader(made.bytes)), made)
      }),
      { numRuns: 40 },
    )
  })
}

test('one byte changed: refused, or a header with another hash', t => {
  fc.assert(
    fc.property(forks.prague!, fc.nat(), fc.integer({ min: 1, max: 255 }), (fields, position, mask) => {
      const made = makeHeader(fields)
      const tampered = made.bytes.slice()
      tampered[position % tampered.length]! ^= mask
      const decoded = decodeHeader(tampered)
      if (!decoded.ok) t.is(decoded.code, 'HEADER_MALFORMED')
      else {
        t.notDeepEqual(decoded.value.hash, made.hash)
        t.deepEqual(encodeHeader(decoded.value), tampered)
      }
    }),
  )
})

test('any bytes are refused or are the one encoding of a header', t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 700 }), noise => t.is(decodeHeader(noise).ok, false)))
})

test('a header of no fork is refused, with the expected fields', t => {
  const fields = fc.sample(forks.amsterdam!, { numRuns: 1, seed: 7 })[0]!
  const items = Object.values(fields)
  const refusal = (value: Uint8Array): string => {
    const decoded = decodeHeader(value)
    return decoded.ok ? 'accepted' : decoded.detail
  }
  for (const count of [0, 14, 18, 19, 22, 24]) {
    const list = RLP.encode([...items, ...items].slice(0, count))
    t.regex(refusal(list), new RegExp(`fields, got ${count}`))
  }
  t.regex(refusal(Uint8Array.of(...makeHeader(fields).bytes, 0)), /1 bytes more/)
  t.regex(refusal(makeHeader(fields).bytes.subarray(0, -1)), /beyond the end/)
  t.regex(refusal(new Uint8Array(MAX_HEADER_BYTES + 1)), /at most 1024 bytes/)
  t.regex(refusal(encodeHeader({ ...fields, extraData: new Uint8Array(33) })), /at most 32 bytes of extra data, got 33/)
  t.regex(refusal(encodeHeader({ ...fields, number: 2n ** 64n })), /at most 8 bytes, got 9/)
  t.regex(refusal(encodeHeader({ ...fields, nonce: new Uint8Array(7) })), /expected 8 bytes/)
})

test('a field without those of older forks cannot be encoded', t => {
  const fields = fc.sample(forks.frontier!, { numRuns: 1, seed: 7 })[0]!
  t.throws(() => encodeHeader({ ...fields, withdrawalsRoot: new Uint8Array(32) }), { message: /older forks/ })
})
