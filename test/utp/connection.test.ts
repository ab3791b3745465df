import test from 'ava'
import { joined, patterned, VirtualLink } from '../testing/utp/virtual-link.ts'

test('bytes go from the initiator to the acceptor, and both ends say finished', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 10 } }).open()
  const bytes = patterned(300_000)
  link.input(link.initiator, { type: 'write', bytes })
  link.input(link.initiator, { type: 'finish' })
  link.run()
  t.deepEqual(joined(link.acceptor.chunks), bytes)
  t.is(link.initiator.closed?.reason, 'finished')
  t.is(link.acceptor.closed?.reason, 'finished')
  t.is(link.initiator.closed?.stats.retransmits, 0)
})

test('bytes go from the acceptor to the initiator', t => {
  const link = new VirtualLink({ conditions: { latencyMs: 10 } }).open()
  const bytes = patterned(300_000)
  link.input(link.acceptor, { type: 'write', bytes })
  link.input(link.acceptor, { type: 'finish' })
  link.run()
  t.deepEqual(joined(link.initiator.chunks), bytes)
  t.is(link.initiator.closed?.reason, 'finished')
  t.is(link.acceptor.closed?.reason, 'finished')
})

test('2 % loss, reordering and duplication: repaired without a timeout', t => {
  const link = new VirtualLink({
    seed: 3,
    conditions: { latencyMs: 10, jitterMs: 5, loss: 0.02, duplication: 0.01 },
  }).open()
  const bytes = patterned(1_500_000)
  link.input(link.acceptor, { type: 'write', bytes })
  link.input(link.acceptor, { type: 'finish' })
  link.run()
  t.true(Buffer.compare(joined(link.initiator.chunks), bytes) === 0)
  t.is(link.initiator.closed?.reason, 'finished')
  t.is(link.acceptor.closed?.reason, 'finished')
  t.is(link.acceptor.closed?.stats.timeouts, 0)
})
