import test from 'ava'
import type { OverlayOutput } from '../../../src/portal/portal.ts'
import { decodeMessage, encodeMessage, type PortalMessage } from '../../../src/portal/wire/message.ts'
import { decodePingPayload, encodePingPayload, type PingPayload } from '../../../src/portal/wire/ping-extension.ts'
import { answerOf, DrivenOverlay, one, peer, talks } from '../../testing/portal/driven-overlay.ts'

const ping = (payloadType: number, payload: Uint8Array, enrSeq = 1n): PortalMessage => ({
  type: 'ping',
  enrSeq,
  payloadType,
  payload,
})

test('the first ping to a node is of type 0; later ones of type 1 where it has announced it, and of type 0 to nimbus', t => {
  for (const [capabilities, later] of [
    [[0, 1, 65535], 1],
    [[0, 2], 0],
  ] as const) {
    const bench = new DrivenOverlay()
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
  const bench = new DrivenOverlay({ radius: 99n })
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
  const bench = new DrivenOverlay()
  const payload = encodePingPayload({ payloadType: 1, radius: 7n })
  t.like(one(bench.ask(peer, ping(1, payload, 9n)), 'fetch-record'), {
    seq: 9n,
    known: { nodeIdHex: peer.nodeIdHex },
  })
  t.is(bench.ask(peer, ping(1, payload, 9n)).filter(output => output.type === 'fetch-record').length, 0)
  const { ref } = one(bench.handle({ type: 'ping', ref: 1, to: peer, payloadType: 1 }), 'talk')
  const pong = encodeMessage({ type: 'pong', enrSeq: 10n, payloadType: 1, payload }, 2)
  const outputs = bench.handle({ type: 'talk-answered', ref, payload: pong })
  t.like(one(outputs, 'fetch-record'), { seq: 10n })
  t.like(one(outputs, 'pong'), { ref: 1, enrSeq: 10n, payload: { payloadType: 1, radius: 7n } })
  // It may have been lost.
  bench.now += 60_000
  t.like(one(bench.ask(peer, ping(1, payload, 10n)), 'fetch-record'), { seq: 10n })
})

test('a user pings with the type or payload of their choice', t => {
  const bench = new DrivenOverlay({ radius: 3n })
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

test('a pong of another type than its ping is refused; an error is passed on, and the next ping is of type 0 again', t => {
  const bench = new DrivenOverlay()
  const nextPing = () => {
    for (let step = 0; step < 1_000; step++) {
      for (const { ref, message } of talks(bench.pass(100))) {
        if (message.type === 'ping') return { ref, type: message.payloadType }
        bench.reply(ref, { type: 'nodes', total: 1, records: [] })
      }
    }
    throw new Error('expected a ping')
  }
  const pong = (ref: number, payload: PingPayload) => {
    const { payloadType } = payload
    const encoded = encodePingPayload(payload)
    return bench.reply(ref, { type: 'pong', enrSeq: 1n, payloadType, payload: encoded })
  }
  // What it announces in pings of its own introduces nobody.
  const capabilities = [0, 1, 65535]
  bench.ask(peer, ping(0, encodePingPayload({ payloadType: 0, clientInfo: '', radius: 1n, capabilities })))
  const first = nextPing()
  t.is(first.type, 0)
  pong(first.ref, { payloadType: 1, radius: 9n })
  t.is(bench.counter('malformed.pong.type'), 1)
  t.is(bench.overlay.radiusOf(peer.nodeIdHex), 1n)

  const second = nextPing()
  t.is(second.type, 0)
  pong(second.ref, { payloadType: 0, clientInfo: '', radius: 2n, capabilities })
  const third = nextPing()
  t.is(third.type, 1)
  pong(third.ref, { payloadType: 65535, errorCode: 0, message: '' })
  t.is(bench.counter('pong.error'), 1)
  const fourth = one(bench.handle({ type: 'ping', ref: 2, to: peer, payloadType: 1 }), 'talk')
  const outcome = one(pong(fourth.ref, { payloadType: 65535, errorCode: 3, message: 'tired' }), 'pong')
  t.deepEqual(outcome.payload, { payloadType: 65535, errorCode: 3, message: 'tired' })
})

test('a ping that had nowhere to go says so, one that had was not answered', t => {
  for (const [code, detail] of [
    ['PEER_NO_ENDPOINT', /^ping to 0x[0-9a-f]{64} could not be sent: the record names no address/],
    ['REQUEST_TIMEOUT', /^ping to 0x[0-9a-f]{64} was not answered$/],
  ] as const) {
    const bench = new DrivenOverlay()
    const asked = { type: 'ping', ref: 7, to: peer, payloadType: undefined, payload: undefined } as const
    const [talk] = talks(bench.handle(asked))
    const result = one(bench.handle({ type: 'talk-failed', ref: talk!.ref, code }), 'failed')
    t.like(result, { ref: 7, code })
    t.regex(result.detail, detail)
  }
})
