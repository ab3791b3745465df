import test from 'ava'
import { type defaultStreamLimits, MAX_UTP_PACKET_BYTES, type StreamLimits } from '../../src/utp/utp.ts'
import { encodePacket, ST_RESET } from '../../src/utp/wire/packet.ts'
import { patterned, VirtualLink } from '../testing/utp/virtual-link.ts'

test('a uTP packet fits a TALKREQ of 1,280 bytes', t => {
  // The parts of the packet, as discv5-wire.md and RLP spell them, with a request id of 8 bytes.
  const payload = MAX_UTP_PACKET_BYTES
  const rlpString = (length: number): number => (length < 56 ? 1 : length < 256 ? 2 : 3) + length
  const fields = rlpString(8) + rlpString(3) + rlpString(payload)
  const message = 1 + (fields < 56 ? 1 : fields < 256 ? 2 : 3) + fields
  t.is(16 + 23 + 32 + message + 16, 1280)
  t.is(MAX_UTP_PACKET_BYTES, 1173)
})

test('no packet is larger than the limit', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5, loss: 0.05, jitterMs: 3 } })
  link.recordPackets = true
  link.open()
  link.input(link.initiator, { type: 'write', bytes: patterned(200_000) })
  link.input(link.initiator, { type: 'finish' })
  link.run()
  t.is(Math.max(...link.sentPackets.map(({ packet }) => packet.length)), MAX_UTP_PACKET_BYTES)
})

test('more bytes than the reader allows: STREAM_TOO_LARGE here, STREAM_RESET with that reason there', t => {
  const link = new VirtualLink({
    conditions: { latencyMs: 5 },
    acceptorLimits: { maxReceiveBytes: 50_000 },
  }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(100_000) })
  link.input(link.initiator, { type: 'finish' })
  link.run()
  t.is(link.acceptor.closed?.reason, 'STREAM_TOO_LARGE')
  t.is(link.acceptor.closed?.peerReason, undefined)
  t.like(link.initiator.closed, {
    reason: 'STREAM_RESET',
    peerReason: 'STREAM_TOO_LARGE',
    detail: 'the peer reset the stream: STREAM_TOO_LARGE',
  })
})

test('both ends learn the limit that ended a stream; a RESET without a reason, or with an unknown one, is a plain reset', t => {
  const ended = (limits: Partial<StreamLimits>, act: (link: VirtualLink) => void): unknown[] => {
    const link = new VirtualLink({ conditions: { latencyMs: 5 }, limits, acceptorLimits: {} }).open()
    act(link)
    link.run()
    return [link.initiator.closed?.reason, link.acceptor.closed?.peerReason]
  }
  t.deepEqual(
    ended({ totalTimeoutMs: 3000 }, () => {}),
    ['STREAM_TIMEOUT', 'STREAM_TIMEOUT'],
  )
  const deafen = (link: VirtualLink): void => {
    link.run({ forMs: 100 })
    link.conditions = { latencyMs: 5, drop: (_packet, from) => from === 'acceptor' }
  }
  t.deepEqual(ended({ idleTimeoutMs: 5000 }, deafen), ['STREAM_IDLE', 'STREAM_IDLE'])
  const giveUp = (link: VirtualLink): void => link.input(link.initiator, { type: 'reset', reason: 'STREAM_LIMIT' })
  t.deepEqual(ended({}, giveUp), ['STREAM_LIMIT', 'STREAM_LIMIT'])
  for (const payload of ['', 'STREAM_NONSENSE', 'finished', 'STREAM_IDLE'.repeat(90)]) {
    const link = new VirtualLink({ conditions: { latencyMs: 5 } }).open()
    link.run({ forMs: 100 })
    const bytes = encodePacket({
      type: ST_RESET,
      connectionId: link.acceptor.connection.snapshot().receiveId,
      timestamp: 1,
      timestampDifference: 0,
      windowBytes: 0,
      sequence: 1,
      acknowledged: 1,
      payload: new TextEncoder().encode(payload),
    })
    link.inject('acceptor', bytes)
    link.run({ forMs: 1 })
    t.like(link.acceptor.closed, { reason: 'STREAM_RESET', peerReason: undefined, detail: 'the peer reset the stream' })
  }
})

test('exactly as many bytes as the reader allows are allowed', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 }, acceptorLimits: { maxReceiveBytes: 50_000 } }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(50_000) })
  link.input(link.initiator, { type: 'finish' })
  link.run()
  t.is(link.acceptor.closed?.reason, 'finished')
})

test('more written bytes than allowed: STREAM_TOO_LARGE', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 }, limits: { maxSendBytes: 1000 } }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(1000) })
  t.is(link.initiator.closed, undefined)
  link.input(link.initiator, { type: 'write', bytes: patterned(1) })
  t.is(link.initiator.closed?.reason, 'STREAM_TOO_LARGE')
  link.run()
  t.is(link.acceptor.closed?.reason, 'STREAM_RESET')
})

test('a stream that lasts too long in all: STREAM_TIMEOUT', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 50 }, limits: { totalTimeoutMs: 2000 } }).open()
  link.acceptor.keeps = false
  link.input(link.initiator, { type: 'write', bytes: new Uint8Array(100_000_000) })
  const opened = link.now
  link.run()
  t.is(link.initiator.closed?.reason, 'STREAM_TIMEOUT')
  t.is(link.initiator.closed?.stats.durationMs, 2000)
  t.true(link.now - opened <= 2100)
  t.true(['STREAM_RESET', 'STREAM_TIMEOUT'].includes(link.acceptor.closed?.reason ?? ''))
})

test('a silent peer while nothing is in flight: STREAM_IDLE', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 }, limits: { idleTimeoutMs: 30_000 } }).open()
  link.run({ forMs: 100 })
  link.conditions = { latencyMs: 5, loss: 1 }
  link.run()
  t.is(link.initiator.closed?.reason, 'STREAM_IDLE')
  t.is(link.acceptor.closed?.reason, 'STREAM_IDLE')
  const { durationMs } = link.initiator.closed!.stats
  t.true(durationMs >= 30_000 && durationMs < 31_000)
})

test('a silent peer while data is in flight: STREAM_TIMEOUT after the last timeout', t => {
  const link = new VirtualLink({
    conditions: { latencyMs: 5 },
    limits: { idleTimeoutMs: 600_000, maxTimeouts: 3 },
  }).open()
  link.run({ forMs: 100 })
  link.conditions = { latencyMs: 5, loss: 1 }
  const cut = link.now
  link.input(link.initiator, { type: 'write', bytes: patterned(50_000) })
  link.run({ until: () => link.initiator.closed !== undefined })
  t.is(link.initiator.closed?.reason, 'STREAM_TIMEOUT')
  t.is(link.initiator.closed?.stats.timeouts, 4)
  // 500 ms, doubled each time.
  t.is(Math.round(link.now - cut), 500 + 1000 + 2000 + 4000)
})

test('keep-alive: an idle stream lives until its total limit', t => {
  const link = new VirtualLink({
    conditions: { latencyMs: 5 },
    limits: { idleTimeoutMs: 30_000, keepAliveMs: 10_000, totalTimeoutMs: 200_000 },
  })
  link.recordPackets = true
  link.open()
  link.run()
  t.is(link.initiator.closed?.reason, 'STREAM_TIMEOUT')
  t.true(link.sentPackets.length > 20 && link.sentPackets.length < 60, `${link.sentPackets.length}`)
})

test("'writable' is emitted when the unsent bytes fall below the mark", t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 }, limits: { writeLowWaterBytes: 100_000 } }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(99_000) })
  link.run({ forMs: 1000 })
  t.false(link.initiator.outputs.includes('writable'))
  link.input(link.initiator, { type: 'write', bytes: patterned(300_000) })
  let unsent = -1
  link.onOutput = (end, output) => {
    if (end.side === 'initiator' && output.type === 'writable')
      unsent = link.initiator.connection.snapshot().unsentBytes
  }
  link.run({ forMs: 1000 })
  t.is(link.initiator.outputs.filter(type => type === 'writable').length, 1)
  t.true(unsent > 0 && unsent <= 100_000)
})

test('limits out of range are a mistake of the configuration', t => {
  const open = (limits: Partial<typeof defaultStreamLimits>) => () =>
    new VirtualLink({ conditions: { latencyMs: 0 }, limits })
  t.throws(open({ maxPacketBytes: 20 }), { code: 'CONFIG_INVALID' })
  t.throws(open({ selectiveAckBytes: 5 }), { code: 'CONFIG_INVALID' })
  t.throws(open({ selectiveAckBytes: 132 }), { code: 'CONFIG_INVALID' })
  t.throws(open({ maxWindowPackets: 1024 }), { code: 'CONFIG_INVALID' })
})
