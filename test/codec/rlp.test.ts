import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { RLP } from 'rlp'
import { equalBytes } from '../../src/codec/bytes.ts'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import {
  decodeRlp,
  encodeRlp,
  MAX_RLP_DEPTH,
  type RlpItem,
  RlpReader,
  readRlp,
  rlpBytes,
  rlpBytesLength,
  rlpListHeader,
  uintBytes,
} from '../../src/codec/rlp.ts'
import { unwrap } from '../../src/errors.ts'
import { vectorsDirectory, vectorsMissing } from '../vectors.ts'

const directory = vectorsDirectory()
const vectorTest = directory === undefined ? test.skip : test
if (directory === undefined) console.log(vectorsMissing)

type VectorValue = string | number | readonly VectorValue[]

/** The vectors write integers as numbers, large ones as '#' and decimals, and strings by their character codes. */
function itemOf(value: VectorValue): RlpItem {
  if (typeof value === 'number') return uintBytes(value)
  if (typeof value !== 'string') return value.map(itemOf)
  return value.startsWith('#') ? uintBytes(BigInt(value.slice(1))) : new Uint8Array(Buffer.from(value, 'latin1'))
}

function vectors(file: string): [string, { readonly in: VectorValue; readonly out: string }][] {
  return Object.entries(JSON.parse(readFileSync(path.join(directory ?? '', 'rlp', file), 'utf8')))
}

/** The vectors of one file have the prefix 0x, most of the other file do not. */
const vectorBytes = (out: string): Uint8Array => unwrap(fromHex(out.startsWith('0x') ? out : `0x${out}`))

vectorTest('every official vector encodes to its bytes and decodes back', t => {
  const all = vectors('rlptest.json')
  t.true(all.length >= 25)
  for (const [name, vector] of all) {
    const item = itemOf(vector.in)
    t.is(toHex(encodeRlp(item)), toHex(vectorBytes(vector.out)), name)
    t.deepEqual(unwrap(decodeRlp(vectorBytes(vector.out))), item, name)
  }
})

vectorTest('every official invalid vector is refused', t => {
  const all = vectors('invalidRLPTest.json')
  t.true(all.length >= 20)
  for (const [name, vector] of all) t.is(decodeRlp(vectorBytes(vector.out)).ok, false, name)
})

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 3 }),
  fc.uint8Array({ minLength: 54, maxLength: 58 }),
  fc.uint8Array({ maxLength: 300, size: 'max' }),
)
const { tree } = fc.letrec<{ tree: RlpItem; list: RlpItem[] }>(tie => ({
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, bytes, tie('list')),
  list: fc.array(tie('tree'), { maxLength: 6 }),
}))

test('an item encodes as the reference does and decodes back', t => {
  fc.assert(
    fc.property(tree, item => {
      const encoded = encodeRlp(item)
      t.deepEqual(encoded, RLP.encode(item as Parameters<typeof RLP.encode>[0]))
      t.deepEqual(unwrap(decodeRlp(encoded)), item)
    }),
  )
})

test('accepted bytes are canonical, and the reference accepts them as well', t => {
  const corrupted = fc
    .tuple(tree, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(4))
    .map(([item, changes, cut]) => {
      const encoded = encodeRlp(item)
      for (const [at, value] of changes) encoded[at % encoded.length] = value
      return encoded.subarray(0, encoded.length - cut)
    })
  let accepted = 0
  fc.assert(
    fc.property(fc.oneof(corrupted, fc.uint8Array({ maxLength: 12 })), input => {
      const decoded = decodeRlp(input)
      if (!decoded.ok) return
      accepted++
      t.deepEqual(encodeRlp(decoded.value), Uint8Array.from(input))
      t.notThrows(() => RLP.decode(input))
    }),
    { numRuns: 2000 },
  )
  t.true(accepted > 50, `only ${accepted} accepted: the property saw too little`)
})

test('every truncation of an item is refused', t => {
  const encoded = encodeRlp([uintBytes(7), new Uint8Array(60).fill(1), [new Uint8Array(2)], new Uint8Array(0)])
  for (let length = 0; length < encoded.length; length++) {
    t.is(decodeRlp(encoded.subarray(0, length)).ok, false, `length ${length}`)
  }
})

test('integers are canonical, bounded and exact', t => {
  fc.assert(
    fc.property(fc.maxSafeNat(), value => {
      t.is(unwrap(readRlp(rlpBytes(uintBytes(value)), r => r.readBigUint(8))), BigInt(value))
      if (value < 2 ** 48) t.is(unwrap(readRlp(rlpBytes(uintBytes(value)), r => r.readUint())), value)
    }),
  )
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 256n - 1n), value => {
      t.is(unwrap(readRlp(rlpBytes(uintBytes(value)), r => r.readBigUint(32))), value)
    }),
  )
  const integer = (hex: string, maxBytes: number) => readRlp(unwrap(fromHex(hex)), r => r.readBigUint(maxBytes))
  t.is(integer('0x00', 8).ok, false, 'a zero byte is not the integer zero')
  t.is(integer('0x820001', 8).ok, false, 'leading zeros')
  t.is(integer('0x89010000000000000000', 8).ok, false, 'nine bytes are no uint64')
  t.is(unwrap(integer('0x88ffffffffffffffff', 8)), 2n ** 64n - 1n)
  t.is(unwrap(integer('0x80', 8)), 0n)
  t.is(readRlp(unwrap(fromHex('0x87ffffffffffffff')), r => r.readUint(8)).ok, false, 'beyond what a number holds')
  t.throws(() => uintBytes(-1), { code: 'RLP_INVALID' })
  t.throws(() => uintBytes(2 ** 53), { code: 'RLP_INVALID' })
  t.throws(() => uintBytes(-1n), { code: 'RLP_INVALID' })
})

test('lists nest to the limit and not deeper', t => {
  const nested = (depth: number): Uint8Array => {
    let item: RlpItem = []
    for (let level = 1; level < depth; level++) item = [item]
    return encodeRlp(item)
  }
  t.true(decodeRlp(nested(MAX_RLP_DEPTH)).ok)
  t.like(decodeRlp(nested(MAX_RLP_DEPTH + 1)), { ok: false, code: 'RLP_INVALID' })
})

test('a reader returns views, raw items and the end of a list', t => {
  const encoded = encodeRlp([uintBytes(1), [uintBytes(2), uintBytes(300)], new Uint8Array(3)])
  const outer = new RlpReader(encoded)
  t.true(outer.peekIsList())
  const list = outer.readList()
  t.is(list.readUint(), 1)
  t.is(toHex(list.rawItem()), '0xc40282012c')
  const view = list.readBytes()
  t.is(view.buffer, encoded.buffer)
  t.true(list.atEnd && outer.atEnd)
  t.throws(() => list.readBytes(), { name: 'RlpFault' })
  t.throws(() => list.peekIsList(), { name: 'RlpFault' })
  t.throws(() => new RlpReader(encoded).readBytes(), { name: 'RlpFault' })
  t.throws(() => new RlpReader(rlpBytes(view)).readList(), { name: 'RlpFault' })
  t.throws(() => new RlpReader(rlpBytes(view)).readFixed(4), { name: 'RlpFault' })
})

test('an item of one list cannot extend into the next', t => {
  // The inner list has 2 bytes, its string 3: within the outer list, but beyond the inner one.
  t.is(decodeRlp(Uint8Array.of(0xc6, 0xc2, 0x83, 0x01, 0x02, 0x03, 0x04)).ok, false)
})

test('unread bytes are refused, and only faults of the reader are caught', t => {
  t.is(readRlp(Uint8Array.of(1, 2), r => r.readUint()).ok, false)
  t.throws(
    () =>
      readRlp(Uint8Array.of(1), () => {
        throw new TypeError('a bug of the caller')
      }),
    { instanceOf: TypeError },
  )
})

test('the functions for hot paths agree with the encoder', t => {
  fc.assert(
    fc.property(bytes, value => {
      t.deepEqual(rlpBytes(value), encodeRlp(value))
      t.is(rlpBytesLength(value), rlpBytes(value).length)
    }),
  )
  for (const length of [0, 1, 55, 56, 255, 256, 65_535, 65_536, 0x1_0000_0000]) {
    const header = rlpListHeader(length)
    t.true(header.length === 1 ? header[0] === 0xc0 + length : header[0] === 0xf7 + header.length - 1)
    if (length < 70_000) {
      const encoded = encodeRlp([...new Array<Uint8Array>(length)].map(() => Uint8Array.of(1)))
      t.true(equalBytes(encoded.subarray(0, header.length), header))
    }
  }
})
