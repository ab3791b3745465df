import test from 'ava'
import fc from 'fast-check'
import { seededRandomness } from 'spimpl-runtime'
import {
  type StreamPeer,
  Streams,
  type StreamsInput,
  type StreamsLimits,
  type StreamsOutput,
} from '../../src/utp/utp.ts'
import {
  decodePacket,
  encodePacket,
  type Packet,
  ST_DATA,
  ST_FIN,
  ST_RESET,
  ST_STATE,
  ST_SYN,
} from '../../src/utp/wire/packet.ts'

interface Peer extends StreamPeer {
  readonly name: string
}
const alice: Peer = { nodeIdHex: `0x${'aa'.repeat(32)}`, name: 'alice' }
const bob: Peer = { nodeIdHex: `0x${'bb'.repeat(32)}`, name: 'bob' }

function table(limits: Partial<StreamsLimits> = {}) {
  const streams = new Streams<Peer>({ randomness: seededRandomness(1), limits })
  let clock = 0
  const handle = (input: StreamsInput<Peer>, now = clock): StreamsOutput<Peer>[] => {
    const outputs: StreamsOutput<Peer>[] = []
    clock = now
    streams.handle(input, now, output => outputs.push(output))
    return outputs
  }
  const packets = (peer: Peer, list: readonly Uint8Array[], now = clock): StreamsOutput<Peer>[] =>
    handle({ type: 'packets', peer, packets: list }, now)
  return { streams, handle, packets }
}

function packet(type: Packet['type'], connectionId: number, sequence = 7): Uint8Array {
  return encodePacket({
    type,
    connectionId,
    timestamp: 1,
    timestampDifference: 1,
    windowBytes: 1,
    sequence,
    acknowledged: 3,
    payload: new Uint8Array(type === ST_DATA ? 10 : 0),
  })
}

function sent(outputs: readonly StreamsOutput<Peer>[]): Packet[] {
  return outputs
    .flatMap(output => (output.type === 'send' ? output.packets : []))
    .map(bytes => {
      const decoded = decodePacket(bytes)
      if (!decoded.ok) throw new Error(decoded.detail)
      return decoded.value
    })
}

test('an expected SYN opens a stream and is delivered to it; later packets follow by our receiving id', t => {
  const { handle, packets } = table()
  t.deepEqual(handle({ type: 'expect', ref: 5, peer: alice, connectionId: 65_535 }), [])
  const syn = packet(ST_SYN, 65_535)
  const [opened, delivered, ...rest] = packets(alice, [syn])
  t.deepEqual(opened, { type: 'opened', ref: 5, stream: 1, peer: alice, connectionId: 65_535, initiated: false })
  t.deepEqual(delivered, { type: 'deliver', stream: 1, packets: [syn] })
  t.deepEqual(rest, [])
  // 65535 + 1 wraps to 0.
  const data = packet(ST_DATA, 0)
  t.deepEqual(packets(alice, [data]), [{ type: 'deliver', stream: 1, packets: [data] }])
  // A repeated SYN belongs to the same stream.
  t.deepEqual(packets(alice, [syn]), [{ type: 'deliver', stream: 1, packets: [syn] }])
})

test('initiate opens at once, and packets come with the id of the Portal message', t => {
  const { handle, packets } = table()
  t.deepEqual(handle({ type: 'initiate', ref: 9, peer: bob, connectionId: 300 }), [
    { type: 'opened', ref: 9, stream: 1, peer: bob, connectionId: 300, initiated: true },
  ])
  const state = packet(ST_STATE, 300)
  t.deepEqual(packets(bob, [state]), [{ type: 'deliver', stream: 1, packets: [state] }])
  t.is(sent(packets(alice, [state]))[0]?.type, ST_RESET)
})

test('packets of one input are grouped by stream, in their order', t => {
  const { handle, packets } = table()
  handle({ type: 'initiate', ref: 1, peer: alice, connectionId: 10 })
  handle({ type: 'initiate', ref: 2, peer: alice, connectionId: 20 })
  const a1 = packet(ST_DATA, 10, 1)
  const b1 = packet(ST_DATA, 20, 1)
  const a2 = packet(ST_DATA, 10, 2)
  t.deepEqual(packets(alice, [a1, b1, a2]), [
    { type: 'deliver', stream: 1, packets: [a1, a2] },
    { type: 'deliver', stream: 2, packets: [b1] },
  ])
})

test('a RESET finds its stream by either connection id', t => {
  const { handle, packets } = table()
  handle({ type: 'initiate', ref: 1, peer: alice, connectionId: 10 })
  handle({ type: 'expect', ref: 2, peer: alice, connectionId: 500 })
  packets(alice, [packet(ST_SYN, 500)])
  const deliver = (stream: number, bytes: Uint8Array) => [{ type: 'deliver', stream, packets: [bytes] }]
  for (const [id, stream] of [
    [10, 1],
    [11, 1],
    [501, 2],
    [500, 2],
  ] as const) {
    const reset = packet(ST_RESET, id)
    t.deepEqual(packets(alice, [reset]), deliver(stream, reset) as StreamsOutput<Peer>[])
  }
  t.deepEqual(packets(alice, [packet(ST_RESET, 900)]), [])
})

test('a packet of no stream is answered by a RESET that repeats its id; a RESET is not answered', t => {
  const { packets, streams } = table()
  const [reset] = sent(packets(alice, [packet(ST_DATA, 77, 1234)], 50))
  t.like(reset, { type: ST_RESET, connectionId: 77, acknowledged: 1234, windowBytes: 0, timestamp: 50_000 })
  t.deepEqual(packets(alice, [packet(ST_RESET, 77)]), [])
  t.deepEqual(packets(alice, [packet(ST_SYN, 78)], 50), [])
  t.deepEqual(packets(alice, [Uint8Array.of(1, 2, 3)]), [])
  t.is(streams.stats().unknown, 3)
  t.is(streams.stats().malformed, 1)
})

test('answers keep to their rate', t => {
  const { packets, streams } = table({ maxAnswersPerSecond: 15, maxAnswersOfPeerPerSecond: 10 })
  const unknown = Array.from({ length: 50 }, (_, index) => packet(ST_DATA, index))
  t.is(sent(packets(alice, unknown, 1000)).length, 10)
  t.is(sent(packets(bob, unknown, 1000)).length, 5, 'the share of one peer leaves the rest for others')
  t.is(sent(packets(alice, unknown, 2000)).length, 10)
  t.is(sent(packets(alice, unknown, 60_000)).length, 10)
  t.is(streams.stats().withheld, 165)
  t.is(streams.stats().answered, 35)
})

test('a stream of another node is not reached with its connection id', t => {
  const { handle, packets } = table()
  handle({ type: 'expect', ref: 1, peer: alice, connectionId: 10 })
  t.deepEqual(packets(bob, [packet(ST_SYN, 10)]), [])
  t.is(packets(alice, [packet(ST_SYN, 10)])[0]?.type, 'opened')
})

test('a SYN that overtakes its expectation waits for it', t => {
  const { streams, handle, packets } = table()
  const syn = packet(ST_SYN, 10)
  t.deepEqual(packets(alice, [syn], 100), [])
  t.is(streams.deadline(), 1100)
  t.deepEqual(
    handle({ type: 'expect', ref: 1, peer: alice, connectionId: 10 }, 600).map(({ type }) => type),
    ['opened', 'deliver'],
  )
  t.deepEqual(handle({ type: 'timeout' }, 1100), [])
})

test('an unexpected SYN is refused after a wait, and at once if there is no room', t => {
  const { handle, packets } = table({ maxAnswersPerSecond: 2000, maxAnswersOfPeerPerSecond: 2000 })
  const syns = Array.from({ length: 300 }, (_, index) => packet(ST_SYN, 2 * index))
  t.is(sent(packets(alice, syns, 0)).length, 300 - 128)
  t.is(sent(packets(alice, syns.slice(0, 128), 500)).length, 0)
  t.deepEqual(handle({ type: 'timeout' }, 999), [])
  t.is(sent(handle({ type: 'timeout' }, 1000)).length, 128)
  t.deepEqual(handle({ type: 'timeout' }, 5000), [])
  // Those of one peer take no room from another.
  packets(alice, syns, 6000)
  t.deepEqual(packets(bob, [packet(ST_SYN, 10)], 6000), [])
  t.is(handle({ type: 'expect', ref: 1, peer: bob, connectionId: 10 }, 6001)[0]?.type, 'opened')
  // All together have a limit too.
  handle({ type: 'timeout' }, 8000)
  const crowd = Array.from({ length: 20 }, (_, at) => ({
    nodeIdHex: `0x${String(at).padStart(64, '0')}`,
    name: `peer ${at}`,
  }))
  const refused = crowd.map(peer => sent(packets(peer, syns.slice(0, 100), 9000)).length)
  t.deepEqual(refused.slice(0, 10), new Array(10).fill(0))
  t.is(
    refused.reduce((sum, count) => sum + count),
    2000 - 1024,
  )
})

test('before its SYN, an expectation accepts no packets and answers none', t => {
  const { handle, packets } = table()
  handle({ type: 'expect', ref: 1, peer: alice, connectionId: 10 })
  t.deepEqual(packets(alice, [packet(ST_DATA, 11)]), [])
})

test('an expectation without a SYN expires, and a later SYN is refused', t => {
  const { streams, handle, packets } = table()
  handle({ type: 'expect', ref: 1, peer: alice, connectionId: 10, timeoutMs: 500 }, 1000)
  handle({ type: 'expect', ref: 2, peer: alice, connectionId: 20 }, 1000)
  t.is(streams.deadline(), 1500)
  t.deepEqual(handle({ type: 'timeout' }, 1499), [])
  t.deepEqual(handle({ type: 'timeout' }, 1500), [{ type: 'expired', ref: 1 }])
  t.is(streams.deadline(), 21_000)
  packets(alice, [packet(ST_SYN, 10)], 1600)
  t.is(sent(handle({ type: 'timeout' }, 2600))[0]?.type, ST_RESET)
  t.deepEqual(handle({ type: 'timeout' }, 21_000), [{ type: 'expired', ref: 2 }])
  t.is(streams.deadline(), Number.POSITIVE_INFINITY)
  t.is(streams.stats().expectations, 0)
})

test('a SYN at the moment of the expiry is too late', t => {
  const { handle, packets } = table()
  handle({ type: 'expect', ref: 1, peer: alice, connectionId: 10, timeoutMs: 500 }, 1000)
  t.deepEqual(
    packets(alice, [packet(ST_SYN, 10)], 1500).map(({ type }) => type),
    ['expired', 'send'],
  )
})

test('forget takes an expectation back', t => {
  const { handle, packets, streams } = table()
  handle({ type: 'expect', ref: 1, peer: alice, connectionId: 10 })
  t.deepEqual(handle({ type: 'forget', ref: 1 }), [])
  t.deepEqual(handle({ type: 'forget', ref: 1 }), [])
  packets(alice, [packet(ST_SYN, 10)])
  t.is(sent(handle({ type: 'timeout' }, 1000))[0]?.type, ST_RESET)
  t.is(streams.stats().expectations, 0)
})

test('a connection id that is in use with a node is refused, another node may have it', t => {
  const { handle } = table()
  handle({ type: 'initiate', ref: 1, peer: alice, connectionId: 10 })
  t.like(handle({ type: 'initiate', ref: 2, peer: alice, connectionId: 10 })[0], {
    type: 'refused',
    ref: 2,
    code: 'STREAM_ID_TAKEN',
  })
  // The acceptor's receiving id is one above: 9 would clash with the stream that receives with 10.
  t.like(handle({ type: 'expect', ref: 3, peer: alice, connectionId: 9 })[0], {
    type: 'refused',
    code: 'STREAM_ID_TAKEN',
  })
  t.deepEqual(handle({ type: 'expect', ref: 4, peer: alice, connectionId: 10 }), [])
  t.is(handle({ type: 'initiate', ref: 5, peer: bob, connectionId: 10 })[0]?.type, 'opened')
  t.like(handle({ type: 'initiate', ref: 6, peer: bob, connectionId: 70_000 })[0], { type: 'refused' })
})

test('limits of streams, in all and of one node, and of expectations', t => {
  const { handle, packets } = table({ maxStreams: 3, maxStreamsPerPeer: 2, maxExpectations: 2 })
  const initiate = (ref: number, peer: Peer) => handle({ type: 'initiate', ref, peer, connectionId: 10 * ref })[0]
  t.is(initiate(1, alice)?.type, 'opened')
  handle({ type: 'expect', ref: 2, peer: alice, connectionId: 200 })
  t.is(initiate(3, alice)?.type, 'opened')
  t.like(initiate(4, alice), { type: 'refused', code: 'STREAM_LIMIT' })
  const outputs = packets(alice, [packet(ST_SYN, 200)])
  t.like(outputs[0], { type: 'refused', ref: 2, code: 'STREAM_LIMIT' })
  t.is(sent(outputs)[0]?.type, ST_RESET)
  t.is(Buffer.from(sent(outputs)[0]!.payload).toString(), 'STREAM_LIMIT')
  t.is(initiate(5, bob)?.type, 'opened')
  t.like(initiate(6, bob), { type: 'refused', code: 'STREAM_LIMIT' })
  handle({ type: 'closed', stream: 1, lastAck: undefined })
  t.is(initiate(7, bob)?.type, 'opened')
  t.deepEqual(handle({ type: 'expect', ref: 8, peer: bob, connectionId: 1 }), [])
  t.deepEqual(handle({ type: 'expect', ref: 9, peer: bob, connectionId: 3 }), [])
  t.like(handle({ type: 'expect', ref: 10, peer: bob, connectionId: 5 })[0], { type: 'refused', code: 'STREAM_LIMIT' })
})

test('a stream that ended answers a repeated FIN with its last ack, acks with nothing, until it has lingered', t => {
  const { streams, handle, packets } = table({ lingerMs: 5000 })
  handle({ type: 'initiate', ref: 1, peer: alice, connectionId: 10 }, 1000)
  const lastAck = packet(ST_STATE, 11, 99)
  handle({ type: 'closed', stream: 1, lastAck }, 2000)
  t.is(streams.stats().lingering, 1)
  const answers = sent(packets(alice, [packet(ST_FIN, 10), packet(ST_STATE, 10), packet(ST_RESET, 10)], 3000))
  t.is(answers.length, 1)
  t.like(answers[0], { type: ST_STATE, connectionId: 11, sequence: 99, timestamp: 3_000_000 })
  t.deepEqual(handle({ type: 'timeout' }, streams.deadline()), [])
  t.is(streams.stats().lingering, 0)
  t.is(sent(packets(alice, [packet(ST_FIN, 10)], 8000))[0]?.type, ST_RESET)
})

test('a stream that failed answers late data by RESET', t => {
  const { handle, packets } = table()
  handle({ type: 'initiate', ref: 1, peer: alice, connectionId: 10 })
  handle({ type: 'closed', stream: 1, lastAck: undefined })
  t.is(sent(packets(alice, [packet(ST_DATA, 10)]))[0]?.type, ST_RESET)
})

test('the id of a stream that ended may be used again at once', t => {
  const { handle, packets } = table()
  handle({ type: 'initiate', ref: 1, peer: alice, connectionId: 10 })
  handle({ type: 'closed', stream: 1, lastAck: packet(ST_STATE, 11) })
  t.like(handle({ type: 'initiate', ref: 2, peer: alice, connectionId: 10 })[0], { type: 'opened', stream: 2 })
  t.like(packets(alice, [packet(ST_DATA, 10)])[0], { type: 'deliver', stream: 2 })
})

test('lingering streams are bounded: the oldest goes', t => {
  const { handle, packets, streams } = table({ maxLingering: 2 })
  for (let ref = 1; ref <= 3; ref++) {
    handle({ type: 'initiate', ref, peer: alice, connectionId: 10 * ref })
    handle({ type: 'closed', stream: ref, lastAck: packet(ST_STATE, 10 * ref + 1) })
  }
  t.is(streams.stats().lingering, 2)
  t.is(sent(packets(alice, [packet(ST_FIN, 10)]))[0]?.type, ST_RESET)
  t.is(sent(packets(alice, [packet(ST_FIN, 20)]))[0]?.type, ST_STATE)
})

test('any packets and any order of inputs: nothing throws, tables stay within their limits, nothing leaks', t => {
  const limits = { maxStreams: 4, maxStreamsPerPeer: 3, maxExpectations: 3, maxLingering: 3 }
  const id = fc.oneof(fc.nat(6), fc.constantFrom(65_534, 65_535))
  const input: fc.Arbitrary<StreamsInput<Peer>> = fc.oneof(
    fc.record({
      type: fc.constant('packets' as const),
      peer: fc.constantFrom(alice, bob),
      packets: fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 30 }),
          fc
            .tuple(fc.constantFrom(ST_DATA, ST_FIN, ST_STATE, ST_RESET, ST_SYN), id)
            .map(([type, on]) => packet(type, on)),
        ),
        { maxLength: 5 },
      ),
    }),
    fc.record({
      type: fc.constantFrom('initiate' as const, 'expect' as const),
      ref: fc.nat(20),
      peer: fc.constantFrom(alice, bob),
      connectionId: id,
    }),
    fc.record({ type: fc.constant('forget' as const), ref: fc.nat(20) }),
    fc.record({
      type: fc.constant('closed' as const),
      stream: fc.nat(10),
      lastAck: fc.constantFrom(undefined, packet(ST_STATE, 1)),
    }),
    fc.record({ type: fc.constant('owner-gone' as const), stream: fc.nat(10) }),
    fc.constant({ type: 'timeout' as const }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(input, fc.nat(3000)), { maxLength: 60 }), inputs => {
      const { streams, handle } = table(limits)
      let now = 0
      for (const [given, after] of inputs) {
        now += after
        handle(given, now)
        const { streams: open, expectations, lingering } = streams.stats()
        t.true(open <= 4 && expectations <= 3 && lingering <= 3)
      }
      for (const { stream } of streams.snapshot().streams) handle({ type: 'closed', stream, lastAck: undefined }, now)
      for (let steps = 0; streams.deadline() < Number.POSITIVE_INFINITY && steps < 100; steps++) {
        now = streams.deadline()
        handle({ type: 'timeout' }, now)
      }
      const { streams: open, expectations, lingering } = streams.stats()
      t.deepEqual({ open, expectations, lingering }, { open: 0, expectations: 0, lingering: 0 })
    }),
    { numRuns: 300 },
  )
})

test('a connection id that is declined: a RESET goes out, and the peer waits no longer', t => {
  const us = table()
  const [reset] = sent(us.handle({ type: 'decline', peer: bob, connectionId: 0xffff }))
  t.like(reset, { type: ST_RESET, connectionId: 0 })
  const them = table()
  them.handle({ type: 'expect', ref: 5, peer: alice, connectionId: 0xffff })
  t.deepEqual(them.packets(bob, [encodePacket(reset!)]), [], 'a RESET of another node is ignored')
  t.like(them.packets(alice, [encodePacket(reset!)]), [{ type: 'refused', ref: 5, code: 'STREAM_RESET' }])
  t.is(them.streams.stats().expectations, 0)
  t.deepEqual(them.handle({ type: 'timeout' }, 1e6), [])
})

test('a stream whose owner is gone before it closed is lost; one that closed is not', t => {
  const { handle, packets } = table()
  handle({ type: 'initiate', ref: 1, peer: alice, connectionId: 10 })
  handle({ type: 'initiate', ref: 2, peer: alice, connectionId: 20 })
  handle({ type: 'closed', stream: 1, lastAck: packet(ST_STATE, 11) })
  t.deepEqual(handle({ type: 'owner-gone', stream: 1 }), [])
  t.like(handle({ type: 'owner-gone', stream: 2 }), [{ type: 'lost', stream: 2, code: 'STREAM_RESET' }])
  t.deepEqual(handle({ type: 'owner-gone', stream: 2 }), [])
  t.is(sent(packets(alice, [packet(ST_DATA, 10)]))[0]?.type, ST_STATE)
  t.is(sent(packets(alice, [packet(ST_DATA, 20)]))[0]?.type, ST_RESET)
})

test('limits of the table are checked', t => {
  t.throws(() => table({ maxStreams: 0 }), { code: 'CONFIG_INVALID' })
  t.throws(() => table({ maxStream: 1 } as object), { code: 'CONFIG_INVALID' })
})
