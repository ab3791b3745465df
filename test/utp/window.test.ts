import test from 'ava'
import { joined, patterned, VirtualLink } from '../testing/utp/virtual-link.ts'

const RECEIVE_BUFFER = 100_000

test('a consumer that reads nothing closes the window, and opens it by reading', t => {
  const link = new VirtualLink({
    conditions: { latencyMs: 5 },
    acceptorLimits: { receiveBufferBytes: RECEIVE_BUFFER },
  }).open()
  link.acceptor.reads = false
  const bytes = patterned(500_000)
  link.input(link.initiator, { type: 'write', bytes })
  link.input(link.initiator, { type: 'finish' })
  link.run({ forMs: 20_000 })
  // The buffer has room for less than one more packet.
  t.true(link.acceptor.receivedBytes <= RECEIVE_BUFFER && link.acceptor.receivedBytes > RECEIVE_BUFFER - 1200)
  t.is(link.initiator.closed, undefined)
  const { stats } = link.initiator.connection.snapshot(link.now)
  t.true(stats.congestionWindowBytes > 20_000, 'a closed window is no congestion')
  // Probes come with growing distance.
  t.true(stats.retransmits > 1 && stats.retransmits < 12, `${stats.retransmits}`)
  link.acceptor.reads = true
  link.input(link.acceptor, { type: 'read', bytes: link.acceptor.receivedBytes })
  const opened = link.now
  link.run()
  t.deepEqual(joined(link.acceptor.chunks), bytes)
  t.is(link.initiator.closed?.reason, 'finished')
  t.true((link.initiator.closed?.stats.durationMs ?? 0) - (opened - 1000) < 1000, 'the window update starts it at once')
})

test('after a lost window update, a probe finds the open window', t => {
  let cut = false
  const link = new VirtualLink({
    conditions: { latencyMs: 5, drop: (_packet, from) => cut && from === 'acceptor' },
    acceptorLimits: { receiveBufferBytes: RECEIVE_BUFFER },
  }).open()
  link.acceptor.reads = false
  const bytes = patterned(300_000)
  link.input(link.initiator, { type: 'write', bytes })
  link.input(link.initiator, { type: 'finish' })
  link.run({ forMs: 1000 })
  cut = true
  link.acceptor.reads = true
  link.input(link.acceptor, { type: 'read', bytes: link.acceptor.receivedBytes })
  cut = false
  link.run()
  t.deepEqual(joined(link.acceptor.chunks), bytes)
  t.is(link.initiator.closed?.reason, 'finished')
})

test('a slow consumer paces the stream, and loses nothing', t => {
  const link = new VirtualLink({
    seed: 5,
    conditions: { latencyMs: 10, loss: 0.02 },
    acceptorLimits: { receiveBufferBytes: 20_000 },
  }).open()
  link.acceptor.reads = false
  const bytes = patterned(200_000)
  link.input(link.initiator, { type: 'write', bytes })
  link.input(link.initiator, { type: 'finish' })
  let taken = 0
  while (link.initiator.closed === undefined && link.now < 200_000) {
    link.run({ forMs: 100 })
    const take = Math.min(5000, link.acceptor.receivedBytes - taken)
    taken += take
    link.input(link.acceptor, { type: 'read', bytes: take })
    t.true(link.acceptor.receivedBytes - taken <= 20_000)
  }
  t.deepEqual(joined(link.acceptor.chunks), bytes)
  t.is(link.acceptor.closed?.reason, 'finished')
})

test('small writes share packets while others are in flight', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 10 } })
  link.open()
  link.run({ forMs: 100 })
  for (let index = 0; index < 1000; index++)
    link.input(link.initiator, { type: 'write', bytes: patterned(10, index + 1) })
  link.input(link.initiator, { type: 'finish' })
  link.run()
  t.is(link.acceptor.receivedBytes, 10_000)
  t.true((link.initiator.closed?.stats.packetsSent ?? 1000) < 20)
})

test('packets in flight stay within the limits of bytes and packets', t => {
  for (const limits of [{ maxWindowBytes: 50_000 }, { maxWindowPackets: 20 }]) {
    const link = new VirtualLink({ conditions: { latencyMs: 50 }, limits }).open()
    link.acceptor.keeps = false
    let most = 0
    link.onOutput = () => {
      most = Math.max(most, link.initiator.connection.snapshot().inFlightBytes)
    }
    link.input(link.initiator, { type: 'write', bytes: new Uint8Array(2_000_000) })
    link.input(link.initiator, { type: 'finish' })
    link.run()
    t.is(link.initiator.closed?.reason, 'finished')
    t.true(most <= 50_000 + 1153, `${most}`)
    t.true(most > 20_000)
  }
})
