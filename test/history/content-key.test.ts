import test from 'ava'
import fc from 'fast-check'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import { unwrap } from '../../src/errors.ts'
import { contentIdOfKey } from '../../src/history/content/content-id.ts'
import {
  decodeContentKey,
  encodeContentKey,
  type HistoryKey,
  MAX_BLOCK_NUMBER,
} from '../../src/history/content/content-key.ts'

const keys: fc.Arbitrary<HistoryKey> = fc.record({
  type: fc.constantFrom('body', 'receipts'),
  number: fc.bigInt(0n, MAX_BLOCK_NUMBER),
})

/** history/history-network.md, content_id, word for word, on bigints. */
function specifiedId(number: bigint, type: bigint): bigint {
  const CYCLE_BITS = 16n
  const OFFSET_BITS = 256n - CYCLE_BITS
  const offset = (number / 2n ** CYCLE_BITS).toString(2).padStart(Number(OFFSET_BITS), '0')
  const reversed = BigInt(`0b${[...offset].reverse().join('')}`)
  return ((number % 2n ** CYCLE_BITS) << OFFSET_BITS) | reversed | type
}

const idOf = (key: HistoryKey): Uint8Array => unwrap(contentIdOfKey(encodeContentKey(key)))

// history/history-network-test-vectors.md
const OFFICIAL = [
  {
    type: 'body',
    key: '0x004e61bc0000000000',
    id: '0x614e3d0000000000000000000000000000000000000000000000000000000000',
    integer: 44012581390156707874310974263613699127815223388818970640389075388176810377216n,
  },
  {
    type: 'receipts',
    key: '0x014e61bc0000000000',
    id: '0x614e3d0000000000000000000000000000000000000000000000000000000001',
    integer: 44012581390156707874310974263613699127815223388818970640389075388176810377217n,
  },
] as const

for (const { type, key, id, integer } of OFFICIAL) {
  test(`official vector: the ${type} of block 12345678`, t => {
    t.is(toHex(encodeContentKey({ type, number: 12345678n })), key)
    t.deepEqual(decodeContentKey(unwrap(fromHex(key))), { ok: true, value: { type, number: 12345678n } })
    const got = toHex(unwrap(contentIdOfKey(unwrap(fromHex(key)))))
    t.is(got, id)
    t.is(BigInt(got), integer)
  })
}

test('a key survives its encoding', t => {
  fc.assert(fc.property(keys, key => t.deepEqual(unwrap(decodeContentKey(encodeContentKey(key))), key)))
})

test('any bytes are refused or are the one encoding of a key', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), bytes => {
      const key = decodeContentKey(bytes)
      if (key.ok) t.deepEqual(encodeContentKey(key.value), bytes)
      else t.is(key.code, 'CONTENT_KEY_INVALID')
    }),
  )
})

test('a key in the middle of a larger buffer is read in place', t => {
  const around = new Uint8Array(32).fill(0xff)
  around.set(encodeContentKey({ type: 'receipts', number: 7n }), 11)
  t.deepEqual(unwrap(decodeContentKey(around.subarray(11, 20))), { type: 'receipts', number: 7n })
  t.deepEqual(unwrap(contentIdOfKey(around.subarray(11, 20))), idOf({ type: 'receipts', number: 7n }))
})

test('undefined lengths and selectors are refused, each with the expected ones', t => {
  for (const length of [0, 1, 8, 10]) {
    t.like(decodeContentKey(new Uint8Array(length)), { ok: false, code: 'CONTENT_KEY_INVALID' })
  }
  // Selectors 2 to 4 were in the older history network (0x500b).
  for (const selector of [2, 3, 4, 255]) {
    const key = new Uint8Array(9)
    key[0] = selector
    const refusal = contentIdOfKey(key)
    t.like(refusal, { ok: false, code: 'CONTENT_KEY_INVALID' })
    t.regex(refusal.ok ? '' : refusal.detail, new RegExp(`selector 0 .* 1 .* got ${selector}`))
  }
})

test('a block number outside 64 bits is a mistake of the caller', t => {
  t.throws(() => encodeContentKey({ type: 'body', number: -1n }), { instanceOf: RangeError })
  t.throws(() => encodeContentKey({ type: 'body', number: MAX_BLOCK_NUMBER + 1n }), { instanceOf: RangeError })
  t.is(toHex(encodeContentKey({ type: 'body', number: MAX_BLOCK_NUMBER })), '0x00ffffffffffffffff')
})

test('the content id is the one of the specification', t => {
  fc.assert(
    fc.property(keys, key => {
      t.is(BigInt(toHex(idOf(key))), specifiedId(key.number, key.type === 'body' ? 0n : 1n))
    }),
  )
})

test('different keys have different ids: the key can be read back from the id', t => {
  fc.assert(
    fc.property(keys, key => {
      const id = BigInt(toHex(idOf(key)))
      const offset = (id >> 192n) & 0xffff_ffff_ffffn
      const back = BigInt(`0b${[...offset.toString(2).padStart(48, '0')].reverse().join('')}`)
      t.is((back << 16n) | (id >> 240n), key.number)
      t.is(id & 0xffn, key.type === 'body' ? 0n : 1n)
    }),
  )
})

test('consecutive blocks of a cycle stand in order, 2^240 apart', t => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 48n - 1n), fc.bigInt(0n, 2n ** 16n - 2n), (cycle, at) => {
      const id = (number: bigint) => BigInt(toHex(idOf({ type: 'body', number })))
      const number = (cycle << 16n) | at
      t.is(id(number + 1n) - id(number), 2n ** 240n)
    }),
  )
})
