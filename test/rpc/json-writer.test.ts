import test from 'ava'
import fc from 'fast-check'
import { toHex } from '../../src/codec/hex.ts'
import { HexText, joinedJson, toJson } from '../../src/rpc/dispatching/json-writer.ts'

test('hex and integers stand as they are, wherever they stand', t => {
  const value = {
    a: new HexText(Uint8Array.of(0, 255)),
    b: [2n ** 64n, -1n, 5n],
    c: 'x',
    d: new HexText(new Uint8Array(0)),
  }
  t.is(toJson(value), '{"a":"0x00ff","b":[18446744073709551616,-1,5],"c":"x","d":"0x"}')
  t.is(toJson(new HexText(Uint8Array.of(1))), '"0x01"')
  t.is(toJson(7n), '7')
})

test('a text with the mark in it, which a peer may send, stays the text that it is', t => {
  const texts = { peer: '\ufdd00', other: '\ufdd07', list: ['\ufdd01', 'a\ufdd0"\n'] }
  t.deepEqual(JSON.parse(String(toJson({ ...texts, value: 5n, more: new HexText(Uint8Array.of(1)) }))), {
    ...texts,
    value: 5,
    more: '0x01',
  })
})

test('property: without them it is JSON.stringify', t => {
  fc.assert(fc.property(fc.jsonValue(), value => t.is(toJson(value), JSON.stringify(value))))
})

test('property: with much hex it is the same text as bytes, in whatever stands around it', t => {
  const large = new HexText(Uint8Array.from({ length: 100_001 }, (_, at) => at * 7))
  const hex = toHex(large.bytes)
  fc.assert(
    fc.property(fc.jsonValue(), fc.bigInt(), fc.string(), (value, number, text) => {
      const written = toJson({ text, large, value, mark: `\ufdd0${text}`, list: [number, large] }, '[', ']')
      t.true(Buffer.isBuffer(written))
      const list = `[${number},"${hex}"]`
      const expected = JSON.stringify({ text, large: hex, value, mark: `\ufdd0${text}` }).replace(
        /}$/,
        `,"list":${list}}`,
      )
      t.true(written.toString() === `[${expected}]`)
    }),
    { numRuns: 50 },
  )
})

test('what is joined is a text while all of it is', t => {
  t.is(joinedJson('[', '1', ']'), '[1]')
  t.deepEqual(joinedJson('["\u00e9",', Buffer.from('2'), ']'), Buffer.from('["\u00e9",2]'))
})
