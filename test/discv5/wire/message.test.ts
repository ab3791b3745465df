import test from 'ava'
import fc from 'fast-check'
import { splitRecords } from '../../../src/discv5/asking/responder.ts'
import {
  decodeMessage,
  encodeMessage,
  encodeTalkRequests,
  FINDNODE,
  type Message,
  NODES,
  PING,
  PONG,
  TALKREQ,
  TALKRESP,
} from '../../../src/discv5/wire/message.ts'

const bytes = (maxLength: number, minLength = 0): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength, maxLength })
const requestId = bytes(8)
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
/** An RLP list, which NODES accepts as a record. */
const record = bytes(50).map(content => Uint8Array.from([0xc0 + content.length, ...content]))

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constant(PING), requestId, enrSeq: uint64 }),
  fc.record({
    type: fc.constant(PONG),
    requestId,
    enrSeq: uint64,
    ip: fc.oneof(bytes(4, 4), bytes(16, 16)),
    port: fc.integer({ min: 0, max: 65_535 }),
  }),
  fc.record({
    type: fc.constant(FINDNODE),
    requestId,
    distances: fc.array(fc.integer({ min: 0, max: 256 }), { maxLength: 257 }),
  }),
  fc.record({
    type: fc.constant(NODES),
    requestId,
    total: fc.integer({ min: 0, max: 100 }),
    records: fc.array(record, { maxLength: 20 }),
  }),
  fc.record({ type: fc.constant(TALKREQ), requestId, protocol: bytes(40), payload: bytes(1100) }),
  fc.record({ type: fc.constant(TALKRESP), requestId, payload: bytes(1100) }),
) as fc.Arbitrary<Message>

test('every message decodes to itself', t => {
  fc.assert(
    fc.property(message, sent => {
      const decoded = decodeMessage(encodeMessage(sent))
      t.deepEqual(decoded.ok ? decoded.value : decoded, sent)
    }),
  )
})

test('any bytes decode or are refused, and a message has one encoding', t => {
  const noise = fc
    .tuple(fc.integer({ min: 0, max: 12 }), bytes(120))
    .map(([type, rest]) => Uint8Array.from([type, ...rest]))
  const damaged = fc.tuple(message, fc.nat(), fc.nat({ max: 255 })).map(([sent, at, value]) => {
    const encoded = encodeMessage(sent)
    encoded[at % encoded.length] = value
    return encoded
  })
  fc.assert(
    fc.property(fc.oneof(noise, damaged), received => {
      const decoded = decodeMessage(received)
      if (decoded.ok) t.deepEqual(encodeMessage(decoded.value), received)
      else t.is(decoded.code, 'MESSAGE_MALFORMED')
    }),
    { numRuns: 500 },
  )
})

for (const [reason, text] of [
  ['no bytes', ''],
  ['an unknown type', '0bc0'],
  ['a topic message', '07c0'],
  ['a request id of 9 bytes', '01cb8900000000000000000001'],
  ['a field too many', '01c3010101'],
  ['a field too few', '01c101'],
  ['bytes behind the list', '01c2010100'],
  ['a seq with a leading zero', '01c401820001'],
  ['a seq of 9 bytes', '01cb0189010000000000000000'],
  ['a PONG with an address of 5 bytes', '02cb010185010203040582765f'],
  ['a PONG with a port of 3 bytes', '02cb01018401020304830100ff'],
  ['a distance above 256', '03c501c3820101'],
  ['a NODES with a string for a record', '04c40101c101'],
] as const) {
  test(`refused: ${reason}`, t => {
    t.like(decodeMessage(Buffer.from(text, 'hex')), { ok: false, code: 'MESSAGE_MALFORMED' })
  })
}

test('records are split so that every NODES fits into a packet, and none is lost', t => {
  fc.assert(
    fc.property(fc.array(bytes(300, 60), { maxLength: 16 }), records => {
      const parts = splitRecords(records)
      t.deepEqual(parts.flat(), records)
      // 1,280 bytes minus IV, header and tag.
      const encoded = parts.map(part => {
        const lists = part.map(({ length }) =>
          Uint8Array.from([0xf8 + (length > 255 ? 1 : 0), ...new Uint8Array(length - 1)]),
        )
        return encodeMessage({ type: NODES, requestId: new Uint8Array(8), total: parts.length, records: lists })
      })
      for (const { length } of encoded) t.true(length <= 1193)
      t.true(parts.length <= 6)
    }),
  )
})

test('TALKREQs in one buffer equal those encoded alone', t => {
  fc.assert(
    fc.property(bytes(10), fc.array(fc.tuple(bytes(8), bytes(300)), { maxLength: 10 }), (protocol, requests) => {
      const ids = requests.map(([id]) => id)
      const encoded = encodeTalkRequests(
        () => ids.shift()!,
        protocol,
        requests.map(([, payload]) => payload),
      )
      const alone = requests.map(([requestId, payload]) =>
        encodeMessage({ type: TALKREQ, requestId, protocol, payload }),
      )
      t.deepEqual(encoded, alone)
    }),
  )
})
