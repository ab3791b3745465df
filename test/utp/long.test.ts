import test from 'ava'
import { VirtualLink } from '../testing/utp/virtual-link.ts'

/** Each 4-byte word of the stream is its own position: a misplaced packet shows without a second copy of 100 MB. */
function numbered(length: number): Uint8Array {
  return new Uint8Array(Uint32Array.from({ length: length / 4 }, (_, index) => index).buffer)
}

test('100 MB in one stream: the sequence numbers wrap, and the cost of a packet does not grow', t => {
  const bytes = numbered(100_000_000)
  const link = new VirtualLink({
    conditions: { latencyMs: 1 },
    limits: { maxReceiveBytes: 200_000_000, maxSendBytes: 200_000_000 },
    firstSequence: 65_535,
  }).open()
  link.acceptor.keeps = false
  let at = 0
  let wrong = 0
  link.onOutput = (end, output) => {
    if (end.side !== 'acceptor' || output.type !== 'data') return
    for (const chunk of output.chunks) {
      if (Buffer.compare(chunk, bytes.subarray(at, at + chunk.length)) !== 0) wrong++
      at += chunk.length
    }
  }
  link.input(link.initiator, { type: 'write', bytes })
  link.input(link.initiator, { type: 'finish' })
  link.run()
  t.is(wrong, 0)
  t.is(at, bytes.length)
  t.is(link.acceptor.closed?.reason, 'finished')
  const stats = link.initiator.closed!.stats
  t.true(stats.packetsSent > 65_536)
  t.is(stats.retransmits, 0)
})

test('100 MB with loss and reordering across the wrap', t => {
  const bytes = numbered(100_000_000)
  const link = new VirtualLink({
    seed: 11,
    conditions: { latencyMs: 1, jitterMs: 0.5, loss: 0.001, duplication: 0.001 },
    limits: { totalTimeoutMs: 3_600_000 },
    firstSequence: 65_000,
  }).open()
  link.initiator.keeps = false
  let at = 0
  let wrong = 0
  link.onOutput = (end, output) => {
    if (end.side !== 'initiator' || output.type !== 'data') return
    for (const chunk of output.chunks) {
      if (Buffer.compare(chunk, bytes.subarray(at, at + chunk.length)) !== 0) wrong++
      at += chunk.length
    }
  }
  link.input(link.acceptor, { type: 'write', bytes })
  link.input(link.acceptor, { type: 'finish' })
  link.run({ forMs: 3_600_000 })
  t.is(wrong, 0)
  t.is(at, bytes.length)
  t.is(link.initiator.closed?.reason, 'finished')
  t.is(link.acceptor.closed?.stats.timeouts, 0)
})
