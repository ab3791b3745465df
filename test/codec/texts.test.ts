import test from 'ava'
import fc from 'fast-check'
import { fromBase64Url, toBase64Url } from '../../src/codec/base64url.ts'
import { compareBytes, concatBytes, equalBytes } from '../../src/codec/bytes.ts'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import { readUint48, uintBytes } from '../../src/codec/integers.ts'
import { decodeVarint, encodeVarint, MAX_VARINT_BYTES, varintLength } from '../../src/codec/varint.ts'
import { unwrap } from '../../src/errors.ts'

const anyBytes = fc.uint8Array({ maxLength: 200 })

test('hex encodes and decodes back, also from a view', t => {
  fc.assert(
    fc.property(anyBytes, bytes => {
      t.deepEqual(unwrap(fromHex(toHex(bytes))), bytes)
      t.deepEqual(unwrap(fromHex(toHex(bytes).toUpperCase().replace('0X', '0x'))), bytes)
      t.is(toHex(bytes.subarray(1)), `0x${toHex(bytes).slice(4)}`)
    }),
  )
  t.is(toHex(new Uint8Array(0)), '0x')
})

test('hex is strict', t => {
  for (const text of ['', '0', '0x0', '0X00', '00', '0xg0', '0x00 ', '0x0\n', '0x00\n']) {
    t.like(fromHex(text), { ok: false, code: 'HEX_INVALID' }, JSON.stringify(text))
  }
})

test('the bytes of hex and base64url own their buffer', t => {
  t.is(unwrap(fromHex('0x0102')).buffer.byteLength, 2)
  t.is(unwrap(fromBase64Url('AQI')).buffer.byteLength, 2)
})

test('base64url encodes and decodes back', t => {
  fc.assert(fc.property(anyBytes, bytes => t.deepEqual(unwrap(fromBase64Url(toBase64Url(bytes))), bytes)))
})

test('base64url accepts one text for a value', t => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'AQgw_-9zB'), maxLength: 12 }), text => {
      const decoded = fromBase64Url(text)
      if (decoded.ok) t.is(toBase64Url(decoded.value), text)
    }),
  )
  for (const text of ['A', 'AAAAA', 'AA=', 'AA==', 'A+', 'A/', 'A A', 'AB', 'AAB', 'AA\n']) {
    t.like(fromBase64Url(text), { ok: false, code: 'BASE64URL_INVALID' }, JSON.stringify(text))
  }
  t.true(fromBase64Url('').ok)
})

test('a varint encodes and decodes back at any offset', t => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.nat(5), (value, offset) => {
      const encoded = encodeVarint(value)
      t.is(encoded.length, varintLength(value))
      t.deepEqual(unwrap(decodeVarint(concatBytes(new Uint8Array(offset), encoded), offset)), {
        value,
        next: offset + encoded.length,
      })
    }),
  )
})

test('varints at the limits of each length', t => {
  const facts: [number, string][] = [
    [0, '0x00'],
    [127, '0x7f'],
    [128, '0x8001'],
    [624_485, '0xe58e26'], // the example of the LEB128 article and of DWARF 4, appendix C
    [0x0fff_ffff, '0xffffff7f'],
    [0x1000_0000, '0x8080808001'],
    [0xffff_ffff, '0xffffffff0f'],
  ]
  for (const [value, hex] of facts) {
    t.is(toHex(encodeVarint(value)), hex)
    t.is(unwrap(decodeVarint(unwrap(fromHex(hex)))).value, value)
  }
})

test('varints are strict', t => {
  for (const hex of ['0x', '0x80', '0x8000', '0xff00', '0xffffffff1f', '0x808080808001', '0xffffffffff']) {
    t.like(decodeVarint(unwrap(fromHex(hex))), { ok: false, code: 'VARINT_INVALID' }, hex)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 7 }), bytes => {
      const decoded = decodeVarint(bytes)
      if (!decoded.ok) return
      t.true(decoded.value.next <= MAX_VARINT_BYTES)
      t.deepEqual(encodeVarint(decoded.value.value), bytes.slice(0, decoded.value.next))
    }),
  )
  for (const value of [-1, 1.5, 2 ** 32, Number.NaN]) t.throws(() => encodeVarint(value), { code: 'VARINT_INVALID' })
})

test('bytes compare as Buffer does', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4, max: 3 }), fc.uint8Array({ maxLength: 4, max: 3 }), (a, b) => {
      t.is(Math.sign(compareBytes(a, b)), Buffer.compare(a, b))
      t.is(equalBytes(a, b), Buffer.compare(a, b) === 0)
      t.deepEqual(concatBytes(a, b, a), new Uint8Array(Buffer.concat([a, b, a])))
    }),
  )
})

test('6 bytes at any offset are their big-endian integer, and an integer has its shortest bytes', t => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 20 }), fc.nat({ max: 14 }), (bytes, offset) => {
      const at = Math.min(offset, bytes.length - 6)
      const value = readUint48(bytes, at)
      t.is(value, Buffer.from(bytes).readUIntBE(at, 6))
      const digits = bytes.subarray(at, at + 6)
      const first = digits.findIndex(byte => byte !== 0)
      const shortest = first < 0 ? new Uint8Array(0) : digits.slice(first)
      t.deepEqual(uintBytes(value), shortest)
      t.deepEqual(uintBytes(BigInt(value)), shortest)
    }),
  )
})
