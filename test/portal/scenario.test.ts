import test from 'ava'
import fc from 'fast-check'
import { MAX_RADIUS } from '../../src/portal/knowledge/radius.ts'
import { Simulation } from '../testing/portal/simulation.ts'
import { contentOf, keyOf } from '../testing/portal/sub-network.ts'

/** Something that happens in a network, at a moment that chance gives. */
const event = fc.record({
  afterMs: fc.integer({ min: 0, max: 4_000 }),
  node: fc.nat({ max: 9 }),
  other: fc.nat({ max: 9 }),
  key: fc.nat({ max: 6 }),
  what: fc.constantFrom(
    'lookup',
    'traced lookup',
    'put',
    'offer',
    'find content',
    'find nodes',
    'ping',
    'lookup nodes',
    'lookup record',
    'cancel',
    'store',
    'down',
    'up',
    'lie',
    'stall',
    'radius',
    'remove',
    'moved',
  ),
})

test('anything that happens: each call settles once, each slot comes back, nothing is thrown', t => {
  let settled = 0
  fc.assert(
    fc.property(
      fc.array(event, { minLength: 60, maxLength: 120 }),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.constantFrom(0, 0.1, 0.3),
      (events, seed, loss) => {
        const simulation = new Simulation({ seed, loss, breakage: loss })
        const versions = [undefined, { min: 0, max: 1, chainId: undefined }, { min: 2, max: 2, chainId: 1n }]
        const nodes = Array.from({ length: 10 }, (_, number) =>
          simulation.add({
            number,
            ...(versions[number % 4] === undefined ? {} : { versions: versions[number % 4]! }),
            limits: { lookupTimeoutMs: 30_000, offers: 6, receives: 6, serves: 4, fetches: 4, gossipItems: 12 },
          }),
        )
        for (const node of nodes.slice(1)) node.handle({ type: 'bootstrap', records: [nodes[0]!.record] })
        simulation.run(20_000)
        const calls: { readonly node: (typeof nodes)[number]; readonly ref: number }[] = []
        for (const { afterMs, node: index, other, key: number, what } of events) {
          const node = nodes[index]!
          const to = nodes[other]!.record
          const key = keyOf(number)
          const content = contentOf(key, number * 700 + 20)
          const call = (input: Parameters<typeof node.call>[0]) => calls.push({ node, ref: node.call(input) })
          if (what === 'lookup') call({ type: 'lookup-content', key })
          else if (what === 'traced lookup') call({ type: 'lookup-content', key, startedAtMs: 1 })
          else if (what === 'put') call({ type: 'gossip', key, content, lookup: number % 2 === 0 })
          else if (what === 'offer') call({ type: 'offer', to, items: [{ key, content }] })
          else if (what === 'find content') call({ type: 'find-content', to, key })
          else if (what === 'find nodes') call({ type: 'find-nodes', to, distances: [0, 255, 256] })
          else if (what === 'ping') call({ type: 'ping', to, payloadType: number % 2 })
          else if (what === 'lookup nodes') call({ type: 'lookup-nodes', target: to.nodeId })
          else if (what === 'lookup record') call({ type: 'lookup-record', nodeId: to.nodeId })
          else if (what === 'remove') call({ type: 'remove-record', nodeIdHex: to.nodeIdHex })
          else if (what === 'cancel')
            node.handle({ type: 'cancel', ref: calls.findLast(made => made.node === node)?.ref ?? 0 })
          else if (what === 'store') node.keep(key, content)
          else if (what === 'down') node.isDown = true
          else if (what === 'up') node.isDown = false
          else if (what === 'lie') node.lies = !node.lies
          else if (what === 'stall') node.stalls = !node.stalls
          else if (what === 'radius') node.handle({ type: 'radius-changed', radius: MAX_RADIUS >> BigInt(number) })
          else {
            node.own.set({ udp: 20_000 + calls.length })
            node.handle({ type: 'record-changed', record: node.own.publish() })
          }
          simulation.run(afterMs)
        }
        simulation.run(4 * 60_000)
        for (const { node, ref } of calls) node.result(ref)
        settled += calls.length
        t.deepEqual(simulation.leftovers(), [])
      },
    ),
    { numRuns: 25 },
  )
  t.true(settled > 300, `${settled} calls`)
})
