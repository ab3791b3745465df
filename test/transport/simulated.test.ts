import test from 'ava'
import { seededRandomness } from 'spimpl-runtime'
import type { Datagram, DatagramSocket } from '../../src/transport/datagram.ts'
import { type LinkConditions, SimulatedNetwork } from '../../src/transport/simulated.ts'
import { datagramConformance } from '../conformance/datagram.ts'
import { VirtualScheduler } from '../testing/transport/virtual-scheduler.ts'

const immediate = new SimulatedNetwork({
  scheduler: { now: () => 0, at: (_when, action) => void setImmediate(action) },
  randomness: seededRandomness(1),
})
datagramConformance(test, { name: 'simulated', open: immediate.open, host: '10.0.0.1' })

interface Arrival {
  readonly at: number
  readonly value: number
}

async function pair(seed: number, conditions: LinkConditions) {
  const scheduler = new VirtualScheduler()
  const network = new SimulatedNetwork({ scheduler, randomness: seededRandomness(seed), conditions })
  const arrivals: Arrival[] = []
  const open = (host: string, onDatagrams: (batch: readonly Datagram[]) => void): Promise<DatagramSocket> =>
    network.open({ host, port: 0, onDatagrams, onError: () => {} })
  const a = await open('10.0.0.1', () => {})
  const b = await open('10.0.0.2', batch => {
    for (const { bytes } of batch) arrivals.push({ at: scheduler.now(), value: bytes[0] as number })
  })
  const send = (count: number, length = 100): void => {
    a.send(
      Array.from({ length: count }, (_, value) => ({ endpoint: b.local, bytes: new Uint8Array(length).fill(value) })),
    )
  }
  return { scheduler, network, arrivals, a, b, send }
}

test('latency is kept in virtual time', async t => {
  const { scheduler, arrivals, send } = await pair(1, { latencyMs: 50 })
  send(3)
  scheduler.run(49)
  t.is(arrivals.length, 0)
  scheduler.run()
  t.deepEqual(
    arrivals.map(({ at }) => at),
    [50, 50, 50],
  )
})

test('loss takes about its share, jitter reorders, duplication repeats, and a seed replays all of it', async t => {
  const conditions = { latencyMs: 10, jitterMs: 10, loss: 0.2, duplication: 0.1 }
  const run = async (seed: number) => {
    const { scheduler, arrivals, send } = await pair(seed, conditions)
    send(200)
    scheduler.run()
    return arrivals
  }
  const arrivals = await run(7)
  const distinct = new Set(arrivals.map(({ value }) => value)).size
  t.true(distinct > 130 && distinct < 185, `${distinct} of 200 arrived`)
  t.true(arrivals.length > distinct)
  t.notDeepEqual(
    arrivals.map(({ value }) => value),
    arrivals.map(({ value }) => value).sort((x, y) => x - y),
  )
  t.deepEqual(await run(7), arrivals)
  t.notDeepEqual(await run(8), arrivals)
})

test('bandwidth spaces datagrams, and its queue overflows', async t => {
  const { scheduler, arrivals, send } = await pair(1, { bytesPerSecond: 100_000, queueBytes: 1000 })
  send(50)
  scheduler.run()
  // 100 bytes take a millisecond; the queue holds ten, and one is being sent.
  t.is(arrivals.length, 11)
  t.deepEqual(
    arrivals.map(({ at }) => Math.round(at)),
    Array.from({ length: 11 }, (_, index) => index + 1),
  )
})

test('one direction of one link can be cut and healed', async t => {
  const { scheduler, network, arrivals, a, b, send } = await pair(1, {})
  network.setLink(a.local, b.local, { loss: 1 })
  send(5)
  scheduler.run()
  t.is(arrivals.length, 0)
  network.setLink(a.local, b.local, {})
  send(5)
  scheduler.run()
  t.is(arrivals.length, 5)
})
