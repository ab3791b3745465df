import { ByteListType, ContainerType, ListBasicType, UintBigintType, UintNumberType } from '@chainsafe/ssz'
import test from 'ava'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { unwrap } from '../../../src/errors.ts'
import { decodeMessage, encodeMessage } from '../../../src/portal/wire/message.ts'
import { decodePingPayload, encodePingPayload, type PingPayload } from '../../../src/portal/wire/ping-extension.ts'

const RADIUS = 2n ** 256n - 2n
const CLIENT = 'trin/v0.1.1-b61fdc5c/linux-x86_64/rustc1.81.0'
const ALMOST_ALL = `fe${'ff'.repeat(31)}`
const capabilities = [0, 1, 65535]

// ping-extensions/extensions/type-0.md, type-1.md, type-65535.md; also in nimbus' test_ping_extensions_encoding.nim.
const vectors: readonly (readonly [string, 'ping' | 'pong', PingPayload, string])[] = [
  ...(['ping', 'pong'] as const).flatMap(type => {
    const selector = type === 'ping' ? '00' : '01'
    return [
      [
        `type 0 with client info`,
        type,
        { payloadType: 0, clientInfo: CLIENT, radius: RADIUS, capabilities },
        `0x${selector}010000000000000000000e00000028000000${ALMOST_ALL}550000007472696e2f76302e312e312d62363166646335632f6c696e75782d7838365f36342f7275737463312e38312e3000000100ffff`,
      ],
      [
        `type 0 without client info`,
        type,
        { payloadType: 0, clientInfo: '', radius: RADIUS, capabilities },
        `0x${selector}010000000000000000000e00000028000000${ALMOST_ALL}2800000000000100ffff`,
      ],
      ['type 1', type, { payloadType: 1, radius: RADIUS }, `0x${selector}010000000000000001000e000000${ALMOST_ALL}`],
    ] as const
  }),
  [
    'type 65535',
    'pong',
    { payloadType: 65535, errorCode: 2, message: 'hello world' },
    '0x010100000000000000ffff0e00000002000600000068656c6c6f20776f726c64',
  ],
]

for (const [name, type, payload, hex] of vectors) {
  test(`ping extension vector: ${type}, ${name}`, t => {
    const { payloadType } = payload
    const encoded = encodeMessage({ type, enrSeq: 1n, payloadType, payload: encodePingPayload(payload) }, 2)
    t.is(toHex(encoded), hex)
    const message = unwrap(decodeMessage(unwrap(fromHex(hex)), 2))
    if (message.type !== 'ping' && message.type !== 'pong') return t.fail()
    t.is(message.enrSeq, 1n)
    t.deepEqual(unwrap(decodePingPayload(message.payloadType, message.payload)), payload)
  })
}

test('type 2 of the legacy history network is a type that we do not speak', t => {
  const decoded = decodePingPayload(2, new Uint8Array(34))
  t.is(decoded.ok ? '' : decoded.code, 'PORTAL_PAYLOAD_UNSUPPORTED')
})

test('text is cut at its limit, between characters', t => {
  const payload = encodePingPayload({ payloadType: 0, clientInfo: 'é'.repeat(150), radius: 0n, capabilities: [] })
  const decoded = unwrap(decodePingPayload(0, payload))
  t.is(decoded.payloadType === 0 ? decoded.clientInfo : '', 'é'.repeat(100))
})

const uint16 = fc.integer({ min: 0, max: 0xffff })
const radius = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
const payloads: fc.Arbitrary<PingPayload> = fc.oneof(
  fc.record({
    payloadType: fc.constant(0 as const),
    clientInfo: fc.string({ maxLength: 50, unit: 'grapheme' }),
    radius,
    capabilities: fc.array(uint16, { maxLength: 400 }),
  }),
  fc.record({ payloadType: fc.constant(1 as const), radius }),
  fc.record({
    payloadType: fc.constant(65535 as const),
    errorCode: uint16,
    message: fc.string({ maxLength: 75, unit: 'grapheme' }),
  }),
)

test('any payload decodes to itself', t => {
  fc.assert(
    fc.property(payloads, payload => {
      const info = payload.payloadType === 0 ? payload.clientInfo : payload.payloadType === 1 ? '' : payload.message
      fc.pre(new TextEncoder().encode(info).length <= (payload.payloadType === 0 ? 200 : 300))
      t.deepEqual(decodePingPayload(payload.payloadType, encodePingPayload(payload)), { ok: true, value: payload })
    }),
    { numRuns: 300 },
  )
})

const reference = {
  0: new ContainerType({
    clientInfo: new ByteListType(200),
    radius: new UintBigintType(32),
    capabilities: new ListBasicType(new UintNumberType(2), 400),
  }),
  1: new ContainerType({ radius: new UintBigintType(32) }),
  65535: new ContainerType({ errorCode: new UintNumberType(2), message: new ByteListType(300) }),
}

test('any bytes as any payload: never throws, refused exactly where the reference refuses', t => {
  const types = fc.constantFrom(0 as const, 1 as const, 65535 as const)
  const mutated = fc
    .tuple(
      payloads,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 2 }),
      fc.integer({ min: -2, max: 2 }),
    )
    .map(([payload, changes, resize]) => {
      const encoded = encodePingPayload(payload)
      const resized = new Uint8Array(Math.max(0, encoded.length + resize))
      resized.set(encoded.subarray(0, resized.length))
      for (const [at, value] of changes) if (resized.length > 0) resized[at % Math.min(resized.length, 40)] = value
      return [payload.payloadType, resized] as const
    })
  let refusals = 0
  fc.assert(
    fc.property(fc.oneof(mutated, fc.tuple(types, fc.uint8Array({ maxLength: 80 }))), ([type, encoded]) => {
      const decoded = decodePingPayload(type, encoded)
      let expected = true
      try {
        reference[type].deserialize(encoded)
      } catch {
        expected = false
      }
      if (!decoded.ok) refusals += 1
      t.is(decoded.ok, expected, `${type} ${toHex(encoded)} ${decoded.ok ? '' : decoded.detail}`)
    }),
    { numRuns: 2_000 },
  )
  t.true(refusals > 100)
})
