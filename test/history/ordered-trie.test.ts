import test from 'ava'
import fc from 'fast-check'
import { toHex } from '../../src/codec/hex.ts'
import { EMPTY_TRIE_ROOT, MAX_TRIE_ITEMS, orderedTrieRoot } from '../../src/history/content/ordered-trie.ts'
import { referenceTrieRoot } from '../testing/history/reference.ts'

function rootOf(values: readonly Uint8Array[]): Uint8Array {
  const longest = Math.max(0, ...values.map(value => value.length))
  return orderedTrieRoot(values.length, longest, (index, out, at) => {
    out.set(values[index]!, at)
    return at + values[index]!.length
  })
}

/** A value of `length` bytes that no other index has. */
const value = (index: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (index * 31 + at * 7 + (index >> 8)) & 0xff)

test('the empty trie has the root that every block without transactions has', t => {
  t.is(toHex(EMPTY_TRIE_ROOT), '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421')
  t.deepEqual(rootOf([]), EMPTY_TRIE_ROOT)
})

// Sizes at which rlp(index) gets longer, the root turns from a leaf into a branch, or an extension appears.
for (const count of [1, 2, 3, 15, 16, 17, 127, 128, 129, 130, 144, 255, 256, 257, 272, 273, 512, 513, 600]) {
  test(`${count} items have the root of a general trie`, t => {
    for (const length of [1, 3, 28, 33, 120]) {
      const values = Array.from({ length: count }, (_, index) => value(index, length))
      t.is(toHex(rootOf(values)), toHex(referenceTrieRoot(values)), `values of ${length} bytes`)
    }
  })
}

test('any list has the root of a general trie, also with nodes shorter than a hash', t => {
  const lists = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 300, size: 'max' })
  fc.assert(
    fc.property(lists, values => {
      t.deepEqual(rootOf(values), referenceTrieRoot(values))
    }),
    { numRuns: 40 },
  )
})

test('header lengths: values around 55, 256 and 65,536 bytes', t => {
  for (const length of [1, 2, 31, 32, 50, 51, 52, 53, 54, 55, 56, 57, 255, 256, 65_535, 65_536, 300_000]) {
    const values = [value(0, length), value(1, length)]
    t.is(toHex(rootOf(values)), toHex(referenceTrieRoot(values)), `${length} bytes`)
    t.is(toHex(rootOf([values[0]!])), toHex(referenceTrieRoot([values[0]!])), `${length} bytes, alone`)
  }
})

test('a byte below 0x80 is its own encoding, one from there on is not', t => {
  for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
    t.deepEqual(rootOf([Uint8Array.of(byte)]), referenceTrieRoot([Uint8Array.of(byte)]))
  }
})

test('each value is asked for once', t => {
  const asked: number[] = []
  orderedTrieRoot(300, 4, (index, out, at) => {
    asked.push(index)
    out[at] = 1
    return at + 1
  })
  t.deepEqual(
    asked.toSorted((a, b) => a - b),
    [...asked.keys()],
  )
})

test('an error of a value writer is thrown, and the next root is right', t => {
  const values = Array.from({ length: 40 }, (_, index) => value(index, 64))
  t.throws(() =>
    orderedTrieRoot(40, 64, index => {
      throw new Error(`value ${index}`)
    }),
  )
  t.deepEqual(rootOf(values), referenceTrieRoot(values))
})

test('more items than the limit are refused before any work', t => {
  t.throws(() => orderedTrieRoot(MAX_TRIE_ITEMS + 1, 1, () => t.fail()), { instanceOf: RangeError })
  t.notThrows(() =>
    orderedTrieRoot(MAX_TRIE_ITEMS, 1, (_, out, at) => {
      out[at] = 0x2a
      return at + 1
    }),
  )
})
