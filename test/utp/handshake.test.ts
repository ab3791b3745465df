import test from 'ava'
import { seededRandomness } from 'spimpl-runtime'
import { type StreamLimits, type StreamOutput, UtpConnection } from '../../src/utp/utp.ts'
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
import { joined, patterned, VirtualLink } from '../testing/utp/virtual-link.ts'

/** One end of a stream; the test writes the packets of the other end. */
function end(initiator: boolean, limits: Partial<StreamLimits> = {}, connectionId = 100) {
  const options = { connectionId, randomness: seededRandomness(5), limits }
  const connection = initiator ? UtpConnection.initiate(options) : UtpConnection.accept(options)
  const outputs: StreamOutput[] = []
  const packets: Packet[] = []
  const handle = (input: Parameters<UtpConnection['handle']>[0], now: number): void =>
    connection.handle(input, now, output => {
      outputs.push(output)
      if (output.type !== 'send') return
      for (const bytes of output.packets) {
        const decoded = decodePacket(bytes)
        if (decoded.ok) packets.push(decoded.value)
      }
    })
  const receive = (now: number, ...given: readonly Partial<Packet>[]): void =>
    handle(
      {
        type: 'packets',
        packets: given.map(packet =>
          encodePacket({
            type: ST_STATE,
            connectionId: initiator ? connectionId : connectionId + 1,
            timestamp: 1,
            timestampDifference: 1,
            windowBytes: 1 << 20,
            sequence: 0,
            acknowledged: 0,
            payload: new Uint8Array(0),
            ...packet,
          }),
        ),
      },
      now,
    )
  const types = (): string[] => outputs.map(({ type }) => type)
  const closed = () => outputs.find(output => output.type === 'closed')
  return { connection, handle, receive, outputs, packets, types, closed }
}

test('the initiator sends its SYN with the id that it receives with, and everything else with the next one', t => {
  const { handle, receive, packets, connection } = end(true)
  handle({ type: 'open' }, 1)
  const [syn] = packets
  t.is(syn?.type, ST_SYN)
  t.is(syn?.connectionId, 100)
  t.is(syn?.acknowledged, 0)
  receive(2, { sequence: 5000, acknowledged: syn!.sequence })
  t.is(connection.state, 'connected')
  handle({ type: 'write', bytes: Uint8Array.of(1) }, 3)
  const data = packets[1]
  t.is(data?.type, ST_DATA)
  t.is(data?.connectionId, 101)
  t.is(data?.sequence, (syn!.sequence + 1) & 0xffff)
  // ack_nr = seq_nr - 1 of the answer to the SYN (portal specification, deviations).
  t.is(data?.acknowledged, 4999)
})

test('the acceptor answers a SYN with the id of the SYN, the number of its first data, and an ack of the SYN', t => {
  const { handle, receive, packets, connection, types } = end(false)
  handle({ type: 'open' }, 1)
  t.is(connection.state, 'awaiting-syn')
  receive(2, { type: ST_SYN, connectionId: 100, sequence: 65_535 })
  const [answer] = packets
  t.is(answer?.type, ST_STATE)
  t.is(answer?.connectionId, 100)
  t.is(answer?.acknowledged, 65_535)
  t.deepEqual(types(), ['send', 'connected'])
  // It may write at once, without data from the initiator.
  handle({ type: 'write', bytes: Uint8Array.of(7) }, 3)
  t.is(packets[1]?.type, ST_DATA)
  t.is(packets[1]?.sequence, answer?.sequence)
  t.is(packets[1]?.acknowledged, 65_535)
  // The next packet of the initiator has the number after its SYN, across the wrap.
  receive(4, { type: ST_DATA, sequence: 0, acknowledged: answer!.sequence, payload: Uint8Array.of(9) })
  t.true(types().includes('data'))
})

test('a repeated SYN gets the same answer, even after data', t => {
  const { handle, receive, packets } = end(false)
  handle({ type: 'open' }, 1)
  receive(2, { type: ST_SYN, connectionId: 100, sequence: 10 })
  handle({ type: 'write', bytes: new Uint8Array(5000) }, 3)
  receive(4, { type: ST_SYN, connectionId: 100, sequence: 10 })
  const states = packets.filter(({ type }) => type === ST_STATE)
  t.is(states.length, 2)
  t.is(states[0]?.sequence, states[1]?.sequence)
})

test('a SYN with another number is no repetition and is refused', t => {
  const { handle, receive, packets, connection } = end(false)
  handle({ type: 'open' }, 1)
  receive(2, { type: ST_SYN, connectionId: 100, sequence: 10 })
  receive(3, { type: ST_SYN, connectionId: 100, sequence: 11 })
  t.is(packets.length, 1)
  t.is(connection.stats().refused, 1)
})

test('a lost SYN is repeated after a second', t => {
  const link = new VirtualLink({
    conditions: { latencyMs: 5, drop: (_packet, from, count) => from === 'initiator' && count === 0 },
  }).open()
  const opened = link.now
  link.run({ until: () => link.initiator.connection.state === 'connected' })
  t.is(link.now, opened + 1000 + 10)
})

test('a lost answer to a SYN: the data that follows it makes the initiator ask again at once', t => {
  const link = new VirtualLink({
    conditions: { latencyMs: 5, drop: (_packet, from, count) => from === 'acceptor' && count === 0 },
  }).open()
  const bytes = patterned(20_000)
  link.input(link.acceptor, { type: 'write', bytes })
  link.input(link.acceptor, { type: 'finish' })
  link.run()
  t.deepEqual(joined(link.initiator.chunks), bytes)
  t.true((link.initiator.closed?.stats.durationMs ?? 0) < 500)
})

test('a lost answer to a SYN, of a peer that answers once only: the data that it retransmits is its first data', t => {
  const isState = (packet: Uint8Array): boolean => packet[0] === 0x21
  const link: VirtualLink = new VirtualLink({
    conditions: {
      latencyMs: 5,
      drop: (packet, from, count) =>
        from === 'initiator' ? packet[0] === 0x41 && count > 0 : isState(packet) && link.now < 1100,
    },
  }).open()
  const bytes = patterned(100_000)
  link.input(link.acceptor, { type: 'write', bytes })
  link.input(link.acceptor, { type: 'finish' })
  link.run()
  t.deepEqual(joined(link.initiator.chunks), bytes)
  t.is(link.initiator.closed?.reason, 'finished')
  t.true((link.initiator.closed?.stats.durationMs ?? Number.POSITIVE_INFINITY) < 3000)
})

test('data before the answer to a SYN is no answer: not the first copy, not a copy by the network, not behind other data', t => {
  const { handle, receive, packets, connection } = end(true)
  handle({ type: 'open' }, 1)
  const data = { type: ST_DATA, acknowledged: packets[0]!.sequence, payload: Uint8Array.of(1) } as const
  receive(2, { ...data, sequence: 0, timestamp: 5 })
  receive(3, { ...data, sequence: 0, timestamp: 5 })
  t.is(connection.state, 'syn-sent')
  receive(4, { ...data, sequence: 65_535, timestamp: 4 })
  receive(5, { ...data, sequence: 65_535, timestamp: 400_000 })
  t.is(connection.state, 'syn-sent', 'the answer to a repeated SYN may still come')
  for (let at = connection.deadline(); at < 1000; at = connection.deadline()) handle({ type: 'timeout' }, at)
  t.is(packets.length, 1 + 8)
  receive(1000, { ...data, sequence: 0, timestamp: 500_000 })
  t.is(connection.state, 'syn-sent')
  receive(1000, { ...data, sequence: 65_535, timestamp: 500_001 })
  t.is(connection.state, 'connected')
  t.is(packets.at(-1)?.acknowledged, 0)
})

test('no peer: SYNs at growing intervals, then STREAM_CONNECT_TIMEOUT', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5, loss: 1 }, limits: { connectTimeoutMs: 10_000 } }).open()
  link.recordPackets = true
  const opened = link.now
  link.run()
  t.is(link.initiator.closed?.reason, 'STREAM_CONNECT_TIMEOUT')
  t.is(link.acceptor.closed?.reason, 'STREAM_CONNECT_TIMEOUT')
  t.is(link.now, opened + 10_000)
  t.deepEqual(
    link.sentPackets.filter(({ packet }) => packet[0] === 0x41).map(({ at }) => at - opened),
    [1000, 3000, 7000],
  )
})

test('the peer resets: STREAM_RESET, and nothing is sent back', t => {
  const { handle, receive, packets, closed, connection } = end(true)
  handle({ type: 'open' }, 1)
  receive(2, { type: ST_RESET, connectionId: 100 })
  t.like(closed(), { reason: 'STREAM_RESET' })
  t.is(packets.length, 1)
  t.is(connection.state, 'reset')
  t.is(connection.deadline(), Number.POSITIVE_INFINITY)
})

test('a RESET with a foreign connection id is refused', t => {
  const { handle, receive, closed } = end(true)
  handle({ type: 'open' }, 1)
  receive(2, { type: ST_RESET, connectionId: 777 })
  t.is(closed(), undefined)
})

test('reset here: the peer gets a RESET with our sending id, closed says the reason', t => {
  const { handle, receive, packets, closed } = end(true)
  handle({ type: 'open' }, 1)
  receive(2, { sequence: 1, acknowledged: packets[0]!.sequence })
  handle({ type: 'reset', reason: 'STREAM_LIMIT' }, 3)
  t.like(closed(), { reason: 'STREAM_LIMIT', lastAck: undefined })
  t.is(packets.at(-1)?.type, ST_RESET)
  t.is(packets.at(-1)?.connectionId, 101)
})

test('an ack of a packet that was never sent is refused', t => {
  const { handle, receive, packets, connection } = end(true)
  handle({ type: 'open' }, 1)
  const syn = packets[0]!.sequence
  receive(2, { sequence: 1, acknowledged: syn })
  receive(3, { sequence: 1, acknowledged: (syn + 5) & 0xffff })
  t.is(connection.stats().refused, 1)
  receive(4, { type: ST_DATA, sequence: 1, acknowledged: (syn + 5) & 0xffff, payload: Uint8Array.of(1) })
  t.is(connection.stats().refused, 2)
})

test('a FIN before data that is missing waits for it; one that stands before other data is refused', t => {
  const { handle, receive, packets, types, connection } = end(true)
  handle({ type: 'open' }, 1)
  const syn = packets[0]!.sequence
  receive(2, { sequence: 10, acknowledged: syn })
  receive(3, { type: ST_DATA, sequence: 13, acknowledged: syn, payload: Uint8Array.of(3) })
  receive(4, { type: ST_FIN, sequence: 12, acknowledged: syn })
  t.is(connection.stats().refused, 1)
  receive(5, { type: ST_FIN, sequence: 14, acknowledged: syn })
  t.false(types().includes('peer-finished'))
  receive(6, { type: ST_DATA, sequence: 15, acknowledged: syn, payload: Uint8Array.of(9) })
  t.is(connection.stats().refused, 2)
  receive(
    7,
    { type: ST_DATA, sequence: 11, acknowledged: syn, payload: Uint8Array.of(1) },
    { type: ST_DATA, sequence: 12, acknowledged: syn, payload: Uint8Array.of(2) },
    { type: ST_DATA, sequence: 10, acknowledged: syn, payload: Uint8Array.of(0) },
  )
  t.deepEqual(types().slice(-4), ['send', 'data', 'peer-finished', 'closed'])
})

test('a selective ack reports the packets behind the gap', t => {
  const { handle, receive, packets } = end(true)
  handle({ type: 'open' }, 1)
  const syn = packets[0]!.sequence
  receive(2, { sequence: 65_534, acknowledged: syn })
  const data = { type: ST_DATA, acknowledged: syn, payload: Uint8Array.of(1) } as const
  receive(
    3,
    { ...data, sequence: 65_535 },
    { ...data, sequence: 1 },
    { ...data, sequence: 31 },
    { ...data, sequence: 40 },
  )
  const ack = packets.at(-1)
  t.is(ack?.acknowledged, 65_533)
  // Missing 65534; bit 0 is 65535, bit 2 is 1, bit 32 would be 31.
  t.deepEqual(ack?.selectiveAck, Uint8Array.of(0b101, 0, 0, 0))
})

test('one batch gets one ack', t => {
  const { handle, receive, packets } = end(true)
  handle({ type: 'open' }, 1)
  const syn = packets[0]!.sequence
  receive(2, { sequence: 10, acknowledged: syn })
  const before = packets.length
  receive(
    3,
    ...Array.from({ length: 50 }, (_, index) => ({
      type: ST_DATA,
      sequence: 10 + index,
      acknowledged: syn,
      payload: new Uint8Array(1000),
    })),
  )
  t.is(packets.length, before + 1)
  t.is(packets.at(-1)?.acknowledged, 59)
  t.is(packets.at(-1)?.windowBytes, (1 << 20) - 50_000)
})

test('a connection id that has not 16 bits is a mistake of the program', t => {
  t.throws(() => end(true, {}, 65_536), { instanceOf: RangeError })
  t.throws(() => end(true, {}, -1), { instanceOf: RangeError })
  t.throws(() => end(true, {}, 1.5), { instanceOf: RangeError })
})

test('an ack that is not the answer to the SYN skips no data that came before it', t => {
  const { handle, receive, packets, outputs } = end(true)
  handle({ type: 'open' }, 1)
  const acknowledged = packets[0]!.sequence
  const data = { type: ST_DATA, acknowledged } as const
  // The answer was lost, and the peer, which numbers every ack with its next packet, sends a later ack.
  receive(
    2,
    { ...data, sequence: 65_535, payload: Uint8Array.of(1) },
    { ...data, sequence: 0, payload: Uint8Array.of(2) },
  )
  receive(3, { sequence: 1, acknowledged })
  t.deepEqual(
    outputs.flatMap(output => (output.type === 'data' ? output.chunks.map(chunk => chunk[0]) : [])),
    [1, 2],
  )
})

test('until the initiator has the answer to its SYN, every ack is that answer', t => {
  const { handle, receive, packets } = end(false, { keepAliveMs: 1000, maxTimeouts: 20, synTimeoutMs: 8000 })
  handle({ type: 'open' }, 1)
  receive(2, { type: ST_SYN, connectionId: 100, sequence: 10 })
  handle({ type: 'write', bytes: new Uint8Array(5000) }, 3)
  handle({ type: 'timeout' }, 1100)
  const states = packets.filter(({ type }) => type === ST_STATE)
  t.is(states.length, 2)
  t.is(states[1]?.sequence, states[0]?.sequence)
  receive(1200, { sequence: 11, acknowledged: (states[0]!.sequence - 1) & 0xffff })
  handle({ type: 'timeout' }, 2500)
  t.is(packets.filter(({ type }) => type === ST_STATE).at(-1)?.sequence, (states[0]!.sequence + 4) & 0xffff)
})
