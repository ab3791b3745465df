import test from 'ava'
import { TestNetwork } from '../testing/discv5/network.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

test('a first TALKREQ is answered after one handshake', t => {
  const network = new TestNetwork(1)
  const [a, b] = [network.add(), network.add()]
  b.answer = payload => payload
  a.handle({ type: 'talk', ref: 7, to: b.record, protocol: text('echo'), payload: text('hello') })
  network.runFor(500)
  t.deepEqual(a.emitted('talk-answered'), [{ type: 'talk-answered', ref: 7, payload: text('hello') }])
  t.is(b.core.counters.get('handshakesAccepted'), 1)
  t.is(a.core.counters.get('handshakesSent'), 1)
  t.deepEqual(
    a.emitted('node-met').map(output => output.record.nodeIdHex),
    [b.record.nodeIdHex],
  )
  t.is(b.emitted('node-met')[0]?.record.text, a.record.text)
})

test('a first TALKREQ of 1,000 bytes waits behind the handshake, beside which it does not fit', t => {
  const network = new TestNetwork(2)
  const [a, b] = [network.add(), network.add()]
  b.answer = payload => payload
  const payload = network.randomness.bytes(1000)
  a.handle({ type: 'talk', ref: 1, to: b.record, protocol: text('echo'), payload })
  network.runFor(500)
  t.deepEqual(a.emitted('talk-answered')[0]?.payload, payload)
  for (const output of [...a.emitted('send'), ...b.emitted('send')]) {
    for (const { bytes } of output.batch) t.true(bytes.length >= 63 && bytes.length <= 1280)
  }
})

test('64 requests at first contact share one handshake', t => {
  const network = new TestNetwork(3)
  const [a, b] = [network.add(), network.add()]
  b.answer = payload => payload
  for (let ref = 0; ref < 64; ref++) {
    a.handle({ type: 'talk', ref, to: b.record, protocol: text('echo'), payload: Uint8Array.of(ref) })
  }
  network.runFor(500)
  t.is(a.emitted('talk-answered').length, 64)
  t.is(b.core.counters.get('handshakesAccepted'), 1)
  t.is(b.core.counters.get('whoareyouSent'), 1)
})

test('both sides open at once: two handshakes cross, and every request is answered', t => {
  const network = new TestNetwork(4)
  const [a, b] = [network.add(), network.add()]
  a.answer = b.answer = payload => payload
  for (let ref = 0; ref < 8; ref++) {
    a.handle({ type: 'talk', ref, to: b.record, protocol: text('echo'), payload: Uint8Array.of(ref) })
    b.handle({ type: 'talk', ref, to: a.record, protocol: text('echo'), payload: Uint8Array.of(ref) })
  }
  network.runFor(900)
  t.is(a.emitted('talk-answered').length, 8)
  t.is(b.emitted('talk-answered').length, 8)
  t.is(a.core.counters.get('whoareyouReceived'), 1)
  t.is(b.core.counters.get('whoareyouReceived'), 1)
  for (const node of [a, b]) {
    const [session] = node.core.snapshot().sessions
    t.is(session?.state, 'established')
  }
})

test('a peer that restarts challenges: the requests are sent again, and one-way talks too', t => {
  const network = new TestNetwork(5)
  const a = network.add()
  const privateKey = network.randomness.bytes(32)
  const before = network.add({ privateKey, oneWayProtocols: ['utp'] })
  before.answer = payload => payload
  a.handle({ type: 'talk', ref: 1, to: before.record, protocol: text('echo'), payload: text('one') })
  network.runFor(500)
  t.is(a.emitted('talk-answered').length, 1)

  network.remove(before)
  const after = network.add({ privateKey, port: before.endpoint.port, oneWayProtocols: ['utp'] })
  after.answer = payload => payload
  t.is(after.record.nodeIdHex, before.record.nodeIdHex)
  a.handle({
    type: 'send-talks',
    to: before.record,
    protocol: text('utp'),
    payloads: [text('x'), text('y'), text('z')],
  })
  a.handle({ type: 'talk', ref: 2, to: before.record, protocol: text('echo'), payload: text('two') })
  a.handle({ type: 'talk', ref: 3, to: before.record, protocol: text('echo'), payload: text('three') })
  network.runFor(900)
  t.deepEqual(
    a
      .emitted('talk-answered')
      .map(output => output.ref)
      .sort(),
    [1, 2, 3],
  )
  t.deepEqual(a.emitted('request-failed'), [])
  t.deepEqual(
    after.emitted('talks-received').flatMap(output => output.payloads),
    [text('x'), text('y'), text('z')],
  )
})
