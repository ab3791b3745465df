import test from 'ava'
import fc from 'fast-check'
import { HexText, toJson } from '../../src/rpc/json-writer.ts'

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
  t.deepEqual(JSON.parse(toJson({ ...texts, value: 5n, more: new HexText(Uint8Array.of(1)) })), {
    ...texts,
    value: 5,
    more: '0x01',
  })
})

test('property: without them it is JSON.stringify', t => {
  fc.assert(fc.property(fc.jsonValue(), value => t.is(toJson(value), JSON.stringify(value))))
})
