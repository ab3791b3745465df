import test from 'ava'
import { nodeCryptography } from '../../../src/crypto/node-cryptography.ts'
import { FINDNODE, type Message, NODES, PING, PONG, TALKREQ, TALKRESP } from '../../../src/discv5/wire/message.ts'
import { FLAG_HANDSHAKE, FLAG_WHOAREYOU, type Packet, unmaskPacket } from '../../../src/discv5/wire/packet.ts'
import { endpointEntries, PublishableRecord } from '../../../src/identity/publishable-record.ts'
import type { Endpoint } from '../../../src/transport/datagram.ts'
import { TestNetwork, type TestNode } from '../../testing/discv5/network.ts'
import { RawPeer } from '../../testing/discv5/raw-peer.ts'

const id = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
const ping: Message = { type: PING, requestId: id(1, 2), enrSeq: 1n }
const echo = new TextEncoder().encode('echo')

/** A core, and a peer whose packets the test makes. */
function scene(
  seed: number,
  options: Parameters<TestNetwork['add']>[0] = {},
): { network: TestNetwork; node: TestNode; peer: RawPeer } {
  const network = new TestNetwork(seed)
  return { network, node: network.add(options), peer: new RawPeer(seed + 100, 30_303) }
}

function give(node: TestNode, bytes: Uint8Array, endpoint: Endpoint): Uint8Array[] {
  const before = node.emitted('send').length
  node.handle({ type: 'datagrams', batch: [{ endpoint, bytes: bytes.slice() }] })
  return sentSince(node, before)
}

function sentSince(node: TestNode, before: number): Uint8Array[] {
  return node
    .emitted('send')
    .slice(before)
    .flatMap(output => output.batch.map(({ bytes }) => bytes))
}

/** The peer opens a session with the node. @returns what the node sent in answer to the handshake */
function establish(node: TestNode, peer: RawPeer, message: Message = ping): Uint8Array[] {
  const [challenge] = give(node, peer.ordinary(node.record), peer.endpoint)
  return give(node, peer.handshake(node.record, peer.unmask(challenge!).head, message), peer.endpoint)
}

test('the challenge names the nonce it answers, and is repeated, not renewed, while it may be answered', t => {
  const { network, node, peer } = scene(1)
  const nonce = id(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
  const [first] = give(node, peer.ordinary(node.record, undefined, nonce), peer.endpoint)
  t.is(peer.unmask(first!).flag, FLAG_WHOAREYOU)
  t.deepEqual(peer.unmask(first!).nonce, nonce)
  const [again] = give(node, peer.ordinary(node.record), peer.endpoint)
  t.deepEqual(again, first)
  network.runFor(5_000)
  const [fresh] = give(node, peer.ordinary(node.record), peer.endpoint)
  t.notDeepEqual(fresh, first)
  t.is(node.core.counters.get('whoareyouSent'), 2)
  t.is(node.core.counters.get('whoareyouRepeated'), 1)
})

test('a handshake is accepted once; its repetition is not answered', t => {
  const { node, peer } = scene(2)
  const [challenge] = give(node, peer.ordinary(node.record), peer.endpoint)
  const handshake = peer.handshake(node.record, peer.unmask(challenge!).head, ping)
  const [pong] = give(node, handshake, peer.endpoint)
  t.deepEqual(peer.read(pong!), {
    type: PONG,
    requestId: id(1, 2),
    enrSeq: node.record.seq,
    ip: id(127, 0, 0, 1),
    port: 30_303,
  })
  t.deepEqual(give(node, handshake, peer.endpoint), [])
  t.is(node.core.counters.get('handshakesUnexpected'), 1)
})

test('invalid handshakes are refused with their reason, and leave the challenge open', t => {
  const { node, peer } = scene(3)
  const other = new RawPeer(77, 30_304)
  const [challenge] = give(node, peer.ordinary(node.record), peer.endpoint)
  const { head } = peer.unmask(challenge!)
  const { counters } = node.core
  for (const [reason, bytes] of [
    ['handshakeSignatureInvalid', peer.handshake(node.record, head, ping, { signer: other.own })],
    ['handshakeRecordInvalid', peer.handshake(node.record, head, ping, { record: other.record.bytes })],
    ['handshakeRecordInvalid', peer.handshake(node.record, head, ping, { record: undefined })],
    ['handshakeRecordInvalid', peer.handshake(node.record, head, ping, { record: id(0xc0) })],
    ['handshakeMessageInvalid', peer.handshake(node.record, head, ping, { key: new Uint8Array(16) })],
    ['handshakeSignatureInvalid', peer.handshake(node.record, new Uint8Array(63), ping)],
  ] as const) {
    const before = counters.get(reason)
    t.deepEqual(give(node, bytes, peer.endpoint), [])
    t.is(counters.get(reason), before + 1, reason)
  }
  t.is(counters.get('sessionsEstablished'), 0)
  // From another endpoint it answers no challenge.
  const good = peer.handshake(node.record, head, ping)
  t.deepEqual(give(node, good, { host: '127.0.0.1', port: 30_305 }), [])
  t.is(counters.get('handshakesUnexpected'), 1)
  t.is(give(node, good, peer.endpoint).length > 0, true)
  t.is(counters.get('sessionsEstablished'), 1)
})

test('a session belongs to its endpoint: from elsewhere its packets are challenged', t => {
  const { node, peer } = scene(4)
  establish(node, peer)
  const elsewhere = { host: '127.0.0.2', port: 30_303 }
  const [answer] = give(node, peer.ordinary(node.record, ping), elsewhere)
  t.is(peer.unmask(answer!).flag, FLAG_WHOAREYOU)
  t.is(node.core.counters.get('requestsReceived'), 1)
})

test('undecryptable packets do not end a session', t => {
  const { node, peer } = scene(5)
  establish(node, peer)
  const { keys } = peer
  peer.keys = undefined
  for (let count = 0; count < 5; count++) give(node, peer.ordinary(node.record), peer.endpoint)
  peer.keys = keys
  const [pong] = give(node, peer.ordinary(node.record, ping), peer.endpoint)
  t.is(peer.read(pong!)?.type, PONG)
})

test('a WHOAREYOU is answered once, and only if it answers a packet of ours to that endpoint', t => {
  const { network, node, peer } = scene(6)
  node.handle({ type: 'ping', ref: 1, to: peer.record })
  const [opening] = sentSince(node, 0)
  const { nonce } = peer.unmask(opening!)
  t.deepEqual(give(node, peer.whoareyou(node.record, new Uint8Array(12)).packet, peer.endpoint), [])
  t.deepEqual(give(node, peer.whoareyou(node.record, nonce).packet, { host: '127.0.0.1', port: 1 }), [])
  const { packet, data } = peer.whoareyou(node.record, nonce)
  const [handshake] = give(node, packet, peer.endpoint)
  t.is(peer.unmask(handshake!).flag, FLAG_HANDSHAKE)
  t.deepEqual(give(node, packet, peer.endpoint), [])
  t.is(node.core.counters.get('whoareyouUnexpected'), 3)
  const carried = peer.accept(handshake!, data, node.record)
  t.is(carried?.type, PING)
  const pong: Message = { type: PONG, requestId: carried!.requestId, enrSeq: 1n, ip: id(192, 0, 2, 1), port: 7 }
  give(node, peer.ordinary(node.record, pong), peer.endpoint)
  t.deepEqual(node.emitted('pong'), [{ type: 'pong', ref: 1, enrSeq: 1n, ip: '192.0.2.1', port: 7 }])
  network.runFor(10)
  t.is(node.core.snapshot().sessions[0]?.state, 'established')
})

test('the handshake contains the record only if the peer has none or an older one', t => {
  for (const [enrSeq, included] of [
    [0n, true],
    [1n, false],
    [9n, false],
  ] as const) {
    const { node, peer } = scene(7)
    node.handle({ type: 'ping', ref: 1, to: peer.record })
    const { nonce } = peer.unmask(sentSince(node, 0)[0]!)
    const [handshake] = give(node, peer.whoareyou(node.record, nonce, enrSeq).packet, peer.endpoint)
    t.is(peer.unmask(handshake!).authdata.length > 34 + 64 + 33, included)
  }
})

test('an unanswered opening packet is repeated, byte for byte, until the attempts are used up', t => {
  const { network, node, peer } = scene(8)
  node.handle({ type: 'talk', ref: 1, to: peer.record, protocol: echo, payload: echo, timeoutMs: 60_000 })
  network.runFor(20_000)
  const openings = sentSince(node, 0)
  t.is(openings.length, 4)
  t.is(new Set(openings.map(bytes => Buffer.from(bytes).toString('hex'))).size, 1)
  t.like(node.emitted('request-failed')[0], { ref: 1, code: 'SESSION_FAILED' })
  t.is(node.core.snapshot().sessions[0]?.state, 'failed')
  t.is(node.core.deadline(), Number.POSITIVE_INFINITY)
})

test('an unanswered handshake is repeated, byte for byte, until the request is answered', t => {
  const { network, node, peer } = scene(15)
  node.handle({ type: 'talk', ref: 1, to: peer.record, protocol: echo, payload: echo, timeoutMs: 5_000 })
  const { nonce } = peer.unmask(sentSince(node, 0)[0]!)
  const { packet, data } = peer.whoareyou(node.record, nonce)
  const [first] = give(node, packet, peer.endpoint)
  const before = node.emitted('send').length
  network.runFor(360)
  const [second] = sentSince(node, before)
  t.deepEqual(second, first)
  // The challenge arrives again, because a packet of ours overtook the handshake: the handshake is sent again.
  network.runFor(200)
  t.deepEqual(give(node, packet, peer.endpoint), [first])
  const request = peer.accept(first!, data, node.record)!
  const answer: Message = { type: TALKRESP, requestId: request.requestId, payload: id(9) }
  give(node, peer.ordinary(node.record, answer), peer.endpoint)
  t.deepEqual(node.emitted('talk-answered'), [{ type: 'talk-answered', ref: 1, payload: id(9) }])
  t.is(node.core.counters.get('handshakesRepeated'), 2)
})

test('a peer that drops the keys of its handshake because our opening arrived late is given new ones', t => {
  const { node, peer } = scene(16)
  node.handle({ type: 'talk', ref: 1, to: peer.record, protocol: echo, payload: echo })
  const opening = peer.unmask(sentSince(node, 0)[0]!)
  establish(node, peer)
  t.is(node.core.snapshot().sessions[0]?.state, 'established')
  // nim-eth drops its keys when a packet arrives that they do not open, and repeats its challenge for the packets that
  // follow.
  const { packet, data } = peer.whoareyou(node.record, opening.nonce)
  const [handshake, ...rest] = give(node, packet, peer.endpoint)
  t.deepEqual(give(node, packet, peer.endpoint), [])
  const request = peer.accept(handshake!, data, node.record)!
  t.is(request.type, TALKREQ)
  t.deepEqual(rest, [])
  const answer: Message = { type: TALKRESP, requestId: request.requestId, payload: id(9) }
  const answers = give(node, peer.ordinary(node.record, answer), peer.endpoint)
  t.deepEqual(node.emitted('talk-answered'), [{ type: 'talk-answered', ref: 1, payload: id(9) }])
  // The request in the peer's handshake is answered again, and the table's PING is sent, under keys that the peer has.
  t.deepEqual(
    answers.map(bytes => peer.read(bytes)?.type),
    [PONG, PING],
  )
  t.is(node.core.snapshot().sessions[0]?.state, 'established')
})

test('packets under keys that we have lost are challenged one after the other, each by its own nonce', t => {
  const { node, peer } = scene(17)
  const talk = (requestId: number): Message => ({
    type: TALKREQ,
    requestId: id(requestId),
    protocol: echo,
    payload: echo,
  })
  // As after a restart: the peer seals under keys that we do not have. nim-eth sends a message again only for a
  // challenge that names its packet, and the second packet arrives before the first challenge is answered.
  const [first, second, third] = [1, 2, 3].map(() => peer.ordinary(node.record))
  const nonceOf = (bytes: Uint8Array | undefined) => unmaskPacket(bytes!.slice(), node.record.nodeId, nodeCryptography)
  const nonces = [first, second, third].map(bytes => (nonceOf(bytes) as Packet).nonce)
  let [challenge] = give(node, first!, peer.endpoint)
  for (const bytes of [second!, first!, third!, second!]) t.deepEqual(give(node, bytes, peer.endpoint), [challenge])
  for (const [index, nonce] of nonces.entries()) {
    const unmasked = peer.unmask(challenge!)
    t.deepEqual([unmasked.flag, unmasked.nonce], [FLAG_WHOAREYOU, nonce])
    const sent = give(node, peer.handshake(node.record, unmasked.head, talk(index + 1)), peer.endpoint)
    challenge = sent.find(bytes => peer.unmask(bytes).flag === FLAG_WHOAREYOU)
  }
  t.is(challenge, undefined)
  t.deepEqual(
    node.emitted('talk-requested').map(({ token }) => token.requestId),
    [id(1), id(2), id(3)],
  )
  t.is(node.core.snapshot().challenges, 0)
  t.is(node.core.snapshot().sessions[0]?.state, 'established')
})

test('a forged WHOAREYOU does not end the session: packets of the peer are still read', t => {
  const { network, node, peer } = scene(9)
  establish(node, peer)
  const before = node.emitted('send').length
  node.handle({ type: 'ping', ref: 1, to: peer.record })
  const [request] = sentSince(node, before)
  t.is(peer.read(request!)?.type, PING)
  const forger = new RawPeer(500, 1)
  give(node, forger.whoareyou(node.record, peer.unmask(request!).nonce).packet, peer.endpoint)
  t.is(node.core.snapshot().sessions[0]?.state, 'handshaking')
  const [pong] = give(node, peer.ordinary(node.record, ping), peer.endpoint)
  t.is(pong !== undefined, true)
  network.runFor(30_000)
  const answers = give(node, peer.ordinary(node.record, ping), peer.endpoint)
  t.is(node.core.snapshot().sessions[0]?.state, 'established')
  t.is(peer.read(answers[0]!)?.type, PONG)
})

test('sessions and challenges are bounded, and a session in use is kept', t => {
  const limits = { sessions: 8, challenges: 4, challengesPerSecondPerAddress: 1e6, handshakesPerSecondPerAddress: 1e6 }
  const { node } = scene(10, { limits })
  const favourite = new RawPeer(900, 40_000)
  establish(node, favourite)
  for (let index = 0; index < 20; index++) {
    establish(node, new RawPeer(1_000 + index, 41_000 + index))
    t.is(favourite.read(give(node, favourite.ordinary(node.record, ping), favourite.endpoint)[0]!)?.type, PONG)
  }
  const snapshot = node.core.snapshot()
  t.is(snapshot.sessions.length, 8)
  t.true(node.core.counters.get('sessionsEvicted') >= 13)
  for (let index = 0; index < 20; index++) {
    const stranger = new RawPeer(2_000 + index, 42_000 + index)
    give(node, stranger.ordinary(node.record), stranger.endpoint)
  }
  t.is(node.core.snapshot().challenges, 4)
})

test('the challenges and handshakes of one address are limited per second', t => {
  const { network, node } = scene(11, { limits: { challengesPerSecondPerAddress: 10 } })
  const strangers = Array.from({ length: 100 }, (_, index) => new RawPeer(3_000 + index, 43_000 + index))
  const challenged = (): number =>
    strangers.filter(stranger => give(node, stranger.ordinary(node.record), stranger.endpoint).length > 0).length
  t.is(challenged(), 20)
  t.is(node.core.counters.get('challengesLimited'), 80)
  network.runFor(1_000)
  t.is(challenged(), 10)
  const elsewhere = new RawPeer(4_000, 44_000)
  t.is(give(node, elsewhere.ordinary(node.record), { host: '127.0.0.77', port: 44_000 }).length, 1)
})

test('a record with seq 0 is sent to a peer that has none', t => {
  const privateKey = new Uint8Array(32).fill(9)
  const record = new PublishableRecord({ privateKey, crypto: nodeCryptography, seq: 0n })
  const { node, peer } = scene(21, { record })
  node.handle({ type: 'ping', ref: 1, to: peer.record })
  const { nonce } = peer.unmask(sentSince(node, 0)[0]!)
  const [handshake] = give(node, peer.whoareyou(record.current, nonce, 0n).packet, peer.endpoint)
  const { authdata } = peer.unmask(handshake!)
  t.deepEqual(authdata.subarray(34 + 64 + 33), record.current.bytes)
})

test('all addresses of one /64 share one rate', t => {
  const { node } = scene(18, { limits: { challengesPerSecondPerAddress: 10 } })
  const challenged = (prefix: string): number => {
    let count = 0
    for (let index = 0; index < 50; index++) {
      const stranger = new RawPeer(3_000 + index, 43_000 + index)
      const endpoint = { host: `${prefix}::${(index + 1).toString(16)}`, port: 43_000 }
      count += give(node, stranger.ordinary(node.record), endpoint).length
    }
    return count
  }
  t.is(challenged('2001:db8:1:2'), 20)
  t.is(challenged('2001:db8:1:3'), 20)
})

test('a distant node that claims an address on our loopback is not believed, and nothing is sent there', t => {
  const { network, node, peer } = scene(19)
  const far = { host: '8.8.8.8', port: 30_303 }
  peer.own.set(endpointEntries(far))
  peer.own.publish()
  const [challenge] = give(node, peer.ordinary(node.record), far)
  give(node, peer.handshake(node.record, peer.unmask(challenge!).head, ping), far)
  peer.own.set(endpointEntries({ host: '127.0.0.1', port: 22 }))
  const moved = peer.own.publish()
  const asked = give(node, peer.ordinary(node.record, { ...ping, enrSeq: moved.seq }), far)
    .map(bytes => peer.read(bytes))
    .find(message => message?.type === FINDNODE)
  const nodes: Message = { type: NODES, requestId: asked!.requestId, total: 1, records: [moved.bytes] }
  give(node, peer.ordinary(node.record, nodes), far)
  t.is(node.core.counters.get('recordsUnreachable'), 1)
  network.runFor(10_000)
  const targets = node.emitted('send').flatMap(output => output.batch.map(({ endpoint }) => endpoint.host))
  t.deepEqual([...new Set(targets)], ['8.8.8.8'])
  t.is(node.core.snapshot().sessions[0]?.endpoint.host, '8.8.8.8')
})

test('nodes at one address are one voter on our address', t => {
  const { node } = scene(20, { ipLimits: undefined })
  const named = id(9, 9, 9, 9)
  const vote = (seed: number, host: string): void => {
    const peer = new RawPeer(seed, 20_000 + seed)
    const endpoint = { host, port: 20_000 + seed }
    peer.own.set(endpointEntries(endpoint))
    peer.own.publish()
    const [challenge] = give(node, peer.ordinary(node.record), endpoint)
    const sent = give(node, peer.handshake(node.record, peer.unmask(challenge!).head, ping), endpoint)
    const question = sent.map(bytes => peer.read(bytes)).find(message => message?.type === PING)
    const pong: Message = { type: PONG, requestId: question!.requestId, enrSeq: 1n, ip: named, port: 99 }
    give(node, peer.ordinary(node.record, pong), endpoint)
  }
  for (let seed = 1; seed <= 5; seed++) vote(seed, '8.8.8.8')
  t.is(node.record.endpoint?.host, '127.0.0.1')
  vote(6, '1.1.1.1')
  t.is(node.record.endpoint?.host, '127.0.0.1')
  vote(7, '2.2.2.2')
  t.is(node.record.endpoint?.host, '9.9.9.9')
})

test('responses: unexpected, of another node, of the wrong kind', t => {
  const { node, peer } = scene(12)
  const other = new RawPeer(600, 30_304)
  establish(node, peer)
  establish(node, other)
  const before = node.emitted('send').length
  node.handle({ type: 'ping', ref: 1, to: peer.record })
  const { requestId } = peer.read(sentSince(node, before)[0]!)!
  const { counters } = node.core
  const unexpected = counters.get('responsesUnexpected')
  const pong: Message = { type: PONG, requestId, enrSeq: 1n, ip: id(127, 0, 0, 1), port: 1 }
  give(node, other.ordinary(node.record, pong), other.endpoint)
  give(node, peer.ordinary(node.record, { ...pong, requestId: id(9) }), peer.endpoint)
  t.is(counters.get('responsesUnexpected'), unexpected + 2)
  give(node, peer.ordinary(node.record, { type: TALKRESP, requestId, payload: echo }), peer.endpoint)
  t.is(counters.get('responsesMismatched'), 1)
  t.deepEqual(node.emitted('pong'), [])
  give(node, peer.ordinary(node.record, pong), peer.endpoint)
  t.is(node.emitted('pong').length, 1)
  give(node, peer.ordinary(node.record, pong), peer.endpoint)
  t.is(node.emitted('pong').length, 1)
})

test('NODES: records at other distances, repeated or invalid are dropped; packets are counted, not trusted', t => {
  const { network, node, peer } = scene(13)
  establish(node, peer)
  const others = Array.from({ length: 40 }, (_, index) => new RawPeer(5_000 + index, 45_000 + index).record)
  const ask = (distances: readonly number[]): Uint8Array => {
    const before = node.emitted('send').length
    node.handle({ type: 'find-nodes', ref: distances[0]!, to: peer.record, distances })
    const request = sentSince(node, before)
      .map(bytes => peer.read(bytes))
      .find(message => message?.type === FINDNODE)
    return request!.requestId
  }
  const tell = (requestId: Uint8Array, total: number, records: readonly Uint8Array[]): unknown =>
    give(node, peer.ordinary(node.record, { type: NODES, requestId, total, records }), peer.endpoint)

  const all = ask([256, 255, 254, 253, 252, 251, 250, 249, 248])
  tell(all, 3, [others[0]!.bytes, others[0]!.bytes, id(0xc0)])
  t.deepEqual(node.emitted('nodes'), [])
  tell(all, 99, [others[1]!.bytes])
  tell(all, 3, [others[2]!.bytes])
  t.deepEqual(
    node.emitted('nodes')[0]?.records.map(record => record.text),
    others.slice(0, 3).map(record => record.text),
  )
  // A packet more than was announced answers no request.
  tell(all, 3, [others[3]!.bytes])
  t.is(node.emitted('nodes').length, 1)

  tell(ask([1]), 1, [others[4]!.bytes, peer.record.bytes])
  t.deepEqual(node.emitted('nodes')[1]?.records, [])
  t.is(node.core.counters.get('recordsWrongDistance'), 2)

  // Of a thousand packets we wait for 16, and of their records we accept 16.
  const endless = ask([256, 255, 254, 253, 252, 251, 250, 249, 248])
  for (let packet = 0; packet < 16; packet++)
    tell(endless, 1000, [others[8 + packet]!.bytes, others[24 + (packet % 16)]!.bytes])
  t.is(node.emitted('nodes')[2]?.records.length, 16)

  // The records that arrived before the timeout are the result.
  const partial = ask([256, 255, 254, 253, 252, 251, 250, 249, 248])
  tell(partial, 4, [others[5]!.bytes])
  network.runFor(1_100)
  t.deepEqual(
    node.emitted('nodes')[3]?.records.map(record => record.text),
    [others[5]!.text],
  )
})

test('TALKREQ of a protocol that is not served: an empty response, also to an empty request id', t => {
  const { node, peer } = scene(14, { protocols: ['history', id(0x50, 0x00)] })
  establish(node, peer)
  for (const requestId of [id(7), id()]) {
    const request: Message = { type: TALKREQ, requestId, protocol: echo, payload: id(1) }
    const [answer] = give(node, peer.ordinary(node.record, request), peer.endpoint)
    t.deepEqual(peer.read(answer!), { type: TALKRESP, requestId, payload: id() })
  }
  t.deepEqual(node.emitted('talk-requested'), [])
  const spoken: Message = { type: TALKREQ, requestId: id(8), protocol: id(0x50, 0x00), payload: id(1) }
  t.deepEqual(give(node, peer.ordinary(node.record, spoken), peer.endpoint), [])
  t.is(node.emitted('talk-requested').length, 1)
})
