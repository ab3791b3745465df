import test from 'ava'
import fc from 'fast-check'
import { encodePacket, ST_DATA, ST_FIN, ST_RESET, ST_STATE, ST_SYN } from '../../src/utp/wire/packet.ts'
import { patterned, VirtualLink } from '../testing/utp/virtual-link.ts'

const CONNECTION_ID = 4711

/** Packets that look like those of the stream, with numbers near the right ones and far from them. */
const forged = fc
  .record({
    type: fc.constantFrom(ST_DATA, ST_FIN, ST_STATE, ST_SYN),
    connectionId: fc.constantFrom(CONNECTION_ID, CONNECTION_ID + 1, 5),
    timestamp: fc.nat(0xffff_ffff),
    timestampDifference: fc.nat(0xffff_ffff),
    windowBytes: fc.constantFrom(0, 1, 1000, 1 << 20, 0xffff_ffff),
    sequence: fc.oneof(fc.integer({ min: 95, max: 130 }), fc.nat(0xffff)),
    acknowledged: fc.oneof(fc.integer({ min: 95, max: 130 }), fc.nat(0xffff)),
    selectiveAck: fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 }), { nil: undefined }),
    payload: fc.uint8Array({ maxLength: 50 }),
  })
  .map(packet => encodePacket(packet))

test('with any packets, nothing throws, no buffer exceeds its limit, and the stream ends', t => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(forged, fc.uint8Array({ maxLength: 60 })), fc.boolean(), fc.nat(40)), {
        maxLength: 80,
      }),
      fc.nat(1000),
      (attacks, seed) => {
        const link = new VirtualLink({
          seed,
          conditions: { latencyMs: 5, loss: 0.05 },
          firstSequence: 100,
          limits: { totalTimeoutMs: 60_000, receiveBufferBytes: 20_000 },
        }).open()
        link.input(link.initiator, { type: 'write', bytes: patterned(30_000) })
        for (const [packet, towardsInitiator, afterMs] of attacks) {
          link.inject(towardsInitiator ? 'initiator' : 'acceptor', packet)
          link.run({ forMs: afterMs })
          for (const end of [link.initiator, link.acceptor]) {
            const { unreadBytes, inFlightBytes, outOfOrderPackets } = end.connection.snapshot()
            t.true(unreadBytes >= 0 && unreadBytes <= 40_000)
            t.true(inFlightBytes >= 0 && inFlightBytes <= 30_000)
            t.true(outOfOrderPackets >= 0 && outOfOrderPackets <= 1024)
          }
        }
        link.input(link.initiator, { type: 'finish' })
        link.run()
        t.not(link.initiator.closed, undefined)
        t.not(link.acceptor.closed, undefined)
        t.is(link.initiator.outputs.filter(type => type === 'closed').length, 1)
      },
    ),
    { numRuns: 150 },
  )
})

test('junk alone never opens a waiting stream', t => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), list => {
      const link = new VirtualLink({ conditions: { latencyMs: 1 } })
      link.input(link.acceptor, { type: 'open' })
      const others = list.filter(
        bytes =>
          !(bytes.length >= 20 && ((bytes[0] as number) >> 4 === ST_SYN || (bytes[0] as number) >> 4 === ST_RESET)),
      )
      link.input(link.acceptor, { type: 'packets', packets: others })
      t.is(link.acceptor.connection.state, 'awaiting-syn')
    }),
  )
})
