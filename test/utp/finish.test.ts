import test from 'ava'
import { ST_DATA, ST_FIN, ST_RESET, ST_STATE } from '../../src/utp/wire/packet.ts'
import { joined, patterned, VirtualLink } from '../testing/utp/virtual-link.ts'

const typeOf = (packet: Uint8Array): number => (packet[0] as number) >> 4

test('a lost FIN is sent again', t => {
  let fins = 0
  const link = new VirtualLink({
    conditions: { latencyMs: 5, drop: packet => typeOf(packet) === ST_FIN && fins++ === 0 },
  }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(10_000) })
  link.input(link.initiator, { type: 'finish' })
  link.run()
  t.true(fins >= 2)
  t.is(link.initiator.closed?.reason, 'finished')
  t.is(link.acceptor.closed?.reason, 'finished')
  t.is(link.acceptor.receivedBytes, 10_000)
})

test('a lost ack of the FIN: the reader, which is closed already, answers the repeated FIN', t => {
  let finSeen = false
  let dropped = 0
  const link = new VirtualLink({
    conditions: {
      latencyMs: 5,
      drop: (packet, from) => {
        if (typeOf(packet) === ST_FIN) finSeen = true
        return finSeen && from === 'acceptor' && dropped++ === 0
      },
    },
  }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(10_000) })
  link.input(link.initiator, { type: 'finish' })
  link.run()
  t.true(dropped >= 2)
  t.is(link.initiator.closed?.reason, 'finished')
  t.true(link.initiator.outputs.includes('delivered'))
})

test('a peer that is gone after our FIN, and answers the repeated FIN by RESET, has everything', t => {
  let vanished = false
  const link = new VirtualLink({
    conditions: {
      latencyMs: 5,
      drop: (packet, from) => {
        if (from === 'initiator' && typeOf(packet) === ST_FIN) vanished = true
        return vanished && from === 'acceptor' && typeOf(packet) !== ST_RESET
      },
    },
  }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(10_000) })
  link.run({ forMs: 100 })
  link.input(link.initiator, { type: 'finish' })
  link.run({ forMs: 700 })
  const reset = new Uint8Array(20)
  reset[0] = 0x31
  reset[2] = 4711 >> 8
  reset[3] = 4711 & 0xff
  link.inject('initiator', reset)
  link.run()
  t.is(link.initiator.closed?.reason, 'finished')
})

test('a peer that is gone after our last byte and answers the FIN by RESET has everything, unless it was still writing', t => {
  const reset = new Uint8Array(20)
  reset[0] = 0x31
  reset[2] = 4711 >> 8
  reset[3] = 4711 & 0xff
  const ending = (answerBytes: number): string | undefined => {
    let isDeaf = false
    const link = new VirtualLink({
      conditions: { latencyMs: 5, drop: (_packet, from) => isDeaf && from === 'acceptor' },
    })
    link.open()
    link.input(link.initiator, { type: 'write', bytes: patterned(10_000) })
    link.run({ forMs: 200 })
    if (answerBytes > 0) link.input(link.acceptor, { type: 'write', bytes: patterned(answerBytes) })
    link.run({ forMs: 200 })
    isDeaf = true
    link.input(link.initiator, { type: 'finish' })
    link.inject('initiator', reset)
    link.run()
    return link.initiator.closed?.reason
  }
  t.is(ending(0), 'finished')
  t.is(ending(500), 'STREAM_RESET')
})

test('a RESET while data is not acknowledged is STREAM_RESET at the writer', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 } }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(1_000_000) })
  link.input(link.initiator, { type: 'finish' })
  link.run({ forMs: 30 })
  link.input(link.acceptor, { type: 'reset', reason: 'STREAM_LIMIT' })
  link.run()
  t.is(link.acceptor.closed?.reason, 'STREAM_LIMIT')
  t.is(link.initiator.closed?.reason, 'STREAM_RESET')
  t.false(link.initiator.outputs.includes('delivered'))
})

test('one way: the reader closes with the FIN and sends none, and the writer closes with its ack', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 } })
  link.recordPackets = true
  link.open()
  link.input(link.acceptor, { type: 'write', bytes: patterned(100) })
  link.input(link.acceptor, { type: 'finish' })
  link.run()
  t.deepEqual(
    link.sentPackets.filter(({ side }) => side === 'initiator').map(({ packet }) => typeOf(packet)),
    [4, ST_STATE],
  )
  t.is(link.initiator.closed?.reason, 'finished')
  t.is(link.acceptor.closed?.reason, 'finished')
  t.is(link.acceptor.closed?.stats.durationMs, 15)
})

test("bytes written on 'connected' follow the answer to the SYN", t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 } })
  link.recordPackets = true
  link.input(link.acceptor, { type: 'open' })
  link.onOutput = (end, output) => {
    if (end.side !== 'acceptor' || output.type !== 'connected') return
    link.input(end, { type: 'write', bytes: patterned(100) })
    link.input(end, { type: 'finish' })
  }
  link.input(link.initiator, { type: 'open' })
  link.run()
  t.deepEqual(
    link.sentPackets.filter(({ side }) => side === 'acceptor').map(({ packet }) => typeOf(packet)),
    [ST_STATE, ST_DATA, ST_FIN],
  )
  t.deepEqual(joined(link.initiator.chunks), patterned(100))
})

test('half-open: a finished end still receives', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 }, limits: { allowHalfOpen: true } }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(1000, 1) })
  link.input(link.initiator, { type: 'finish' })
  link.run({ forMs: 2000 })
  t.true(link.acceptor.peerFinished)
  t.true(link.initiator.outputs.includes('delivered'))
  t.is(link.initiator.closed, undefined)
  t.is(link.initiator.connection.state, 'finishing')
  link.input(link.acceptor, { type: 'write', bytes: patterned(5000, 2) })
  link.input(link.acceptor, { type: 'finish' })
  link.run()
  t.deepEqual(joined(link.initiator.chunks), patterned(5000, 2))
  t.is(link.initiator.closed?.reason, 'finished')
  t.is(link.acceptor.closed?.reason, 'finished')
})

test('a writer that received data waits for the other FIN, for a limited time', t => {
  const link = new VirtualLink({
    conditions: { latencyMs: 5 },
    limits: { finishTimeoutMs: 1500 },
    acceptorLimits: { allowHalfOpen: true },
  }).open()
  link.input(link.acceptor, { type: 'write', bytes: patterned(100) })
  link.run({ forMs: 50 })
  link.input(link.initiator, { type: 'write', bytes: patterned(100) })
  link.input(link.initiator, { type: 'finish' })
  link.run({ until: () => link.initiator.closed !== undefined })
  t.is(link.initiator.closed?.reason, 'finished')
  const { durationMs } = link.initiator.closed!.stats
  t.true(durationMs >= 1550 && durationMs < 1700, `${durationMs}`)
})

test('a write after finish ends the stream with STREAM_CLOSED', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 } }).open()
  link.run({ forMs: 100 })
  link.input(link.initiator, { type: 'finish' })
  link.input(link.initiator, { type: 'write', bytes: patterned(10) })
  t.is(link.initiator.closed?.reason, 'STREAM_CLOSED')
})

test('a closed stream emits nothing, and answers only data, FIN and SYN', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 5 } }).open()
  link.input(link.initiator, { type: 'write', bytes: patterned(10) })
  link.input(link.initiator, { type: 'finish' })
  link.run()
  const before = link.initiator.outputs.length
  link.input(link.initiator, { type: 'write', bytes: patterned(10) })
  link.input(link.initiator, { type: 'timeout' })
  link.input(link.initiator, { type: 'reset', reason: 'STREAM_LIMIT' })
  const packet = link.acceptor.closed!.lastAck!
  link.input(link.initiator, { type: 'packets', packets: [packet, Uint8Array.of(1, 2, 3)] })
  t.is(link.initiator.outputs.length, before)
  const fin = packet.slice()
  fin[0] = 0x11
  link.input(link.initiator, { type: 'packets', packets: [fin] })
  t.deepEqual(link.initiator.outputs.slice(before), ['send'])
})
