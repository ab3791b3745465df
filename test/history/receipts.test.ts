import test from 'ava'
import fc from 'fast-check'
import { RLP } from 'rlp'
import { toHex } from '../../src/codec/hex.ts'
import { MAX_TRIE_ITEMS } from '../../src/history/content/ordered-trie.ts'
import { validateReceipts } from '../../src/history/content/receipts.ts'
import { MAX_CONTENT_BYTES } from '../../src/history/content/refusal.ts'
import { blocksDirectory, mainnetBlocks } from '../testing/history/blocks.ts'
import { consensusReceiptsRoot, type ReferenceReceipt, storedReceipts } from '../testing/history/reference.ts'
import { damages, everyBitFlip, samplePositions, withByte } from '../testing/history/tampering.ts'
import { vectorsMissing } from '../vectors.ts'

const vectorTest = blocksDirectory() === undefined ? test.skip : test
if (blocksDirectory() === undefined) console.log(vectorsMissing)

const SUCCESS = Uint8Array.of(1)
const FAILURE = new Uint8Array()
const address = fc.uint8Array({ minLength: 20, maxLength: 20 })
const word = fc.uint8Array({ minLength: 32, maxLength: 32 })
const log = fc.record({
  address: fc.oneof(address, fc.constant(new Uint8Array(20).fill(0xee))),
  topics: fc.array(fc.oneof(word, fc.constant(new Uint8Array(32).fill(0xdd))), { maxLength: 4 }),
  data: fc.uint8Array({ maxLength: 70 }),
})
const common = { cumulativeGas: fc.nat(), logs: fc.array(log, { maxLength: 6 }) }
const receipt: fc.Arbitrary<ReferenceReceipt> = fc.oneof(
  fc.record({ type: fc.constant(0), outcome: word, ...common }),
  fc.record({ type: fc.integer({ min: 0, max: 4 }), outcome: fc.constantFrom(SUCCESS, FAILURE), ...common }),
)
const plain: ReferenceReceipt = { type: 0, outcome: SUCCESS, cumulativeGas: 21_000, logs: [] }

vectorTest('every real receipts list validates', async t => {
  const summaries: Record<string, unknown> = {}
  for (const { number, header, receipts } of await mainnetBlocks()) {
    const result = validateReceipts(header, receipts)
    summaries[`${number}`] = result.ok ? [result.value.receipts, result.value.logs] : result
  }
  t.deepEqual(summaries, {
    15537393: [1, 1],
    15537394: [80, 10_041],
    15547621: [260, 391],
    17034869: [93, 208],
    17062257: [208, 490],
    19426586: [127, 339],
    19426587: [37, 39],
    22162263: [142, 793],
    22431083: [139, 949],
    22431084: [95, 233],
  })
})

vectorTest('every real receipts list with one byte changed is refused: ends, and a sample between', async t => {
  for (const { number, header, receipts } of await mainnetBlocks()) {
    for (const at of samplePositions(receipts.length, 24)) {
      const tampered = withByte(receipts, at, receipts[at]! ^ (at % 2 === 0 ? 0x01 : 0x80))
      t.false(validateReceipts(header, tampered).ok, `block ${number}, byte ${at}`)
    }
  }
})

vectorTest('every real receipts list with a random byte changed is refused', async t => {
  const blocks = await mainnetBlocks()
  fc.assert(
    fc.property(fc.constantFrom(...blocks), fc.nat(), fc.integer({ min: 1, max: 255 }), (block, position, mask) => {
      const at = position % block.receipts.length
      t.false(validateReceipts(block.header, withByte(block.receipts, at, block.receipts[at]! ^ mask)).ok)
    }),
    { numRuns: 200 },
  )
})

vectorTest('bytes added, left out, repeated or cut off are refused', async t => {
  const blocks = await mainnetBlocks()
  fc.assert(
    fc.property(fc.constantFrom(...blocks), damages, ({ header, receipts }, damage) => {
      t.false(validateReceipts(header, damage(receipts)).ok)
    }),
    { numRuns: 150 },
  )
})

vectorTest('no byte of a receipts list is free: every other value of every byte of the smallest real one', async t => {
  const { header, receipts } = (await mainnetBlocks())[0]!
  t.is(receipts.length, 171)
  for (let at = 0; at < receipts.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      if (byte !== receipts[at] && validateReceipts(header, withByte(receipts, at, byte)).ok) t.fail(`${at}: ${byte}`)
    }
  }
  t.pass()
})

vectorTest('the receipts of another block are refused with both roots, and so is a body', async t => {
  const blocks = await mainnetBlocks()
  for (const { header, number } of blocks) {
    for (const other of blocks) {
      if (other.number === number) continue
      t.deepEqual(validateReceipts(header, other.receipts), {
        ok: false,
        code: 'RECEIPTS_ROOT_WRONG',
        detail: `expected ${toHex(header.receiptsRoot)} as the header says, got ${toHex(other.header.receiptsRoot)}`,
      })
    }
    t.false(validateReceipts(header, blocks[0]!.body).ok)
  }
})

vectorTest('content is read where it stands in a larger buffer', async t => {
  const { header, receipts } = (await mainnetBlocks())[3]!
  const around = new Uint8Array(receipts.length + 20).fill(0xff)
  around.set(receipts, 13)
  t.true(validateReceipts(header, around.subarray(13, 13 + receipts.length)).ok)
})

test('any receipts, of every type and before Byzantium, have the root of the reference', t => {
  fc.assert(
    fc.property(fc.array(receipt, { maxLength: 12 }), receipts => {
      const result = validateReceipts({ receiptsRoot: consensusReceiptsRoot(receipts) }, storedReceipts(receipts))
      t.deepEqual(result, {
        ok: true,
        value: {
          type: 'receipts',
          receipts: receipts.length,
          logs: receipts.reduce((sum, { logs }) => sum + logs.length, 0),
        },
      })
    }),
    { numRuns: 60 },
  )
})

test('no byte is free: every bit of receipts with a post-state, a failure, a type and logs', t => {
  const entry = { address: new Uint8Array(20).fill(7), topics: [new Uint8Array(32).fill(8)], data: new Uint8Array(60) }
  const receipts: ReferenceReceipt[] = [
    { type: 0, outcome: new Uint8Array(32).fill(9), cumulativeGas: 21_000, logs: [] },
    { type: 0, outcome: FAILURE, cumulativeGas: 50_000, logs: [] },
    { type: 2, outcome: SUCCESS, cumulativeGas: 90_000, logs: [entry, { ...entry, data: Uint8Array.of(5) }] },
    { type: 0, outcome: SUCCESS, cumulativeGas: 0, logs: [{ ...entry, topics: [], data: new Uint8Array() }] },
  ]
  const header = { receiptsRoot: consensusReceiptsRoot(receipts) }
  const stored = storedReceipts(receipts)
  t.true(validateReceipts(header, stored).ok)
  for (const tampered of everyBitFlip(stored)) if (validateReceipts(header, tampered).ok) t.fail('a bit flip passed')
})

test('many different addresses and topics: more than are remembered, and the same root', t => {
  const bytesOf = (length: number, seed: number) =>
    Uint8Array.from({ length }, (_, at) => (Math.imul(seed + 1, 0x9e3779b1 + at * 0x85ebca6b) >>> 13) & 0xff)
  const logs = Array.from({ length: 12_000 }, (_, index) => ({
    address: bytesOf(20, index % 9000),
    topics: [bytesOf(32, index)],
    data: new Uint8Array(),
  }))
  const receipts = [{ ...plain, logs }]
  const header = { receiptsRoot: consensusReceiptsRoot(receipts) }
  t.like(validateReceipts(header, storedReceipts(receipts)), { ok: true, value: { logs: 12_000 } })
})

test('receipts that break a rule are refused although they would have a root', t => {
  const address = new Uint8Array(20)
  const topic = new Uint8Array(32)
  const logs = (...items: unknown[]) => [[Uint8Array.of(2), SUCCESS, 21_000, items]]
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['an unknown type', [[5, SUCCESS, 1, []]], /type of 0 to 4, got 5/],
    ['a status of 2', [[0, 2, 1, []]], /status of 0 or 1/],
    ['a status of 31 bytes', [[0, new Uint8Array(31), 1, []]], /status of 0 or 1 or a post-state, got 31/],
    ['a post-state with a type', [[2, topic, 1, []]], /status of 0 or 1/],
    ['gas above 64 bits', [[0, SUCCESS, 2n ** 64n, []]], /at most 8 bytes/],
    ['a bloom, as older versions of eth had', [[0, SUCCESS, 1, new Uint8Array(256), []]], /expected a list/],
    ['a field too many', [[0, SUCCESS, 1, [], []]], /bytes more/],
    ['an address of 19 bytes', logs([new Uint8Array(19), [], FAILURE]), /expected an address of 20 bytes/],
    ['a topic of 31 bytes', logs([address, [new Uint8Array(31)], FAILURE]), /a topic of 32/],
    ['five topics', logs([address, [topic, topic, topic, topic, topic], FAILURE]), /at most 4 topics, got 5/],
    ['data that is a list', logs([address, [], []]), /data of a log, got a list/],
    ['a log of four', logs([address, [], FAILURE, FAILURE]), /bytes more/],
    ['a log of two', logs([address, []]), /the end/],
    ['a receipt that is a string', [topic], /expected a list/],
  ]
  for (const [what, value, reason] of cases) {
    const result = validateReceipts({ receiptsRoot: topic }, RLP.encode(value as Uint8Array[]))
    t.like(result, { ok: false, code: 'RECEIPTS_MALFORMED' }, what)
    t.regex(result.ok ? '' : result.detail, reason, what)
  }
})

test('encodings that are not canonical are refused', t => {
  const refusal = (...bytes: number[]): string => {
    const result = validateReceipts({ receiptsRoot: new Uint8Array(32) }, Uint8Array.from(bytes))
    return result.ok ? 'valid' : `${result.code}: ${result.detail}`
  }
  t.regex(refusal(0xc5, 0xc4, 0x00, 0x01, 0x01, 0xc0), /MALFORMED: .*leading zeros/)
  t.regex(refusal(0xc6, 0xc5, 0x81, 0x00, 0x01, 0x01, 0xc0), /MALFORMED: .*below 0x80/)
  t.regex(refusal(0xc6, 0xc5, 0x80, 0x01, 0x81, 0x01, 0xc0), /MALFORMED: .*below 0x80/)
  t.regex(refusal(0xc5, 0xc4, 0x80, 0x01, 0x01, 0xc0, 0x80), /MALFORMED: .*1 bytes more/)
  t.regex(refusal(0xf8, 0x05, 0xc4, 0x80, 0x01, 0x01, 0xc0), /MALFORMED: .*belongs into the header/)
  t.regex(refusal(0xc5, 0xc4, 0x80, 0x01, 0x01, 0xc0), /ROOT_WRONG/)
})

test('no receipts', t => {
  const header = { receiptsRoot: consensusReceiptsRoot([]) }
  t.like(validateReceipts(header, Uint8Array.of(0xc0)), { ok: true, value: { receipts: 0, logs: 0 } })
  t.false(validateReceipts(header, new Uint8Array()).ok)
  t.false(validateReceipts(header, Uint8Array.of(0x80)).ok)
  t.false(validateReceipts(header, storedReceipts([plain])).ok)
})

test('limits: size of the content, number of receipts', t => {
  const header = { receiptsRoot: new Uint8Array(32) }
  t.like(validateReceipts(header, new Uint8Array(MAX_CONTENT_BYTES + 1)), { ok: false, code: 'CONTENT_TOO_LARGE' })
  const many = RLP.encode(Array.from({ length: MAX_TRIE_ITEMS + 1 }, () => []))
  const result = validateReceipts(header, many)
  t.regex(result.ok ? '' : result.detail, /at most 32768 receipts/)
})

test('no bytes make it throw', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      t.false(validateReceipts({ receiptsRoot: new Uint8Array(32) }, bytes).ok)
    }),
  )
})
