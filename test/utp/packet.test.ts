import test from 'ava'
import fc from 'fast-check'
import {
  decodePacket,
  encodePacket,
  HEADER_BYTES,
  type Packet,
  PacketView,
  routeOf,
  ST_DATA,
  ST_FIN,
  ST_RESET,
  ST_STATE,
  ST_SYN,
} from '../../src/utp/wire/packet.ts'

/** portal-network-specs, utp/utp-wire-test-vectors.md: all of them. */
const vectors: readonly { readonly name: string; readonly bytes: string; readonly packet: Packet }[] = [
  {
    name: 'SYN',
    bytes: '41002741c9b699ba00000000001000002e6c0000',
    packet: {
      type: ST_SYN,
      connectionId: 10049,
      timestamp: 3384187322,
      timestampDifference: 0,
      windowBytes: 1048576,
      sequence: 11884,
      acknowledged: 0,
      selectiveAck: undefined,
      payload: new Uint8Array(0),
    },
  },
  {
    name: 'ack without extension',
    bytes: '21002741005e885e36a7e8830010000041a72e6d',
    packet: {
      type: ST_STATE,
      connectionId: 10049,
      timestamp: 6195294,
      timestampDifference: 916973699,
      windowBytes: 1048576,
      sequence: 16807,
      acknowledged: 11885,
      selectiveAck: undefined,
      payload: new Uint8Array(0),
    },
  },
  {
    name: 'ack with selective ack',
    bytes: '21012741005e885e36a7e8830010000041a72e6d000401000080',
    packet: {
      type: ST_STATE,
      connectionId: 10049,
      timestamp: 6195294,
      timestampDifference: 916973699,
      windowBytes: 1048576,
      sequence: 16807,
      acknowledged: 11885,
      selectiveAck: Uint8Array.of(1, 0, 0, 128),
      payload: new Uint8Array(0),
    },
  },
  {
    name: 'DATA',
    bytes: '0100667d0f0cbacf0e710cbf00100000208e41a600010203040506070809',
    packet: {
      type: ST_DATA,
      connectionId: 26237,
      timestamp: 252492495,
      timestampDifference: 242289855,
      windowBytes: 1048576,
      sequence: 8334,
      acknowledged: 16806,
      selectiveAck: undefined,
      payload: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    },
  },
  {
    name: 'FIN',
    bytes: '11004a3b1eb5be8f1e7c94d100100000a05a41a6',
    packet: {
      type: ST_FIN,
      connectionId: 19003,
      timestamp: 515227279,
      timestampDifference: 511481041,
      windowBytes: 1048576,
      sequence: 41050,
      acknowledged: 16806,
      selectiveAck: undefined,
      payload: new Uint8Array(0),
    },
  },
  {
    name: 'RESET',
    bytes: '3100f34d2cc6cfbb0000000000000000d87541a7',
    packet: {
      type: ST_RESET,
      connectionId: 62285,
      timestamp: 751226811,
      timestampDifference: 0,
      windowBytes: 0,
      sequence: 55413,
      acknowledged: 16807,
      selectiveAck: undefined,
      payload: new Uint8Array(0),
    },
  },
]

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

for (const { name, bytes, packet } of vectors)
  test(`official vector, both ways: ${name}`, t => {
    const decoded = decodePacket(bytesOf(bytes))
    t.deepEqual(decoded, { ok: true, value: packet })
    t.is(hexOf(encodePacket(packet)), bytes)
    t.is(routeOf(bytesOf(bytes)), (packet.type << 16) | packet.connectionId)
  })

const packets: fc.Arbitrary<Packet> = fc.record({
  type: fc.constantFrom(ST_DATA, ST_FIN, ST_STATE, ST_RESET, ST_SYN),
  connectionId: fc.nat(0xffff),
  timestamp: fc.nat(0xffff_ffff),
  timestampDifference: fc.nat(0xffff_ffff),
  windowBytes: fc.nat(0xffff_ffff),
  sequence: fc.nat(0xffff),
  acknowledged: fc.nat(0xffff),
  selectiveAck: fc.option(
    fc.integer({ min: 1, max: 32 }).chain(words => fc.uint8Array({ minLength: 4 * words, maxLength: 4 * words })),
    { nil: undefined },
  ),
  payload: fc.uint8Array({ maxLength: 1200 }),
})

test('every packet decodes to what was encoded', t => {
  fc.assert(
    fc.property(packets, packet => {
      const decoded = decodePacket(encodePacket(packet))
      t.deepEqual(decoded, { ok: true, value: packet })
    }),
  )
})

test('any bytes decode or are refused with a reason, and nothing throws', t => {
  const view = new PacketView()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(4), fc.boolean(), (bytes, type, shaped) => {
      if (shaped && bytes.length > 1) {
        bytes[0] = (type << 4) | 1
        bytes[1] = (bytes[1] as number) % 3
      }
      const decoded = decodePacket(bytes)
      const fault = view.read(bytes)
      t.is(decoded.ok, fault === undefined)
      // The router lets through everything that a stream could read.
      if (decoded.ok) t.is(routeOf(bytes), (decoded.value.type << 16) | decoded.value.connectionId)
    }),
    { numRuns: 1000 },
  )
})

const head = '21012741005e885e36a7e8830010000041a72e6d'
const refusals: readonly [name: string, bytes: string, reason: RegExp][] = [
  ['19 bytes', '41002741c9b699ba00000000001000002e6c00', /header of 20 bytes, got 19/],
  ['version 0', '40002741c9b699ba00000000001000002e6c0000', /version 1, got 0/],
  ['version 2', '42002741c9b699ba00000000001000002e6c0000', /version 1, got 2/],
  ['type 5', '51002741c9b699ba00000000001000002e6c0000', /type from 0 to 4, got 5/],
  ['an extension without a head', head, /head of extension 1/],
  ['an extension that goes beyond the end', `${head}000801000080`, /expected 8 bytes of extension 1, got 4/],
  ['a bitmask of 3 bytes', `${head}0003010000`, /steps of 4, got 3/],
  ['a bitmask of 0 bytes', `${head}0000`, /steps of 4, got 0/],
  ['a bitmask of 132 bytes', `${head}0084${'00'.repeat(132)}`, /4 to 128 bytes in steps of 4, got 132/],
  ['two bitmasks', `${head}0104000000000004ffffffff`, /one selective ack, got two/],
  [
    'a chain of five extensions',
    `21022741005e885e36a7e8830010000041a72e6d${'0200'.repeat(4)}0000`,
    /at most 4 extensions/,
  ],
]
for (const [name, bytes, reason] of refusals)
  test(`refused: ${name}`, t => {
    const decoded = decodePacket(bytesOf(bytes))
    t.false(decoded.ok)
    if (!decoded.ok) {
      t.is(decoded.code, 'UTP_PACKET_MALFORMED')
      t.regex(decoded.detail, reason)
    }
  })

test('an unknown extension is passed over, and the bitmask behind it is found', t => {
  const decoded = decodePacket(bytesOf('21072741005e885e36a7e8830010000041a72e6d0102aabb000401000080cc'))
  t.true(decoded.ok)
  if (decoded.ok) {
    t.deepEqual(decoded.value.selectiveAck, Uint8Array.of(1, 0, 0, 128))
    t.deepEqual(decoded.value.payload, Uint8Array.of(0xcc))
  }
  t.is(HEADER_BYTES, 20)
})
