import test from 'ava'
import { MAX_RADIUS } from '../../src/portal/knowledge/radius.ts'
import type { SimulatedNode } from '../testing/portal/simulated-node.ts'
import { Simulation } from '../testing/portal/simulation.ts'
import { contentOf, keyOf } from '../testing/portal/sub-network.ts'

const MINUTE = 60_000

/** So many nodes that know the first, and have had time to find each other. */
function network(simulation: Simulation, count: number, radius = MAX_RADIUS): SimulatedNode[] {
  const nodes = Array.from({ length: count }, (_, number) => simulation.add({ number, radius }))
  for (const node of nodes.slice(1)) node.handle({ type: 'bootstrap', records: [nodes[0]!.record] })
  simulation.run(2 * MINUTE)
  return nodes
}

test('two nodes: one is told of the other, finds its content, small inline and large over uTP', t => {
  const simulation = new Simulation({ seed: 1 })
  const [a, b] = [simulation.add({ number: 1 }), simulation.add({ number: 2 })]
  const [small, large] = [keyOf(1), keyOf(2)]
  b.keep(small, contentOf(small, 1175))
  b.keep(large, contentOf(large, 1176))
  const added = a.call({ type: 'add-record', record: b.record })
  // At once: a user who adds a record does not wait for pings.
  const lookups = [small, large].map(key => a.call({ type: 'lookup-content', key, startedAtMs: 1_700_000_000_000 }))
  simulation.run(MINUTE)
  t.like(a.result(added), { type: 'record-added', added: true })
  for (const [index, ref] of lookups.entries()) {
    const result = a.result(ref)
    if (result.type !== 'found') return t.fail(JSON.stringify(result))
    t.is(result.utpTransfer, index === 1)
    t.is(result.content.length, 1175 + index)
    t.is(result.from.nodeIdHex, b.record.nodeIdHex)
    const { trace } = result
    t.is(trace?.receivedFrom, b.record.nodeIdHex)
    t.is(trace?.origin, a.record.nodeIdHex)
    t.is(trace?.startedAtMs, 1_700_000_000_000)
    t.deepEqual(trace?.responses[a.record.nodeIdHex]?.respondedWith, [b.record.nodeIdHex])
    t.deepEqual(trace?.responses[b.record.nodeIdHex]?.respondedWith, [])
    t.is(trace?.metadata[b.record.nodeIdHex]?.enr, b.record.text)
    t.deepEqual(trace?.cancelled, [])
  }
  t.deepEqual(simulation.leftovers(), [])
})

test('eight nodes with loss: what one puts, all have; every slot is given back', t => {
  const simulation = new Simulation({ seed: 2, loss: 0.05, breakage: 0.05 })
  const nodes = network(simulation, 8)
  for (const node of nodes) t.is(node.overlay.snapshot().members, 7)
  const keys = Array.from({ length: 30 }, (_, index) => keyOf(index))
  const puts = keys.map(key => nodes[0]!.call({ type: 'gossip', key, content: contentOf(key, 5_000), lookup: true }))
  simulation.run(3 * MINUTE)
  for (const ref of puts) {
    const result = nodes[0]!.result(ref)
    if (result.type !== 'gossiped') return t.fail(JSON.stringify(result))
    t.true(result.peerCount >= 4, `${result.peerCount} peers`)
    t.true(result.acceptMetadata.acceptedCount >= 1)
  }
  let missing = 0
  for (const node of nodes.slice(1)) for (const key of keys) if (!node.has(key)) missing += 1
  t.true(missing <= 2, `${missing} of ${7 * keys.length} items are missing`)
  t.deepEqual(simulation.leftovers(), [])
})

test('forty nodes with small radii and loss: content goes where it belongs, and everybody finds it', t => {
  const simulation = new Simulation({ seed: 3, loss: 0.03 })
  const radius = MAX_RADIUS >> 2n
  const nodes = network(simulation, 40, radius)
  const keys = Array.from({ length: 12 }, (_, index) => keyOf(100 + index))
  const puts = keys.map((key, index) => {
    const node = nodes[(index * 7) % nodes.length]!
    return { node, ref: node.call({ type: 'gossip', key, content: contentOf(key, 900 + index * 100), lookup: true }) }
  })
  simulation.run(2 * MINUTE)
  for (const { node, ref } of puts) t.like(node.result(ref), { type: 'gossiped' })
  for (const key of keys) {
    const holders = nodes.filter(node => node.has(key))
    t.true(holders.length >= 4, `${holders.length} nodes hold it`)
  }
  const lookups = nodes.flatMap(node =>
    keys.filter(key => !node.has(key)).map(key => ({ node, ref: node.call({ type: 'lookup-content', key }) })),
  )
  simulation.run(3 * MINUTE)
  const failed = lookups.filter(({ node, ref }) => node.result(ref).type !== 'found')
  t.is(failed.length, 0, `${failed.length} of ${lookups.length} lookups failed`)
  t.deepEqual(simulation.leftovers(), [])
})

test('recursive find nodes gives the closest nodes, and the record of any node is found', t => {
  const simulation = new Simulation({ seed: 4 })
  const nodes = network(simulation, 30)
  const target = nodes[17]!.record.nodeId
  const lookup = nodes[3]!.call({ type: 'lookup-nodes', target })
  const record = nodes[3]!.call({ type: 'lookup-record', nodeId: target })
  const own = nodes[3]!.call({ type: 'lookup-record', nodeId: nodes[3]!.record.nodeId })
  simulation.run(MINUTE)
  const found = nodes[3]!.result(lookup)
  if (found.type !== 'nodes') return t.fail()
  t.is(found.records.length, 16)
  t.is(found.records[0]?.nodeIdHex, nodes[17]!.record.nodeIdHex)
  t.like(nodes[3]!.result(record), { type: 'record-found', record: { nodeIdHex: nodes[17]!.record.nodeIdHex } })
  t.like(nodes[3]!.result(own), { type: 'record-found', record: { nodeIdHex: nodes[3]!.record.nodeIdHex } })
  t.deepEqual(simulation.leftovers(), [])
})

test('content that is not what its key says is not taken; who sent it loses its place, and another source is found', t => {
  const simulation = new Simulation({ seed: 5 })
  const nodes = network(simulation, 6)
  const keys = [keyOf(1), keyOf(2)]
  // Three lie, two hold the truth; small and large.
  for (const node of nodes.slice(1))
    for (const [index, key] of keys.entries()) node.keep(key, contentOf(key, 500 + index * 5_000))
  for (const liar of nodes.slice(1, 4)) liar.lies = true
  const lookups = keys.map(key => nodes[0]!.call({ type: 'lookup-content', key }))
  simulation.run(2 * MINUTE)
  for (const ref of lookups) {
    const result = nodes[0]!.result(ref)
    t.is(result.type, 'found')
    if (result.type === 'found') t.true(nodes.slice(4).some(node => node.record.nodeIdHex === result.from.nodeIdHex))
  }
  t.true((nodes[0]!.overlay.snapshot().counters.distrusted ?? 0) > 0)
  t.deepEqual(simulation.leftovers(), [])
})

test('peers that have content and never send it do not keep a lookup from another source', t => {
  for (let seed = 1; seed <= 12; seed++) {
    const simulation = new Simulation({ seed })
    const nodes = network(simulation, 5)
    const key = keyOf(9)
    for (const node of nodes.slice(1)) node.keep(key, contentOf(key, 50_000))
    for (const staller of nodes.slice(1, 4)) staller.stalls = true
    const ref = nodes[0]!.call({ type: 'lookup-content', key })
    simulation.run(2 * MINUTE)
    const result = nodes[0]!.result(ref)
    t.is(result.type, 'found', `seed ${seed}`)
    if (result.type === 'found') t.is(result.from.nodeIdHex, nodes[4]!.record.nodeIdHex)
    t.deepEqual(simulation.leftovers(), [])
  }
})

test('POKE: a node on the way that should have had the content is offered it', t => {
  const simulation = new Simulation({ seed: 7 })
  const nodes = network(simulation, 6)
  const key = keyOf(11)
  nodes[5]!.keep(key, contentOf(key, 3_000))
  const ref = nodes[0]!.call({ type: 'lookup-content', key })
  simulation.run(2 * MINUTE)
  t.is(nodes[0]!.result(ref).type, 'found')
  t.true(nodes.slice(1, 5).filter(node => node.has(key)).length > 0, 'nobody on the way has it')
  t.deepEqual(simulation.leftovers(), [])
})

test('content that nobody has: CONTENT_NOT_FOUND with its trace; a caller who leaves gets ASK_ABORTED', t => {
  const simulation = new Simulation({ seed: 8 })
  const nodes = network(simulation, 5)
  const absent = nodes[0]!.call({ type: 'lookup-content', key: keyOf(1), startedAtMs: 5 })
  const left = nodes[0]!.call({ type: 'lookup-content', key: keyOf(2) })
  const badKey = nodes[0]!.call({ type: 'lookup-content', key: Uint8Array.of(1, 2, 3) })
  nodes[0]!.handle({ type: 'cancel', ref: left })
  simulation.run(MINUTE)
  const result = nodes[0]!.result(absent)
  if (result.type !== 'failed') return t.fail()
  t.is(result.code, 'CONTENT_NOT_FOUND')
  t.is(Object.keys(result.trace?.responses ?? {}).length, 5)
  t.is(result.trace?.receivedFrom, undefined)
  t.like(nodes[0]!.result(left), { type: 'failed', code: 'ASK_ABORTED' })
  t.like(nodes[0]!.result(badKey), { type: 'failed', code: 'CONTENT_KEY_INVALID' })
  t.deepEqual(simulation.leftovers(), [])
})

test('a node that is silent leaves the table; its bucket is told nothing of it', t => {
  const simulation = new Simulation({ seed: 9 })
  const nodes = network(simulation, 6)
  nodes[5]!.isDown = true
  simulation.run(5 * MINUTE)
  for (const node of nodes.slice(0, 5)) {
    t.is(node.overlay.record(nodes[5]!.record.nodeIdHex), undefined)
    t.is(node.overlay.snapshot().members, 4)
  }
  // It comes back and is found again.
  nodes[5]!.isDown = false
  nodes[5]!.handle({ type: 'bootstrap', records: [nodes[0]!.record] })
  simulation.run(5 * MINUTE)
  t.is(nodes[5]!.overlay.snapshot().members, 5)
  t.not(nodes[0]!.overlay.record(nodes[5]!.record.nodeIdHex), undefined)
})

test('own radius and record: later pings tell them', t => {
  const simulation = new Simulation({ seed: 10 })
  const nodes = network(simulation, 3)
  const [a, b] = [nodes[0]!, nodes[1]!]
  t.is(b.overlay.radiusOf(a.record.nodeIdHex), MAX_RADIUS)
  a.handle({ type: 'radius-changed', radius: 12_345n })
  a.own.set({ tcp: 1 })
  a.handle({ type: 'record-changed', record: a.own.publish() })
  simulation.run(3 * MINUTE)
  t.is(b.overlay.radiusOf(a.record.nodeIdHex), 12_345n)
  t.is(b.overlay.record(a.record.nodeIdHex)?.seq, a.record.seq)
})
