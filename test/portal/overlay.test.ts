import test from 'ava'
import fc from 'fast-check'
import { toHex } from '../../src/codec/hex.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import type { OverlayInput, OverlayOutput } from '../../src/portal/portal.ts'
import { encodeMessage } from '../../src/portal/wire/message.ts'
import { answerOf, DrivenOverlay, one, other, peer } from '../testing/portal/driven-overlay.ts'
import { contentOf, keyOf, MAINNET, recordOf, type Versions } from '../testing/portal/sub-network.ts'

test('FIND_NODES: records fit into one TALKRESP, live nodes only, never the asker', t => {
  const bench = new DrivenOverlay()
  const known = Array.from({ length: 60 }, (_, index) => recordOf(100 + index, MAINNET).current)
  for (const [index, record] of known.entries()) {
    // Half of them have answered.
    if (index % 2 === 0) {
      const { ref } = one(bench.handle({ type: 'find-nodes', ref: 1000 + index, to: record, distances: [] }), 'talk')
      bench.handle({ type: 'talk-answered', ref, payload: encodeMessage({ type: 'nodes', total: 1, records: [] }, 2) })
    } else bench.handle({ type: 'add-record', ref: 1000 + index, record })
  }
  const asker = known[0]!
  const distances = Array.from({ length: 257 }, (_, distance) => distance)
    .reverse()
    .slice(0, 256)
  const outputs = bench.ask(asker, { type: 'find-nodes', distances })
  const { payload } = one(outputs, 'answer-talk')
  t.true(payload.length <= 1177 && payload.length > 1177 - 300, `${payload.length} bytes`)
  const answer = answerOf(outputs)
  if (answer.type !== 'nodes') return t.fail()
  const live = new Set(known.filter((_, index) => index % 2 === 0 && index > 0).map(record => toHex(record.bytes)))
  t.true(answer.records.length > 4 && answer.records.every(bytes => live.has(toHex(bytes))))
  const own = answerOf(bench.ask(asker, { type: 'find-nodes', distances: [0] }))
  t.deepEqual(own, { type: 'nodes', total: 1, records: [bench.record.bytes] })
  const closest = bench.ask(asker, { type: 'find-content', key: keyOf(1) })
  const given = bench.handle({ type: 'content-read', ref: one(closest, 'want-content').ref, content: undefined })
  t.true(one(given, 'answer-talk').payload.length <= 1177)
  const nodes = answerOf(given)
  if (nodes.type !== 'content' || nodes.kind !== 'records') return t.fail()
  t.true(nodes.records.length > 4 && nodes.records.every(bytes => live.has(toHex(bytes))))
})

test('who asks from far away is not told of nodes of a network that it cannot reach', t => {
  const bench = new DrivenOverlay()
  const far = recordOf(50, MAINNET)
  far.set({ ip: Uint8Array.of(8, 8, 8, 8) })
  const asker = far.publish()
  const global = recordOf(51, MAINNET)
  global.set({ ip: Uint8Array.of(1, 1, 1, 1) })
  const reachable = global.publish()
  bench.befriend([other, reachable])
  const distances = Array.from({ length: 256 }, (_, index) => index + 1)
  const told = (from: NodeRecord): string[] => {
    const nodes = answerOf(bench.ask(from, { type: 'find-nodes', distances }))
    const { ref } = one(bench.ask(from, { type: 'find-content', key: keyOf(1) }), 'want-content')
    const content = answerOf(bench.handle({ type: 'content-read', ref, content: undefined }))
    if (nodes.type !== 'nodes' || content.type !== 'content' || content.kind !== 'records') throw new Error()
    t.deepEqual(nodes.records.map(toHex).sort(), content.records.map(toHex).sort())
    return nodes.records.map(toHex).sort()
  }
  t.deepEqual(told(asker), [toHex(reachable.bytes)])
  t.deepEqual(told(peer), [toHex(reachable.bytes), toHex(other.bytes)].sort())
})

test('a transfer that is never reported frees its slot in the end', t => {
  const bench = new DrivenOverlay({ limits: { transferTimeoutMs: 60_000 } })
  const { ref } = one(bench.handle({ type: 'find-content', ref: 1, to: peer, key: keyOf(1) }), 'talk')
  const payload = encodeMessage({ type: 'content', kind: 'connection-id', connectionId: 9 }, 2)
  const fetch = one(bench.handle({ type: 'talk-answered', ref, payload }), 'fetch')
  t.is(bench.overlay.snapshot().transfers.fetch, 1)
  const outputs = bench.pass(61_000)
  t.like(one(outputs, 'cancel-transfer'), { ref: fetch.ref })
  t.like(one(outputs, 'failed'), { ref: 1, code: 'STREAM_TIMEOUT' })
  t.is(bench.overlay.snapshot().transfers.fetch, 0)
})

test('relayed records: bad signatures, wrong distances, loopback from afar and doubles are left out and counted', t => {
  const bench = new DrivenOverlay()
  const far = recordOf(50, MAINNET)
  far.set({ ip: Uint8Array.of(8, 8, 8, 8) })
  const source = far.publish()
  const forged = other.bytes.slice()
  forged[20]! ^= 1
  const { ref } = one(bench.handle({ type: 'find-nodes', ref: 1, to: source, distances: [0, 250, 256] }), 'talk')
  const records = [forged, other.bytes, source.bytes, source.bytes]
  const outputs = bench.handle({
    type: 'talk-answered',
    ref,
    payload: encodeMessage({ type: 'nodes', total: 1, records }, 2),
  })
  t.deepEqual(
    one(outputs, 'nodes').records.map(record => record.nodeIdHex),
    [source.nodeIdHex],
  )
  t.is(bench.counter('malformed.relayed.record'), 1)
  t.is(bench.counter('malformed.relayed.address'), 1)
  t.is(bench.counter('malformed.relayed.duplicate'), 1)
})

const current = (min: number, max: number, chainId = 1n): Versions => ({ min, max, chainId })

const anything = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc
    .tuple(fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: 60 }))
    .map(([selector, rest]) => Uint8Array.of(selector, ...rest)),
)

test('any bytes as a request: answered once, or a question is asked; nothing is thrown, what is malformed is counted', t => {
  const bench = new DrivenOverlay()
  fc.assert(
    fc.property(anything, fc.constantFrom(0, 1, 2), (payload, version) => {
      const from = recordOf(200 + version, current(version, version)).current
      const outputs = bench.request(from, payload)
      const answers = outputs.filter(output => output.type === 'answer-talk').length
      const questions = outputs.filter(
        output => output.type === 'want-content' || output.type === 'want-presence',
      ).length
      t.is(answers + questions, 1)
    }),
    { numRuns: 1_000 },
  )
  bench.pass(60_000)
  t.is(bench.overlay.snapshot().questions, 0)
  const { counters } = bench.overlay.snapshot()
  t.true(
    Object.keys(counters).filter(name => name.startsWith('malformed.request.')).length >= 4,
    JSON.stringify(counters),
  )
})

test('any bytes as an answer: the call is settled once, whatever was asked', t => {
  const bench = new DrivenOverlay()
  let ref = 0
  fc.assert(
    fc.property(anything, fc.integer({ min: 0, max: 4 }), (payload, kind) => {
      ref += 1
      const key = keyOf(1)
      const calls: readonly OverlayInput[] = [
        { type: 'ping', ref, to: peer },
        { type: 'find-nodes', ref, to: peer, distances: [256] },
        { type: 'find-content', ref, to: peer, key },
        { type: 'offer', ref, to: peer, items: [{ key, content: key }] },
        { type: 'lookup-record', ref, nodeId: other.nodeId },
      ]
      let outputs = bench.handle(calls[kind]!)
      const talks = outputs.filter(output => output.type === 'talk')
      for (const talk of talks)
        outputs = [...outputs, ...bench.handle({ type: 'talk-answered', ref: talk.ref, payload })]
      outputs = [...outputs, ...bench.pass(30 * 60_000)]
      const settled = outputs.filter(output => 'ref' in output && output.ref === ref && isResult(output))
      t.is(settled.length, 1, JSON.stringify(outputs.map(output => output.type)))
    }),
    { numRuns: 400 },
  )
  const { requests, calls, transfers, questions } = bench.overlay.snapshot()
  t.deepEqual([requests, calls, questions, ...Object.values(transfers)], [0, 0, 0, 0, 0, 0, 0])
})

const RESULTS: readonly string[] = ['pong', 'nodes', 'found', 'record-found', 'offered', 'gossiped', 'failed']
const isResult = (output: OverlayOutput): boolean => RESULTS.includes(output.type)

test('answers, reports and questions that nobody asked for are passed over', t => {
  const bench = new DrivenOverlay()
  const stray: readonly OverlayInput[] = [
    { type: 'talk-answered', ref: 5, payload: Uint8Array.of(1) },
    { type: 'talk-failed', ref: 5, code: 'REQUEST_TIMEOUT' },
    { type: 'content-read', ref: 5, content: undefined },
    { type: 'presence', ref: 5, present: [false] },
    { type: 'verdict', ref: 5, valid: true },
    { type: 'transfer-item', ref: 5, index: 0, content: Uint8Array.of(1), stored: false },
    { type: 'transfer-done', ref: 5 },
    { type: 'transfer-failed', ref: 5, code: 'STREAM_RESET', blamesContent: false },
    { type: 'cancel', ref: 5 },
    { type: 'timeout' },
  ]
  for (const input of stray) t.deepEqual(bench.handle(input), [], input.type)
  t.is(bench.overlay.deadline(), Number.POSITIVE_INFINITY)
})

test('bounds: what is served over uTP, by number, by peer and by bytes; beyond, the closest nodes are told', t => {
  const kindOf = (driven: DrivenOverlay, from: NodeRecord, number: number) => {
    const asked = driven.ask(from, { type: 'find-content', key: keyOf(number) })
    const question = asked.find(output => output.type === 'want-content')
    const content = contentOf(keyOf(number), 2_000)
    const answer = answerOf(
      question === undefined ? asked : driven.handle({ type: 'content-read', ref: question.ref, content }),
    )
    return answer.type === 'content' ? answer.kind : answer.type
  }
  const driven = new DrivenOverlay({ limits: { serves: 3, servesOfPeer: 2 } })
  const third = recordOf(4, MAINNET).current
  const kinds = [peer, peer, peer, other, third].map((from, index) => kindOf(driven, from, index))
  t.deepEqual(kinds, ['connection-id', 'connection-id', 'records', 'connection-id', 'records'])
  const narrow = new DrivenOverlay({ limits: { serveBytes: 3_999 } })
  t.deepEqual([kindOf(narrow, peer, 1), kindOf(narrow, other, 2)], ['connection-id', 'records'])
})

test('bounds: what is read from the store for a peer, and for all; nothing is, where no transfer can follow', t => {
  const driven = new DrivenOverlay({ limits: { reads: 3, readsOfPeer: 2, servesOfPeer: 2 } })
  const ask = (from: NodeRecord, number: number): OverlayOutput[] =>
    driven.ask(from, { type: 'find-content', key: keyOf(number) })
  const isRead = (from: NodeRecord, number: number): boolean =>
    ask(from, number).some(output => output.type === 'want-content')
  const [first, second] = [1, 2].map(number => one(ask(peer, number), 'want-content').ref)
  t.false(isRead(peer, 3))
  t.true(isRead(other, 4))
  t.false(isRead(recordOf(4, MAINNET).current, 5))
  t.is(driven.counter('limit.reads'), 2)
  for (const ref of [first!, second!]) driven.handle({ type: 'content-read', ref, content: contentOf(keyOf(1), 2_000) })
  t.false(isRead(peer, 6), 'its two transfers are under way')
  t.is(driven.counter('limit.serves'), 1)
  driven.pass(60_000)
  t.true(isRead(other, 7), 'the store was silent')
})

test('bounds: requests, questions and candidates stop at their limits', t => {
  const bench = new DrivenOverlay({ limits: { requests: 3, questions: 2, candidates: 4 } })
  const pings = [1, 2, 3, 4].map(ref => bench.handle({ type: 'ping', ref, to: peer }))
  t.like(one(pings[3]!, 'failed'), { ref: 4, code: 'REQUEST_LIMIT' })
  for (let index = 0; index < 5; index++)
    bench.ask(recordOf(300 + index, MAINNET).current, { type: 'find-content', key: keyOf(index) })
  t.is(bench.overlay.snapshot().questions, 2)
  t.is(bench.counter('limit.questions'), 3)
  t.is(bench.overlay.snapshot().candidates, 4)
  t.is(bench.counter('limit.candidates'), 1)
})
