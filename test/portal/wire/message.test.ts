import {
  BitArray,
  BitListType,
  ByteListType,
  ByteVectorType,
  ContainerType,
  ListBasicType,
  ListCompositeType,
  UintBigintType,
  UintNumberType,
  UnionType,
} from '@chainsafe/ssz'
import test from 'ava'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { unwrap } from '../../../src/errors.ts'
import { recordBytes } from '../../../src/identity/node-record.ts'
import {
  decodeMessage,
  encodeMessage,
  MAX_INLINE_BYTES,
  MAX_TALK_REQUEST_BYTES,
  MAX_TALK_RESPONSE_BYTES,
  type PortalMessage,
} from '../../../src/portal/wire/message.ts'

const bytes = (hex: string): Uint8Array => unwrap(fromHex(hex))

const ENR1 =
  'enr:-HW4QBzimRxkmT18hMKaAL3IcZF1UcfTMPyi3Q1pxwZZbcZVRI8DC5infUAB_UauARLOJtYTxaagKoGmIjzQxO2qUygBgmlkgnY0iXNlY3AyNTZrMaEDymNMrg1JrLQB2KTGtv6MVbcNEVv0AHacwUAPMljNMTg'
const ENR2 =
  'enr:-HW4QNfxw543Ypf4HXKXdYxkyzfcxcO-6p9X986WldfVpnVTQX1xlTnWrktEWUbeTZnmgOuAY_KUhbVV1Ft98WoYUBMBgmlkgnY0iXNlY3AyNTZrMaEDDiy3QkHAxPyOgWbxp5oF1bDdlYE6dLCUUp8xfVw50jU'
const TWO_RECORDS =
  '080000007f000000f875b8401ce2991c64993d7c84c29a00bdc871917551c7d330fca2dd0d69c706596dc655448f030b98a77d4001fd46ae0112ce26d613c5a6a02a81a6223cd0c4edaa53280182696482763489736563703235366b31a103ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138f875b840d7f1c39e376297f81d7297758c64cb37dcc5c3beea9f57f7ce9695d7d5a67553417d719539d6ae4b445946de4d99e680eb8063f29485b555d45b7df16a1850130182696482763489736563703235366b31a1030e2cb74241c0c4fc8e8166f1a79a05d5b0dd95813a74b094529f317d5c39d235'
const records = [ENR1, ENR2].map(text => unwrap(recordBytes(text)))

// portal-wire-test-vectors.md, and of nimbus' test_portal_wire_encoding.nim what it has beyond them.
const vectors: readonly (readonly [string, PortalMessage, string])[] = [
  [
    'Ping with a payload of no known type (nimbus)',
    { type: 'ping', enrSeq: 1n, payloadType: 42, payload: bytes('0x01020304') },
    '0x0001000000000000002a000e00000001020304',
  ],
  [
    'Pong with a payload of no known type (nimbus)',
    { type: 'pong', enrSeq: 1n, payloadType: 42, payload: bytes('0x01020304') },
    '0x0101000000000000002a000e00000001020304',
  ],
  ['Find Nodes', { type: 'find-nodes', distances: [256, 255] }, '0x02040000000001ff00'],
  ['Nodes, empty', { type: 'nodes', total: 1, records: [] }, '0x030105000000'],
  ['Nodes, two records', { type: 'nodes', total: 1, records }, `0x030105000000${TWO_RECORDS}`],
  ['Find Content', { type: 'find-content', key: bytes('0x706f7274616c') }, '0x0404000000706f7274616c'],
  ['Content, connection id', { type: 'content', kind: 'connection-id', connectionId: 0x0102 }, '0x05000102'],
  [
    'Content, inline',
    { type: 'content', kind: 'inline', content: bytes('0x7468652063616b652069732061206c6965') },
    '0x05017468652063616b652069732061206c6965',
  ],
  ['Content, two records', { type: 'content', kind: 'records', records }, `0x0502${TWO_RECORDS}`],
  ['Content, no records (nimbus)', { type: 'content', kind: 'records', records: [] }, '0x0502'],
  ['Offer', { type: 'offer', keys: [bytes('0x010203')] }, '0x060400000004000000010203'],
  [
    'Accept',
    { type: 'accept', connectionId: 0x0102, codes: Uint8Array.of(0, 1, 2, 3, 4, 5, 1, 1) },
    '0x070102060000000001020304050101',
  ],
]

for (const [name, message, hex] of vectors) {
  test(`wire vector: ${name}`, t => {
    t.is(toHex(encodeMessage(message, 1)), hex)
    t.deepEqual(decodeMessage(bytes(hex), 1), { ok: true, value: message })
  })
}

test('version 0: ACCEPT carries a bit list, and reads as codes 0 and 1', t => {
  // Bits 1 0 0 0 0 0 0 0, then the bit that ends the list: the example of the specification before version 1.
  const encoded = encodeMessage(
    { type: 'accept', connectionId: 0x0102, codes: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 200) },
    0,
  )
  t.is(toHex(encoded), '0x070102060000000101')
  const decoded = unwrap(decodeMessage(encoded, 0))
  t.deepEqual(decoded, { type: 'accept', connectionId: 0x0102, codes: Uint8Array.of(0, 1, 1, 1, 1, 1, 1, 1) })
})

test('the sizes are those of nimbus: a TALKRESP of 1,177 bytes, content of 1,175 bytes inline', t => {
  // nim-eth: 1280 - 87 (ordinary packet) - 16 (talkresp); portal_protocol.nim: less 2.
  t.is(MAX_TALK_RESPONSE_BYTES, 1280 - 87 - 16)
  t.is(MAX_INLINE_BYTES, 1175)
  t.is(MAX_TALK_REQUEST_BYTES, 1174)
  const inline = encodeMessage({ type: 'content', kind: 'inline', content: new Uint8Array(MAX_INLINE_BYTES) }, 2)
  t.is(inline.length, MAX_TALK_RESPONSE_BYTES)
})

// ── The reference: @chainsafe/ssz ──────────────────────────────────────────────────────────────────────────────────

const byteLists = (limit: number) => new ListCompositeType(new ByteListType(2048), limit)
const pingType = new ContainerType({
  enrSeq: new UintBigintType(8),
  payloadType: new UintNumberType(2),
  payload: new ByteListType(1100),
})
const contentType = new UnionType([new ByteVectorType(2), new ByteListType(2048), byteLists(32)])
const reference = new UnionType([
  pingType,
  pingType,
  new ContainerType({ distances: new ListBasicType(new UintNumberType(2), 256) }),
  new ContainerType({ total: new UintNumberType(1), records: byteLists(32) }),
  new ContainerType({ key: new ByteListType(2048) }),
  contentType,
  new ContainerType({ keys: byteLists(64) }),
  new ContainerType({ connectionId: new ByteVectorType(2), codes: new ByteListType(64) }),
])
const legacyAccept = new ContainerType({ connectionId: new ByteVectorType(2), codes: new BitListType(64) })

/** Our message as the reference has it. */
function toReference(message: PortalMessage): { selector: number; value: unknown } {
  const id = (connectionId: number) => Uint8Array.of(connectionId >> 8, connectionId & 0xff)
  switch (message.type) {
    case 'ping':
    case 'pong': {
      const { enrSeq, payloadType, payload } = message
      return { selector: message.type === 'ping' ? 0 : 1, value: { enrSeq, payloadType, payload } }
    }
    case 'find-nodes':
      return { selector: 2, value: { distances: [...message.distances] } }
    case 'nodes':
      return { selector: 3, value: { total: message.total, records: [...message.records] } }
    case 'find-content':
      return { selector: 4, value: { key: message.key } }
    case 'content': {
      if (message.kind === 'connection-id')
        return { selector: 5, value: { selector: 0, value: id(message.connectionId) } }
      if (message.kind === 'inline') return { selector: 5, value: { selector: 1, value: message.content } }
      return { selector: 5, value: { selector: 2, value: [...message.records] } }
    }
    case 'offer':
      return { selector: 6, value: { keys: [...message.keys] } }
    case 'accept':
      return { selector: 7, value: { connectionId: id(message.connectionId), codes: message.codes } }
  }
}

function referenceReads(encoded: Uint8Array): boolean {
  try {
    const { selector, value } = reference.deserialize(encoded) as { selector: number; value: { distances?: number[] } }
    if (selector !== 2) return true
    // What SSZ does not say: a distance is at most 256 and stands once.
    const distances = value.distances ?? []
    return distances.every(distance => distance <= 256) && new Set(distances).size === distances.length
  } catch {
    return false
  }
}

const short = fc.uint8Array({ maxLength: 40 })
const item = fc.oneof(
  { weight: 20, arbitrary: short },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 2040, maxLength: 2048 }) },
)
const uint16 = fc.integer({ min: 0, max: 0xffff })
const messages: fc.Arbitrary<PortalMessage> = fc.oneof(
  fc.record({
    type: fc.constantFrom('ping' as const, 'pong' as const),
    enrSeq: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    payloadType: uint16,
    payload: fc.uint8Array({ maxLength: 1100 }),
  }),
  fc.record({
    type: fc.constant('find-nodes' as const),
    distances: fc.uniqueArray(fc.integer({ min: 0, max: 256 }), { maxLength: 256 }),
  }),
  fc.record({
    type: fc.constant('nodes' as const),
    total: fc.integer({ min: 0, max: 255 }),
    records: fc.array(item, { maxLength: 32 }),
  }),
  fc.record({ type: fc.constant('find-content' as const), key: item }),
  fc.record({
    type: fc.constant('content' as const),
    kind: fc.constant('connection-id' as const),
    connectionId: uint16,
  }),
  fc.record({ type: fc.constant('content' as const), kind: fc.constant('inline' as const), content: item }),
  fc.record({
    type: fc.constant('content' as const),
    kind: fc.constant('records' as const),
    records: fc.array(item, { maxLength: 32 }),
  }),
  fc.record({ type: fc.constant('offer' as const), keys: fc.array(item, { maxLength: 64 }) }),
  fc.record({
    type: fc.constant('accept' as const),
    connectionId: uint16,
    codes: fc.uint8Array({ maxLength: 64 }),
  }),
)

test('any message: what is encoded is what the reference encodes, and decodes to itself', t => {
  fc.assert(
    fc.property(messages, fc.constantFrom(1, 2), (message, version) => {
      const encoded = encodeMessage(message, version)
      t.deepEqual(encoded, reference.serialize(toReference(message) as never))
      t.deepEqual(decodeMessage(encoded, version), { ok: true, value: message })
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('any ACCEPT of version 0 is a bit list of the reference', t => {
  fc.assert(
    fc.property(fc.uint8Array({ max: 7, maxLength: 64 }), uint16, (codes, connectionId) => {
      const encoded = encodeMessage({ type: 'accept', connectionId, codes }, 0)
      const id = Uint8Array.of(connectionId >> 8, connectionId & 0xff)
      const bits = BitArray.fromBoolArray([...codes].map(code => code === 0))
      t.deepEqual(encoded.subarray(1), legacyAccept.serialize({ connectionId: id, codes: bits }))
      const decoded = unwrap(decodeMessage(encoded, 0))
      t.deepEqual(decoded, { type: 'accept', connectionId, codes: codes.map(code => (code === 0 ? 0 : 1)) })
    }),
    { numRuns: 200 },
  )
})

test('any bytes: never throws; refused with a reason exactly where the reference refuses', t => {
  const mutated = fc
    .tuple(
      messages,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
      fc.integer({ min: -3, max: 3 }),
    )
    .map(([message, changes, resize]) => {
      const encoded = encodeMessage(message, 1)
      const resized = new Uint8Array(Math.max(0, encoded.length + resize))
      resized.set(encoded.subarray(0, resized.length))
      // Near the front, where selectors and offsets stand.
      for (const [at, value] of changes) if (resized.length > 0) resized[at % Math.min(resized.length, 24)] = value
      return resized
    })
  let accepted = 0
  let refusals = 0
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 64 })), encoded => {
      const decoded = decodeMessage(encoded, 1)
      if (decoded.ok) accepted += 1
      else refusals += 1
      t.is(decoded.ok, referenceReads(encoded), `${toHex(encoded)} ${decoded.ok ? '' : decoded.detail}`)
      if (decoded.ok) t.deepEqual(encodeMessage(decoded.value, 1), encoded)
      else t.regex(decoded.detail, /^[a-z-]+$/)
    }),
    { numRuns: 3_000 },
  )
  t.true(accepted > 100 && refusals > 100, `${accepted} accepted, ${refusals} refused`)
})

const malformed: readonly (readonly [string, string, number, string])[] = [
  ['nothing', '0x', 1, 'empty'],
  ['selector 8', '0x08', 1, 'selector'],
  ['ping cut short', '0x00010000', 1, 'truncated'],
  ['ping whose payload begins elsewhere', '0x0001000000000000002a000f00000001020304', 1, 'offset'],
  ['a distance of 257', '0x02040000000101', 1, 'distance'],
  ['a distance twice', '0x0204000000ff00ff00', 1, 'distance'],
  ['half a distance', '0x0204000000ff', 1, 'length'],
  ['offsets that go back', '0x03010500000008000000070000000000', 1, 'offset'],
  ['a first offset that is no table', '0x03010500000003000000', 1, 'offset'],
  ['33 records', `0x030105000000${'84000000'.repeat(33)}`, 1, 'list-too-long'],
  ['a connection id of three bytes', '0x0500010203', 1, 'length'],
  ['content of no kind', '0x05', 1, 'truncated'],
  ['content of kind 3', '0x0503', 1, 'selector'],
  ['65 accept codes', `0x07010206000000${'00'.repeat(65)}`, 1, 'list-too-long'],
  ['a bit list without its end', '0x070102060000000100', 0, 'bitlist'],
  ['an empty bit list', '0x07010206000000', 0, 'bitlist'],
  ['65 accept bits', `0x07010206000000${'00'.repeat(8)}02`, 0, 'list-too-long'],
]

for (const [name, hex, version, reason] of malformed) {
  test(`refused: ${name}`, t => {
    const decoded = decodeMessage(bytes(hex), version)
    t.false(decoded.ok)
    t.is(decoded.ok ? '' : decoded.detail, reason)
  })
}
