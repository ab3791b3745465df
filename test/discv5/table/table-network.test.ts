import test from 'ava'
import { compareDistance } from '../../../src/identity/distances.ts'
import type { RecordChanges } from '../../../src/identity/publishable-record.ts'
import { TestNetwork, type TestNode } from '../../testing/discv5/network.ts'

function joined(seed: number, count: number): TestNetwork {
  const network = new TestNetwork(seed)
  const first = network.add()
  for (let index = 1; index < count; index++) {
    const node = network.add()
    node.handle({ type: 'bootstrap', records: [first.record] })
    network.runFor(200)
  }
  network.runFor(30_000)
  return network
}

const live = (node: TestNode): number => [...node.core.table.slots()].filter(slot => slot.isLive).length

test('24 nodes that know one of them find each other', t => {
  const network = joined(1, 24)
  const known = network.nodes.map(live)
  // A bucket holds 16: the furthest half of all others may not all fit.
  t.true(Math.min(...known) >= 16, known.join(' '))
})

test('a lookup finds the 16 closest of 40 nodes, the closest first', t => {
  const network = joined(2, 40)
  const asker = network.nodes[17]!
  const target = network.randomness.bytes(32)
  asker.handle({ type: 'lookup', ref: 5, target })
  network.runFor(5_000)
  const [done] = asker.emitted('lookup-done')
  const closest = network.nodes
    .filter(node => node !== asker)
    .map(node => node.record)
    .sort((a, b) => compareDistance(target, a.nodeId, b.nodeId))
    .slice(0, 16)
  t.deepEqual(
    done?.records.map(record => record.nodeIdHex),
    closest.map(record => record.nodeIdHex),
  )
})

test('an unknown node is resolved through the network', t => {
  const network = joined(3, 12)
  const [asker, sought] = [network.nodes[3]!, network.nodes[9]!]
  asker.core.table.remove(sought.record.nodeIdHex)
  asker.handle({ type: 'resolve', ref: 1, nodeId: sought.record.nodeId })
  asker.handle({ type: 'resolve', ref: 2, nodeId: network.randomness.bytes(32) })
  asker.handle({ type: 'resolve', ref: 3, nodeId: asker.record.nodeId })
  network.runFor(8_000)
  const resolved = new Map(asker.emitted('resolved').map(output => [output.ref, output.record?.text]))
  t.is(resolved.get(1), sought.record.text)
  t.true(resolved.has(2))
  t.is(resolved.get(2), undefined)
  t.is(resolved.get(3), asker.record.text)
})

test('a removed node is not checked again, and a replacement takes its place', t => {
  const network = new TestNetwork(8)
  const node = network.add({ adoptAddress: false })
  const peers = Array.from({ length: 60 }, () => network.add())
  for (const { record } of peers) node.handle({ type: 'add-record', record })
  network.runFor(5_000)
  const full = node.core.snapshot().buckets.find(({ nodes }) => nodes.length === 16)
  const { nodeIdHex } = full!.nodes[3]!
  node.handle({ type: 'remove-record', ref: 4, nodeIdHex })
  t.deepEqual(node.emitted('record-removed'), [{ type: 'record-removed', ref: 4, removed: true }])
  t.deepEqual(node.emitted('node-lost'), [{ type: 'node-lost', nodeIdHex }])
  network.runFor(100_000)
  t.is(node.core.table.get(nodeIdHex), undefined)
  const bucket = node.core.snapshot().buckets.find(({ distance }) => distance === full!.distance)
  t.true(bucket?.nodes.length === 16 && bucket.nodes.every(({ live }) => live))
  node.handle({ type: 'remove-record', ref: 5, nodeIdHex })
  t.is(node.emitted('record-removed')[1]?.removed, false)
})

test('a node that has left leaves the tables and is reported lost', t => {
  const network = joined(4, 6)
  const gone = network.nodes[5]!
  network.remove(gone)
  network.runFor(900_000)
  for (const node of network.nodes) {
    t.is(node.core.table.get(gone.record.nodeIdHex), undefined)
    t.true(node.emitted('node-lost').some(output => output.nodeIdHex === gone.record.nodeIdHex))
    // No other node was lost.
    t.is(live(node), 4)
  }
})

test('a changed record reaches the nodes that know its owner', t => {
  const network = joined(5, 4)
  const [changed, ...others] = network.nodes as [TestNode, ...TestNode[]]
  changed.handle({ type: 'set-record', ref: 100, entries: { extra: Uint8Array.of(1, 2, 3) } })
  t.is(changed.emitted('record-changed').at(-1)?.record.seq, 2n)
  network.runFor(400_000)
  for (const other of others) {
    t.is(other.core.table.get(changed.record.nodeIdHex)?.record.seq, 2n)
    t.true(other.emitted('node-met').some(output => output.record.text === changed.record.text))
  }
})

test('the address that three peers see is published; two are not enough', t => {
  for (const [peers, adopted] of [
    [2, false],
    [3, true],
  ] as const) {
    const network = new TestNetwork(6)
    const node = network.add()
    node.handle({ type: 'set-record', ref: 100, entries: { ip: undefined, udp: undefined } })
    t.is(node.record.endpoint, undefined)
    for (let index = 0; index < peers; index++) {
      const peer = network.add()
      node.handle({ type: 'ping', ref: index, to: peer.record })
    }
    network.runFor(2_000)
    t.is(node.emitted('pong').length, peers)
    t.deepEqual(node.record.endpoint, adopted ? node.endpoint : undefined)
  }
})

test('invalid changes of the own record are refused, and an address that does not fit is not published', t => {
  const network = new TestNetwork(6)
  const node = network.add()
  const set = (entries: RecordChanges) => {
    node.handle({ type: 'set-record', ref: 7, entries })
    return node.outputs.at(-1)
  }
  t.like(set({ id: 'v5' }), { type: 'record-refused', ref: 7, error: { code: 'ENR_FIELD_INVALID' } })
  t.like(set({ large: new Uint8Array(250) }), { type: 'record-refused', ref: 7, error: { code: 'ENR_TOO_LARGE' } })
  t.is(node.record.seq, 1n)
  const full = set({ ip: undefined, udp: undefined, note: new Uint8Array(155) })
  t.like(full, { type: 'record-set', ref: 7 })
  t.is(full?.type === 'record-set' && full.record, node.record)
  for (let index = 0; index < 3; index++) node.handle({ type: 'ping', ref: index, to: network.add().record })
  network.runFor(2_000)
  t.is(node.emitted('pong').length, 3)
  t.is(node.record.endpoint, undefined)
  t.true(node.core.counters.get('addressesUnpublished') > 0)
})

test('a node with IPv6 alone uses the IPv6 address of a peer that has two, and keeps it in its table', t => {
  const network = new TestNetwork(8)
  const [node, peer] = [
    network.add({ host: '::1', hasIpv6Alone: true }),
    network.add({ host: '::1', adoptAddress: false }),
  ]
  // Nothing listens at the peer's IPv4 address, as far as this node can tell.
  peer.handle({ type: 'set-record', ref: 100, entries: { ip: Uint8Array.of(127, 0, 0, 1), udp: 9 } })
  t.is(peer.record.endpoint?.host, '127.0.0.1')
  node.handle({ type: 'ping', ref: 1, to: peer.record })
  network.runFor(5_000)
  t.is(node.emitted('pong').length, 1)
  t.true(node.core.table.slot(peer.record.nodeIdHex)?.isLive)
})

test('a node whose record has no address is reached through the session that it opened', t => {
  const network = new TestNetwork(7)
  const [hidden, peer] = [network.add({ adoptAddress: false }), network.add()]
  hidden.handle({ type: 'set-record', ref: 100, entries: { ip: undefined, udp: undefined } })
  peer.handle({ type: 'ping', ref: 1, to: hidden.record })
  t.like(peer.emitted('request-failed')[0], { ref: 1, code: 'PEER_NO_ENDPOINT' })
  hidden.handle({ type: 'ping', ref: 1, to: peer.record })
  network.runFor(500)
  peer.handle({ type: 'ping', ref: 2, to: hidden.record })
  network.runFor(500)
  t.like(peer.emitted('pong')[0], { ref: 2, ip: '127.0.0.1', port: peer.endpoint.port })
  // Other nodes could not reach it, so it is not in the table.
  t.is(peer.core.table.size, 0)
})

test('FINDNODE: the own record at distance 0, live nodes at the requested distances, in several packets', t => {
  const network = joined(8, 30)
  const [asker, asked] = [network.nodes[4]!, network.nodes[0]!]
  asker.handle({ type: 'find-nodes', ref: 1, to: asked.record, distances: [0] })
  asker.handle({ type: 'find-nodes', ref: 2, to: asked.record, distances: [256, 255, 254, 253] })
  asker.handle({ type: 'find-nodes', ref: 3, to: asked.record, distances: [1] })
  network.runFor(1_000)
  const found = new Map(asker.emitted('nodes').map(output => [output.ref, output.records]))
  t.deepEqual(
    found.get(1)?.map(record => record.text),
    [asked.record.text],
  )
  t.is(found.get(2)?.length, 16)
  t.deepEqual(found.get(3), [])
})
