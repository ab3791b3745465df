import test from 'ava'
import fc from 'fast-check'
import type { DiscoveryOutput } from '../../src/discv5/discv5.ts'
import { type NetworkConditions, TestNetwork, type TestNode } from '../testing/discv5/network.ts'

const ECHO = new TextEncoder().encode('echo')
const UTP = new TextEncoder().encode('utp')

const conditions: fc.Arbitrary<NetworkConditions> = fc.record({
  loss: fc.integer({ min: 0, max: 400 }),
  duplication: fc.integer({ min: 0, max: 300 }),
  latencyMs: fc.integer({ min: 0, max: 80 }),
  jitterMs: fc.integer({ min: 0, max: 100 }),
})

type Step =
  | { readonly do: 'talk'; readonly from: number; readonly to: number; readonly bytes: number }
  | { readonly do: 'send-talks'; readonly from: number; readonly to: number; readonly count: number }
  | { readonly do: 'ping' | 'find-nodes' | 'resolve'; readonly from: number; readonly to: number }
  | { readonly do: 'lookup'; readonly from: number }
  | { readonly do: 'restart'; readonly node: number }
  | { readonly do: 'wait'; readonly ms: number }

const index = fc.nat({ max: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('talk' as const), from: index, to: index, bytes: fc.nat({ max: 1300 }) }),
  fc.record({ do: fc.constant('send-talks' as const), from: index, to: index, count: fc.nat({ max: 20 }) }),
  fc.record({ do: fc.constantFrom('ping', 'find-nodes', 'resolve'), from: index, to: index }),
  fc.record({ do: fc.constant('lookup' as const), from: index }),
  fc.record({ do: fc.constant('restart' as const), node: index }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 700 }) }),
)

const OUTCOMES: ReadonlySet<DiscoveryOutput['type']> = new Set([
  'talk-answered',
  'request-failed',
  'pong',
  'nodes',
  'lookup-done',
  'resolved',
])

/** Performs the steps. @returns how often each request was settled */
function play(
  seed: number,
  conditions: NetworkConditions,
  steps: readonly Step[],
): { network: TestNetwork; settled: Map<string, number> } {
  const network = new TestNetwork(seed, conditions)
  const options = {
    oneWayProtocols: ['utp'],
    limits: { handshakesPerSecondPerAddress: 1e6, challengesPerSecondPerAddress: 1e6 },
  }
  const join = (privateKey?: Uint8Array, port?: number): TestNode => {
    const node = network.add({ ...options, ...(privateKey && { privateKey }), ...(port && { port }) })
    node.answer = payload => payload
    return node
  }
  const keys = Array.from({ length: 4 }, () => network.randomness.bytes(32))
  const nodes = keys.map((key, at) => join(key, 9_000 + at))
  const allNodes = [...nodes]
  const asked = new Map<string, number>()
  let ref = 0
  const ask = (node: TestNode): number => {
    ref++
    asked.set(`${allNodes.indexOf(node)} ${ref}`, 0)
    return ref
  }
  for (const [at, one] of steps.entries()) {
    if (one.do === 'wait') network.runFor(one.ms)
    else if (one.do === 'restart') {
      const old = nodes[one.node]!
      network.remove(old)
      // Its requests end with it.
      for (const key of asked.keys()) if (key.startsWith(`${allNodes.indexOf(old)} `)) asked.delete(key)
      nodes[one.node] = join(keys[one.node]!, old.endpoint.port)
      allNodes.push(nodes[one.node]!)
    } else if (one.do === 'lookup') {
      const node = nodes[one.from]!
      node.handle({ type: 'lookup', ref: ask(node), target: network.randomness.bytes(32) })
    } else {
      const [from, to] = [nodes[one.from]!, nodes[one.to]!]
      if (from === to) continue
      const { record } = to
      if (one.do === 'talk') {
        from.handle({ type: 'talk', ref: ask(from), to: record, protocol: ECHO, payload: new Uint8Array(one.bytes) })
      } else if (one.do === 'send-talks') {
        const payloads = Array.from({ length: one.count }, () => new Uint8Array(1 + at))
        from.handle({ type: 'send-talks', to: record, protocol: UTP, payloads })
      } else if (one.do === 'find-nodes') {
        from.handle({ type: 'find-nodes', ref: ask(from), to: record, distances: [0, 254, 255, 256] })
      } else if (one.do === 'resolve') {
        from.handle({ type: 'resolve', ref: ask(from), nodeId: record.nodeId })
      } else from.handle({ type: 'ping', ref: ask(from), to: record })
    }
  }
  network.runFor(20_000)
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (!OUTCOMES.has(output.type) || !('ref' in output)) continue
      const key = `${allNodes.indexOf(node)} ${output.ref}`
      asked.set(key, (asked.get(key) ?? 0) + 1)
    }
  }
  return { network, settled: asked }
}

test('in any conditions every request is settled exactly once and nothing remains', t => {
  fc.assert(
    fc.property(
      fc.integer(),
      conditions,
      fc.array(step, { minLength: 1, maxLength: 40 }),
      (seed, conditions, steps) => {
        const { network, settled } = play(seed, conditions, steps)
        for (const [key, times] of settled) t.is(times, 1, key)
        for (const node of network.nodes) {
          const snapshot = node.core.snapshot()
          for (const session of snapshot.sessions) {
            // Liveness checks of the table may be in flight.
            t.true(session.requestsInFlight <= 2)
            t.true(session.queued <= 2)
          }
          t.is(snapshot.lookups, 0)
          t.true(node.core.deadline() > network.now)
          for (const { batch } of node.emitted('send')) {
            for (const { bytes } of batch) t.true(bytes.length >= 63 && bytes.length <= 1280)
          }
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('without loss, every request of live nodes is answered, however packets overtake each other', t => {
  const lossless: fc.Arbitrary<NetworkConditions> = fc.record({
    duplication: fc.integer({ min: 0, max: 300 }),
    latencyMs: fc.integer({ min: 0, max: 30 }),
    jitterMs: fc.integer({ min: 0, max: 30 }),
  })
  const talks = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('talk' as const), from: index, to: index, bytes: fc.nat({ max: 1100 }) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 200 }) }),
    ),
    { minLength: 1, maxLength: 40 },
  )
  fc.assert(
    fc.property(fc.integer(), lossless, talks, (seed, conditions, steps) => {
      const { network } = play(seed, conditions, steps)
      for (const node of network.nodes) t.deepEqual(node.emitted('request-failed'), [])
    }),
    {
      numRuns: 40,
      examples: [
        // A message under the keys of one crossing handshake overtakes it.
        [
          -1084440626,
          { duplication: 0, latencyMs: 1, jitterMs: 2 },
          [
            { do: 'talk', from: 0, to: 2, bytes: 0 },
            { do: 'talk', from: 0, to: 1, bytes: 0 },
            { do: 'talk', from: 1, to: 2, bytes: 0 },
            { do: 'talk', from: 1, to: 0, bytes: 1076 },
          ],
        ],
        // So does an answer, and the challenge arrives twice.
        [
          -7,
          { duplication: 177, latencyMs: 3, jitterMs: 18 },
          [
            { do: 'talk', from: 3, to: 0, bytes: 0 },
            { do: 'talk', from: 2, to: 0, bytes: 0 },
            { do: 'talk', from: 0, to: 2, bytes: 0 },
          ],
        ],
      ],
    },
  )
})

test('any bytes may arrive: they are counted, and nothing throws', t => {
  const network = new TestNetwork(11)
  const [a, b] = [network.add(), network.add()]
  a.answer = b.answer = payload => payload
  a.handle({ type: 'talk', ref: 1, to: b.record, protocol: ECHO, payload: ECHO })
  network.runFor(300)
  const genuine = [...a.emitted('send'), ...b.emitted('send')].flatMap(output => output.batch.map(({ bytes }) => bytes))
  const received = fc.oneof(
    fc.uint8Array({ maxLength: 1400 }),
    fc.tuple(fc.nat(), fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 1280 })).map(([which, at, value, length]) => {
      const bytes = genuine[which % genuine.length]!.slice(0, Math.max(1, length))
      bytes[at % bytes.length] = value
      return bytes
    }),
  )
  const before = b.core.counters.get('packetsReceived')
  let sent = 0
  fc.assert(
    fc.property(received, fc.constantFrom(a.endpoint, { host: '127.0.0.9', port: 1 }), (bytes, endpoint) => {
      sent++
      b.handle({ type: 'datagrams', batch: [{ endpoint, bytes: bytes.slice() }] })
    }),
    { numRuns: 1000 },
  )
  t.is(b.core.counters.get('packetsReceived'), before + sent)
  t.true(b.core.counters.get('headerInvalid') + b.core.counters.get('packetSizeInvalid') > 0)
  // The session survives all of it.
  a.handle({ type: 'talk', ref: 2, to: b.record, protocol: ECHO, payload: ECHO })
  network.runFor(900)
  t.deepEqual(
    a.emitted('talk-answered').map(output => output.ref),
    [1, 2],
  )
})
