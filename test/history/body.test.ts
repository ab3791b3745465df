import test from 'ava'
import fc from 'fast-check'
import { RLP } from 'rlp'
import { equalBytes } from '../../src/codec/bytes.ts'
import { toHex } from '../../src/codec/hex.ts'
import { type BodyCommitments, EMPTY_OMMERS_HASH, validateBody } from '../../src/history/content/body.ts'
import { MAX_TRIE_ITEMS } from '../../src/history/content/ordered-trie.ts'
import { MAX_CONTENT_BYTES } from '../../src/history/content/refusal.ts'
import { blocksDirectory, mainnetBlocks } from '../testing/history/blocks.ts'
import { referenceKeccak, referenceTrieRoot } from '../testing/history/reference.ts'
import { damages, everyBitFlip, samplePositions, withByte } from '../testing/history/tampering.ts'
import { vectorsMissing } from '../vectors.ts'

const vectorTest = blocksDirectory() === undefined ? test.skip : test
if (blocksDirectory() === undefined) console.log(vectorsMissing)

type Item = Uint8Array | readonly Item[]
const list = (...items: Item[]): Uint8Array => RLP.encode(items as Uint8Array[])

const legacy: Item = ['01', '02', '03', '04'].map(digits => Uint8Array.from(Buffer.from(digits, 'hex')))
const typed = (type: number): Uint8Array => Uint8Array.of(type, ...list(Uint8Array.of(1), Uint8Array.of(9), []))
const withdrawal: Item = [Uint8Array.of(1), Uint8Array.of(2), new Uint8Array(20).fill(3), Uint8Array.of(4)]
const trieValue = (transaction: Item): Uint8Array =>
  transaction instanceof Uint8Array ? transaction : RLP.encode(transaction as Uint8Array[])

/** The header's commitments to a body, by the reference. */
function commitments(transactions: readonly Item[], ommers: Item = [], withdrawals?: readonly Item[]): BodyCommitments {
  return {
    transactionsRoot: referenceTrieRoot(transactions.map(trieValue)),
    ommersHash: referenceKeccak(RLP.encode(ommers as Uint8Array[])),
    ...(withdrawals !== undefined && { withdrawalsRoot: referenceTrieRoot(withdrawals.map(trieValue)) }),
  }
}

vectorTest('every real body validates', async t => {
  const summaries: Record<string, unknown> = {}
  for (const { number, header, body } of await mainnetBlocks()) {
    const result = validateBody(header, body)
    summaries[`${number}`] = result.ok ? { ...result.value } : result
  }
  const counted = (transactions: number, withdrawals?: number) => ({
    type: 'body',
    transactions,
    ommers: 0,
    withdrawals,
  })
  t.deepEqual(summaries, {
    15537393: counted(1),
    15537394: counted(80),
    15547621: counted(260),
    17034869: counted(93),
    17062257: counted(208, 16),
    19426586: counted(127, 16),
    19426587: counted(37, 16),
    22162263: counted(142, 16),
    22431083: counted(139, 16),
    22431084: counted(95, 16),
  })
})

vectorTest('every real body with one byte changed is refused: ends, and a sample between', async t => {
  for (const { number, header, body } of await mainnetBlocks()) {
    for (const at of samplePositions(body.length, 24)) {
      for (const mask of [0x01, 0x80]) {
        const tampered = withByte(body, at, body[at]! ^ mask)
        t.false(validateBody(header, tampered).ok, `block ${number}, byte ${at}, mask ${mask}`)
      }
    }
  }
})

vectorTest('every real body with a random byte changed is refused', async t => {
  const blocks = await mainnetBlocks()
  fc.assert(
    fc.property(fc.constantFrom(...blocks), fc.nat(), fc.integer({ min: 1, max: 255 }), (block, position, mask) => {
      const at = position % block.body.length
      t.false(validateBody(block.header, withByte(block.body, at, block.body[at]! ^ mask)).ok)
    }),
    { numRuns: 200 },
  )
})

vectorTest('bytes added, left out, repeated or cut off are refused', async t => {
  const blocks = await mainnetBlocks()
  fc.assert(
    fc.property(fc.constantFrom(...blocks), damages, ({ header, body }, damage) => {
      t.false(validateBody(header, damage(body)).ok)
    }),
    { numRuns: 150 },
  )
})

vectorTest('no byte of a body is free: every bit of the smallest real one, one at a time', async t => {
  const smallest = (await mainnetBlocks())[0]!
  t.is(smallest.body.length, 1094)
  for (const tampered of everyBitFlip(smallest.body)) {
    if (validateBody(smallest.header, tampered).ok) t.fail('a bit flip passed')
  }
  t.pass()
})

vectorTest('the body of another block is refused, and so are the receipts', async t => {
  const blocks = await mainnetBlocks()
  for (const { header, number } of blocks) {
    for (const other of blocks) {
      if (other.number !== number) t.false(validateBody(header, other.body).ok)
      t.false(validateBody(header, other.receipts).ok)
    }
  }
})

vectorTest('the reason names the root that differs, with what was expected and what came', async t => {
  const block = (await mainnetBlocks()).find(({ number }) => number === 22431084n)!
  const { header, body } = block
  const against = (change: Partial<BodyCommitments>) => {
    const result = validateBody({ ...header, ...change }, body)
    return result.ok ? 'valid' : `${result.code}: ${result.detail}`
  }
  const other = new Uint8Array(32).fill(0xab)
  const said = (code: string, got: Uint8Array | undefined) =>
    `${code}: expected ${toHex(other)} as the header says, got ${toHex(got!)}`
  t.is(against({ transactionsRoot: other }), said('TRANSACTIONS_ROOT_WRONG', header.transactionsRoot))
  t.is(against({ ommersHash: other }), said('OMMERS_HASH_WRONG', header.ommersHash))
  t.is(against({ withdrawalsRoot: other }), said('WITHDRAWALS_ROOT_WRONG', header.withdrawalsRoot))
  const { withdrawalsRoot: _, ...beforeShanghai } = header
  t.like(validateBody(beforeShanghai, body), { ok: false, code: 'WITHDRAWALS_WRONG' })
  const [transactions, ommers] = RLP.decode(body) as [Uint8Array[], Uint8Array[]]
  t.like(validateBody(header, list(transactions, ommers)), { ok: false, code: 'WITHDRAWALS_WRONG' })
})

test('an empty block, of both shapes', t => {
  const empty = commitments([])
  t.true(equalBytes(empty.ommersHash, EMPTY_OMMERS_HASH))
  t.deepEqual(validateBody(empty, Uint8Array.of(0xc2, 0xc0, 0xc0)), {
    ok: true,
    value: { type: 'body', transactions: 0, ommers: 0, withdrawals: undefined },
  })
  t.deepEqual(validateBody(commitments([], [], []), Uint8Array.of(0xc3, 0xc0, 0xc0, 0xc0)), {
    ok: true,
    value: { type: 'body', transactions: 0, ommers: 0, withdrawals: 0 },
  })
})

test('every transaction type, ommers and withdrawals in one body', t => {
  const transactions = [legacy, typed(1), typed(2), typed(3), typed(4), legacy]
  const ommers = [[new Uint8Array(32)], [new Uint8Array(32).fill(1)]]
  t.deepEqual(validateBody(commitments(transactions, ommers, [withdrawal]), list(transactions, ommers, [withdrawal])), {
    ok: true,
    value: { type: 'body', transactions: 6, ommers: 2, withdrawals: 1 },
  })
})

test('an unknown type is refused although the root is right', t => {
  for (const type of [0, 5, 0x7f, 0x80, 0xbf]) {
    const transactions = [legacy, typed(type)]
    const result = validateBody(commitments(transactions), list(transactions, []))
    t.like(result, { ok: false, code: 'TRANSACTION_TYPE_UNKNOWN' })
    t.regex(result.ok ? '' : result.detail, new RegExp(`transaction 1: .* got type ${type}`))
  }
})

test('one body, one encoding: a legacy transaction inside a string has the same root and is refused', t => {
  const honest = commitments([legacy, typed(2)])
  const twin = list([trieValue(legacy), typed(2)], [])
  // The commitments cannot tell the two apart; only the envelope can.
  t.deepEqual(commitments([trieValue(legacy), typed(2)]), honest)
  t.true(validateBody(honest, list([legacy, typed(2)], [])).ok)
  t.like(validateBody(honest, twin), { ok: false, code: 'TRANSACTION_TYPE_UNKNOWN' })
})

test('a withdrawal is a list of four, although the root is right', t => {
  for (const odd of [
    [...withdrawal.slice(0, 3)],
    [...withdrawal, Uint8Array.of(1)],
    Uint8Array.of(1, 2, 3),
  ] as Item[]) {
    // The trie holds the item with its header, as it does for a string too.
    const header = {
      ...commitments([], []),
      withdrawalsRoot: referenceTrieRoot([RLP.encode(odd as Uint8Array)]),
    }
    t.like(validateBody(header, list([], [], [odd])), { ok: false, code: 'BODY_MALFORMED' })
  }
})

test('malformed bodies are refused with a reason', t => {
  const header = commitments([])
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['nothing', new Uint8Array(), /got the end/],
    ['a string', Uint8Array.of(0x82, 1, 2), /expected a list/],
    ['one part', list([]), /got the end/],
    ['four parts', list([], [], [], []), /3|end|bytes more/],
    ['a trailing byte', Uint8Array.of(0xc2, 0xc0, 0xc0, 0x00), /1 bytes more/],
    ['a length longer than needed', Uint8Array.of(0xf8, 0x02, 0xc0, 0xc0), /belongs into the header/],
    ['ommers that are a string', Uint8Array.of(0xc2, 0xc0, 0x80), /expected a list/],
    ['a list that ends outside', Uint8Array.of(0xc2, 0xc1, 0xc0), /got the end|beyond the end/],
  ]
  for (const [what, bytes, reason] of cases) {
    const result = validateBody(header, bytes)
    t.like(result, { ok: false, code: 'BODY_MALFORMED' }, what)
    t.regex(result.ok ? '' : result.detail, reason, what)
  }
})

test('ommers: more than two are refused although the hash is right', t => {
  const ommers = [[], [], []]
  t.like(validateBody(commitments([], ommers), list([], ommers)), { ok: false, code: 'BODY_MALFORMED' })
})

test('a typed transaction with bytes behind its list, or without a list, is refused although the root is right', t => {
  for (const odd of [Uint8Array.of(...typed(2), 0), Uint8Array.of(2), Uint8Array.of(2, 0x80)]) {
    t.like(validateBody(commitments([odd]), list([odd], [])), { ok: false, code: 'BODY_MALFORMED' })
  }
})

test('limits: size of the content, number of items', t => {
  t.like(validateBody(commitments([]), new Uint8Array(MAX_CONTENT_BYTES + 1)), { ok: false, code: 'CONTENT_TOO_LARGE' })
  const many = list(
    Array.from({ length: MAX_TRIE_ITEMS + 1 }, () => []),
    [],
  )
  const result = validateBody(commitments([]), many)
  t.regex(result.ok ? '' : result.detail, /at most 32768 transactions/)
})

test('no bytes make it throw', t => {
  const header = commitments([], [], [])
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      t.is(typeof validateBody(header, bytes).ok, 'boolean')
    }),
  )
})
