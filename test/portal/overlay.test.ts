import test from 'ava'
import fc from 'fast-check'
import { toHex } from '../../src/codec/hex.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import { decodeMessage, encodeMessage, type PortalMessage } from '../../src/portal/message.ts'
import { decodePingPayload, encodePingPayload } from '../../src/portal/ping-extension.ts'
import { Overlay, type OverlayInput, type OverlayLimits, type OverlayOutput } from '../../src/portal/portal.ts'
import { MAX_RADIUS } from '../../src/portal/radius.ts'
import { seededRandomness } from '../../src/runtime/randomness.ts'
import { contentIdOf, contentOf, decoder, keyOf, PROTOCOL, recordOf, type Versions } from './simulation.ts'

const MAINNET: Versions = { min: 0, max: 2, chainId: 1n }

/** One overlay, driven by hand. */
class Bench {
  readonly record: NodeRecord
  readonly overlay: Overlay
  now = 0

  constructor(options: { versions?: Versions; radius?: bigint; limits?: Partial<OverlayLimits> } = {}) {
    this.record = recordOf(1, options.versions ?? MAINNET).current
    this.overlay = new Overlay({
      protocol: PROTOCOL,
      record: this.record,
      radius: options.radius ?? MAX_RADIUS,
      contentId: contentIdOf,
      records: decoder,
      randomness: seededRandomness(7),
      clientInfo: 'spimpl/test',
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    })
  }

  handle(input: OverlayInput): OverlayOutput[] {
    const outputs: OverlayOutput[] = []
    this.overlay.handle(input, this.now, output => outputs.push(output))
    return outputs
  }

  /** What is answered to a request, in the same turn or not at all. */
  request(from: NodeRecord, payload: Uint8Array): OverlayOutput[] {
    const token = { nodeIdHex: from.nodeIdHex, endpoint: { host: '127.0.0.1', port: 1 }, requestId: Uint8Array.of(1) }
    return this.handle({ type: 'talk-requested', from, payload, token })
  }

  ask(from: NodeRecord, message: PortalMessage, version = 2): OverlayOutput[] {
    return this.request(from, encodeMessage(message, version))
  }

  /** Lets time pass, and everything that is due in it happen. */
  pass(durationMs: number): OverlayOutput[] {
    const outputs: OverlayOutput[] = []
    const end = this.now + durationMs
    while (this.overlay.deadline() <= end) {
      this.now = Math.max(this.now, this.overlay.deadline())
      outputs.push(...this.handle({ type: 'timeout' }))
    }
    this.now = end
    return outputs
  }

  counter(name: string): number {
    return this.overlay.snapshot().counters[name] ?? 0
  }
}

function one<Type extends OverlayOutput['type']>(
  outputs: readonly OverlayOutput[],
  type: Type,
): Extract<OverlayOutput, { readonly type: Type }> {
  const found = outputs.filter(output => output.type === type)
  if (found.length !== 1)
    throw new Error(`expected one ${type}, got ${outputs.map(output => output.type).join(', ') || 'nothing'}`)
  return found[0] as Extract<OverlayOutput, { readonly type: Type }>
}

function answerOf(outputs: readonly OverlayOutput[], version = 2): PortalMessage {
  const decoded = decodeMessage(one(outputs, 'answer-talk').payload, version)
  if (!decoded.ok) throw new Error(decoded.detail)
  return decoded.value
}

const peer = recordOf(2, MAINNET).current
const other = recordOf(3, MAINNET).current

const ping = (payloadType: number, payload: Uint8Array, enrSeq = 1n): PortalMessage => ({
  type: 'ping',
  enrSeq,
  payloadType,
  payload,
})

// ── Versions and chains ────────────────────────────────────────────────────────────────────────────────────────────

const legacy = (min: number, max: number): Versions => ({ min, max, chainId: undefined })
const current = (min: number, max: number, chainId = 1n): Versions => ({ min, max, chainId })

// nimbus' test_portal_wire_version.nim, and the combinations that it leaves out.
const negotiations: readonly (readonly [string, Versions, Versions | undefined, number | string])[] = [
  ['no Portal entry is version 0', current(0, 1), undefined, 0],
  ['versions above ours, other chain', current(0, 1), current(2, 255, 2n), 'PORTAL_CHAIN_MISMATCH'],
  ['1 to 3 with 0 to 1', current(0, 1), current(1, 3), 1],
  ['0 to 3 with 0 to 2', current(0, 2), current(0, 3), 2],
  ['1 to 3 on another chain', current(0, 1), current(1, 3, 2n), 'PORTAL_CHAIN_MISMATCH'],
  ['pv [0] with 0 to 2', current(0, 2), legacy(0, 0), 0],
  ['pv [0, 1] with 0 to 2', current(0, 2), legacy(0, 1), 1],
  ['pv [1] with 0 to 2', current(0, 2), legacy(1, 1), 1],
  ['nimbus, 2 to 2', current(0, 2), current(2, 2), 2],
  ['pv [0, 1] with 2 to 2', current(2, 2), legacy(0, 1), 'PORTAL_VERSION_MISMATCH'],
  ['no Portal entry with 2 to 2', current(2, 2), undefined, 'PORTAL_VERSION_MISMATCH'],
  ['pv [0, 1] on Sepolia', current(0, 2, 11155111n), legacy(0, 1), 'PORTAL_CHAIN_MISMATCH'],
]

for (const [name, own, theirs, expected] of negotiations) {
  test(`version: ${name}`, t => {
    const bench = new Bench({ versions: own })
    const them = recordOf(2, theirs).current
    const ref = 77
    const outputs = bench.handle({
      type: 'offer',
      ref,
      to: them,
      items: [{ key: keyOf(1), content: contentOf(keyOf(1), 20) }],
    })
    const incoming = bench.ask(them, { type: 'find-nodes', distances: [0] }, 2)
    const added = one(bench.handle({ type: 'add-record', ref: 1, record: them }), 'record-added').added
    if (typeof expected === 'string') {
      t.like(one(outputs, 'failed'), { ref, code: expected })
      t.is(one(incoming, 'answer-talk').payload.length, 0)
      t.is(bench.counter(`refused.${expected}`), 1)
      t.false(added)
      return
    }
    t.true(added)
    t.is(answerOf(incoming).type, 'nodes')
    // Their ACCEPT is a bit list at version 0 and a byte list from version 1.
    const { ref: talk } = one(outputs, 'talk')
    const accept = encodeMessage({ type: 'accept', connectionId: 300, codes: Uint8Array.of(0) }, expected)
    const send = one(bench.handle({ type: 'talk-answered', ref: talk, payload: accept }), 'send')
    t.like(send, { version: expected, prefixed: true, connectionId: 300 })
    t.like(one(bench.handle({ type: 'transfer-done', ref: send.ref }), 'offered'), { ref, codes: Uint8Array.of(0) })
  })
}

test('FIND_CONTENT over uTP has a length prefix from version 1, both ways', t => {
  for (const version of [0, 1, 2]) {
    const bench = new Bench()
    const them = recordOf(2, current(version, version)).current
    const asked = one(bench.ask(them, { type: 'find-content', key: keyOf(1) }, version), 'want-content')
    const given = bench.handle({ type: 'content-read', ref: asked.ref, content: contentOf(keyOf(1), 2_000) })
    t.is(given[0]?.type, 'serve', 'the stream is awaited before the peer hears of it')
    const serve = one(given, 'serve')
    t.is(serve.prefixed, version > 0)
    t.like(answerOf(given, version), { type: 'content', kind: 'connection-id', connectionId: serve.connectionId })
    const { ref } = one(bench.handle({ type: 'find-content', ref: 1, to: them, key: keyOf(2) }), 'talk')
    const payload = encodeMessage({ type: 'content', kind: 'connection-id', connectionId: 9 }, version)
    t.like(one(bench.handle({ type: 'talk-answered', ref, payload }), 'fetch'), {
      prefixed: version > 0,
      version,
      connectionId: 9,
    })
  }
})

test('a malformed Portal entry is no version 0', t => {
  const bench = new Bench()
  for (const [number, p] of [Uint8Array.of(0xc0), Uint8Array.of(0xc3, 2, 1, 1)].entries()) {
    const broken = recordOf(20 + number, undefined)
    broken.set({ p: { rlp: p } })
    const outputs = bench.handle({ type: 'ping', ref: number, to: broken.publish() })
    t.like(one(outputs, 'failed'), { code: 'PORTAL_VERSION_MISMATCH' })
  }
})

// ── Pings ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test('the first ping to a node is of type 0; later ones of type 1 where it has announced it, and of type 0 to nimbus', t => {
  for (const [capabilities, later] of [
    [[0, 1, 65535], 1],
    [[0, 2], 0],
  ] as const) {
    const bench = new Bench()
    const types: number[] = []
    let outputs = bench.handle({ type: 'add-record', ref: 1, record: peer })
    for (let second = 0; second < 240; second++) {
      outputs = [...outputs, ...bench.pass(1_000)]
      const talks = outputs.filter(output => output.type === 'talk')
      outputs = []
      for (const talk of talks) {
        const message = decodeMessage(talk.payload, 2)
        if (!message.ok) return t.fail()
        let answer: PortalMessage = { type: 'nodes', total: 1, records: [] }
        if (message.value.type === 'ping') {
          const { payloadType } = message.value
          types.push(payloadType)
          const payload = encodePingPayload(
            payloadType === 0
              ? { payloadType: 0, clientInfo: 'x', radius: 5n, capabilities }
              : { payloadType: 1, radius: 6n },
          )
          answer = { type: 'pong', enrSeq: 1n, payloadType, payload }
        }
        outputs.push(...bench.handle({ type: 'talk-answered', ref: talk.ref, payload: encodeMessage(answer, 2) }))
      }
    }
    t.true(types.length >= 2, `${types.length} pings`)
    t.is(types[0], 0)
    t.true(
      types.slice(1).every(type => type === later),
      types.join(),
    )
    t.is(bench.overlay.radiusOf(peer.nodeIdHex), later === 1 ? 6n : 5n)
  }
})

test('a PING is answered in its type, a type that we do not have with error 0, bytes that are not its type with error 2', t => {
  const bench = new Bench({ radius: 99n })
  const capabilities = encodePingPayload({ payloadType: 0, clientInfo: 'nimbus', radius: 7n, capabilities: [0, 2] })
  const cases: readonly (readonly [PortalMessage, object])[] = [
    [ping(0, capabilities), { payloadType: 0, radius: 99n, clientInfo: 'spimpl/test', capabilities: [0, 1, 65535] }],
    [ping(1, encodePingPayload({ payloadType: 1, radius: 8n })), { payloadType: 1, radius: 99n }],
    [ping(2, new Uint8Array(34)), { payloadType: 65535, errorCode: 0 }],
    [
      ping(65535, encodePingPayload({ payloadType: 65535, errorCode: 0, message: '' })),
      { payloadType: 65535, errorCode: 0 },
    ],
    [ping(0, capabilities.subarray(0, 39)), { payloadType: 65535, errorCode: 2 }],
    [ping(1, new Uint8Array(31)), { payloadType: 65535, errorCode: 2 }],
  ]
  for (const [message, expected] of cases) {
    const answer = answerOf(bench.ask(peer, message))
    if (answer.type !== 'pong') return t.fail()
    const payload = decodePingPayload(answer.payloadType, answer.payload)
    t.like(payload, { ok: true, value: expected })
    t.is(answer.enrSeq, bench.record.seq)
  }
  t.is(bench.overlay.radiusOf(peer.nodeIdHex), 8n, 'what could not be understood changed nothing')
})

test('a higher seq in a ping or pong: the record is asked for once', t => {
  const bench = new Bench()
  const payload = encodePingPayload({ payloadType: 1, radius: 7n })
  t.like(one(bench.ask(peer, ping(1, payload, 9n)), 'resolve-record'), {
    seq: 9n,
    known: { nodeIdHex: peer.nodeIdHex },
  })
  t.is(bench.ask(peer, ping(1, payload, 9n)).filter(output => output.type === 'resolve-record').length, 0)
  const { ref } = one(bench.handle({ type: 'ping', ref: 1, to: peer }), 'talk')
  const pong = encodeMessage({ type: 'pong', enrSeq: 10n, payloadType: 1, payload }, 2)
  const outputs = bench.handle({ type: 'talk-answered', ref, payload: pong })
  t.like(one(outputs, 'resolve-record'), { seq: 10n })
  t.like(one(outputs, 'pong'), { ref: 1, enrSeq: 10n, payload: { payloadType: 1, radius: 7n } })
})

test('a user pings with the type or payload of their choice', t => {
  const bench = new Bench({ radius: 3n })
  const sent = (outputs: OverlayOutput[]) => {
    const message = decodeMessage(one(outputs, 'talk').payload, 2)
    if (!message.ok || message.value.type !== 'ping') throw new Error('expected a ping')
    return decodePingPayload(message.value.payloadType, message.value.payload)
  }
  t.like(sent(bench.handle({ type: 'ping', ref: 1, to: peer })), { value: { payloadType: 0, radius: 3n } })
  t.like(sent(bench.handle({ type: 'ping', ref: 2, to: peer, payloadType: 1 })), {
    value: { payloadType: 1, radius: 3n },
  })
  const own = { payloadType: 1, radius: 44n } as const
  t.like(sent(bench.handle({ type: 'ping', ref: 3, to: peer, payloadType: 1, payload: own })), { value: own })
  t.like(one(bench.handle({ type: 'ping', ref: 4, to: peer, payloadType: 2 }), 'failed'), {
    code: 'PORTAL_PAYLOAD_UNSUPPORTED',
  })
  t.throws(() => bench.handle({ type: 'ping', ref: 1, to: peer }), { code: 'USAGE' })
})

// ── What is answered ───────────────────────────────────────────────────────────────────────────────────────────────

test('FIND_NODES: records fit into one TALKRESP, live nodes only, never the asker', t => {
  const bench = new Bench()
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

test('OFFER: each key gets its code, one transfer brings what was taken, and its end frees all', t => {
  const bench = new Bench()
  const wrong = Uint8Array.of(9)
  const keys = [keyOf(1), wrong, keyOf(2), keyOf(1), keyOf(3)]
  const judge = one(bench.ask(peer, { type: 'offer', keys }), 'judge-offer')
  t.deepEqual(
    judge.items.map(item => toHex(item.key)),
    [keyOf(1), keyOf(2), keyOf(3)].map(key => toHex(key)),
  )
  const outputs = bench.handle({ type: 'offer-judged', ref: judge.ref, codes: [0, 2, 0] })
  t.is(outputs[0]?.type, 'receive', 'the stream is awaited before the peer hears of it')
  const receive = one(outputs, 'receive')
  const accept = answerOf(outputs)
  if (accept.type !== 'accept') return t.fail()
  t.deepEqual([...accept.codes], [0, 6, 2, 5, 0])
  t.is(accept.connectionId, receive.connectionId)
  t.not(accept.connectionId, 0)
  t.is(receive.items.length, 2)

  // Somebody else offers the same content: code 5, without a question. The same peer again at once: the same answer.
  t.deepEqual(answerOf(bench.ask(other, { type: 'offer', keys: [keyOf(3)] })), {
    type: 'accept',
    connectionId: 0,
    codes: Uint8Array.of(5),
  })
  t.deepEqual(answerOf(bench.ask(peer, { type: 'offer', keys })), accept)
  bench.handle({ type: 'transfer-item', ref: receive.ref, index: 0, content: contentOf(keyOf(1), 50), stored: true })
  t.deepEqual(
    [...(answerOf(bench.ask(other, { type: 'offer', keys: [keyOf(3)] })) as { codes: Uint8Array }).codes],
    [5],
  )
  bench.handle({ type: 'transfer-failed', ref: receive.ref, code: 'STREAM_RESET' })
  t.is(bench.overlay.snapshot().transfers.receive, 0)
  t.is(one(bench.ask(other, { type: 'offer', keys: [keyOf(3)] }), 'judge-offer').items.length, 1)
})

test('OFFER outside of the radius: code 3; beyond the limit of transfers: code 4; all from a store that is silent: code 1', t => {
  const far = new Bench({ radius: 0n })
  t.deepEqual(answerOf(far.ask(peer, { type: 'offer', keys: [keyOf(1), keyOf(2)] })), {
    type: 'accept',
    connectionId: 0,
    codes: Uint8Array.of(3, 3),
  })
  const bench = new Bench({ limits: { receives: 2, receivesOfPeer: 1 } })
  const offer = (from: NodeRecord, number: number) => {
    const outputs = bench.ask(from, { type: 'offer', keys: [keyOf(number)] })
    const judge = outputs.find(output => output.type === 'judge-offer')
    const answered = judge === undefined ? outputs : bench.handle({ type: 'offer-judged', ref: judge.ref, codes: [0] })
    const answer = answerOf(answered)
    return answer.type === 'accept' ? answer.codes[0] : undefined
  }
  t.is(offer(peer, 1), 0)
  t.is(offer(peer, 2), 4, 'one of a peer')
  t.is(offer(other, 3), 0)
  t.is(offer(recordOf(4, MAINNET).current, 4), 4, 'two in all')

  const slow = new Bench()
  t.is(slow.ask(peer, { type: 'offer', keys: [keyOf(1)] }).filter(output => output.type === 'answer-talk').length, 0)
  const late = slow.pass(10_000).filter(output => output.type === 'answer-talk')
  t.deepEqual(answerOf(late), { type: 'accept', connectionId: 0, codes: Uint8Array.of(1) })
})

test('an ACCEPT of another length, or of codes above 6: the offer fails, or they are declines', t => {
  const bench = new Bench()
  const items = [keyOf(1), keyOf(2)].map(key => ({ key, content: contentOf(key, 20) }))
  const answer = (ref: number, codes: number[]) => {
    const talk = one(bench.handle({ type: 'offer', ref, to: peer, items }), 'talk')
    const payload = encodeMessage({ type: 'accept', connectionId: 5, codes: Uint8Array.from(codes) }, 2)
    return bench.handle({ type: 'talk-answered', ref: talk.ref, payload })
  }
  t.like(one(answer(1, [0]), 'failed'), { ref: 1, code: 'PORTAL_MESSAGE_MALFORMED' })
  t.like(one(answer(2, [7, 255]), 'offered'), { ref: 2, codes: Uint8Array.of(7, 255) })
  const outputs = answer(3, [200, 0])
  t.is(one(outputs, 'send').items.length, 1)
  t.is(toHex(one(outputs, 'send').items[0]!.key), toHex(keyOf(2)))
  t.is(outputs.filter(output => output.type === 'offered').length, 0, 'settled only when it is sent')
})

test('a transfer that is never reported frees its slot in the end', t => {
  const bench = new Bench({ limits: { transferTimeoutMs: 60_000 } })
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
  const bench = new Bench()
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

// ── Any bytes ──────────────────────────────────────────────────────────────────────────────────────────────────────

const anything = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc
    .tuple(fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: 60 }))
    .map(([selector, rest]) => Uint8Array.of(selector, ...rest)),
)

test('any bytes as a request: answered once, or a question is asked; nothing is thrown, what is malformed is counted', t => {
  const bench = new Bench()
  fc.assert(
    fc.property(anything, fc.constantFrom(0, 1, 2), (payload, version) => {
      const from = recordOf(200 + version, current(version, version)).current
      const outputs = bench.request(from, payload)
      const answers = outputs.filter(output => output.type === 'answer-talk').length
      const questions = outputs.filter(output => output.type === 'want-content' || output.type === 'judge-offer').length
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
  const bench = new Bench()
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
  const bench = new Bench()
  const stray: readonly OverlayInput[] = [
    { type: 'talk-answered', ref: 5, payload: Uint8Array.of(1) },
    { type: 'talk-failed', ref: 5, code: 'REQUEST_TIMEOUT' },
    { type: 'content-read', ref: 5, content: undefined },
    { type: 'offer-judged', ref: 5, codes: [0] },
    { type: 'validated', ref: 5, valid: true },
    { type: 'transfer-item', ref: 5, index: 0, content: Uint8Array.of(1), stored: false },
    { type: 'transfer-done', ref: 5 },
    { type: 'transfer-failed', ref: 5, code: 'STREAM_RESET' },
    { type: 'cancel', ref: 5 },
    { type: 'timeout' },
  ]
  for (const input of stray) t.deepEqual(bench.handle(input), [], input.type)
  t.is(bench.overlay.deadline(), Number.POSITIVE_INFINITY)
})

test('bounds: requests, questions and candidates stop at their limits', t => {
  const bench = new Bench({ limits: { requests: 3, questions: 2, candidates: 4 } })
  const pings = [1, 2, 3, 4].map(ref => bench.handle({ type: 'ping', ref, to: peer }))
  t.like(one(pings[3]!, 'failed'), { ref: 4, code: 'REQUEST_LIMIT' })
  for (let index = 0; index < 5; index++)
    bench.ask(recordOf(300 + index, MAINNET).current, { type: 'find-content', key: keyOf(index) })
  t.is(bench.overlay.snapshot().questions, 2)
  t.is(bench.counter('limit.questions'), 3)
  t.is(bench.overlay.snapshot().candidates, 4)
  t.is(bench.counter('limit.candidates'), 1)
})
