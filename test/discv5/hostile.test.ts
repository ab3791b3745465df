import test from 'ava'
import fc from 'fast-check'
import { type Randomness, seededRandomness } from 'spimpl-runtime'
import {
  FINDNODE,
  type Message,
  NODES,
  PING,
  PONG,
  type Request,
  TALKREQ,
  TALKRESP,
} from '../../src/discv5/wire/message.ts'
import { FLAG_HANDSHAKE, FLAG_ORDINARY, FLAG_WHOAREYOU } from '../../src/discv5/wire/packet.ts'
import type { Datagram } from '../../src/transport/datagram.ts'
import { TestNetwork, type TestNode } from '../testing/discv5/network.ts'
import { RawPeer } from '../testing/discv5/raw-peer.ts'

const PROTOCOL = Uint8Array.of(0x50, 0)
const UTP = new TextEncoder().encode('utp')
const limits = {
  challenges: 16,
  sessions: 12,
  sentLog: 64,
  requests: 64,
  requestsPerPeer: 32,
  queuedPerPeer: 16,
  rateLimitedAddresses: 16,
  lookups: 8,
  addressVoters: 16,
  checks: 4,
  challengesPerSecondPerAddress: 1e6,
  handshakesPerSecondPerAddress: 1e6,
}
const OUTCOMES: readonly string[] = ['talk-answered', 'request-failed', 'pong', 'nodes', 'lookup-done', 'resolved']

/** Peers with valid keys that break the rules: they complete handshakes and then send random messages. */
class HostilePeers {
  readonly peers = Array.from({ length: 20 }, (_, index) => new RawPeer(9_000 + index, 20_000 + index))
  readonly #node: TestNode
  readonly #random: Randomness
  readonly #challenges = new Map<RawPeer, Uint8Array>()
  /** From packets of the node: nonces to challenge, request ids to answer. */
  #nonces: Uint8Array[] = [new Uint8Array(12)]
  #requestIds: Uint8Array[] = [Uint8Array.of(1)]
  #seen = 0

  constructor(node: TestNode, random: Randomness) {
    this.#node = node
    this.#random = random
  }

  pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!
  }

  message(): Message {
    const random = this.#random
    const requestId = random.below(4) === 0 ? random.bytes(random.below(9)) : this.pick(this.#requestIds)
    const records = Array.from({ length: random.below(4) }, () => this.pick(this.peers).record.bytes)
    const enrSeq = BigInt(random.below(4))
    const distances = Array.from({ length: random.below(9) }, () => random.below(257))
    return this.pick<Message>([
      { type: PING, requestId, enrSeq },
      { type: PONG, requestId, enrSeq, ip: random.bytes(this.pick([4, 16])), port: random.below(65_536) },
      { type: FINDNODE, requestId, distances },
      { type: NODES, requestId, total: this.pick([0, 1, 3, 200]), records },
      { type: TALKREQ, requestId, protocol: this.pick([PROTOCOL, UTP, random.bytes(3)]), payload: random.bytes(50) },
      { type: TALKRESP, requestId, payload: random.bytes(20) },
    ])
  }

  /** A packet of one of the peers, from its endpoint or from another. */
  packet(): Datagram {
    const { record } = this.#node
    const peer = this.pick(this.peers)
    const endpoint = this.#random.below(8) === 0 ? { host: '127.0.0.9', port: 1 } : peer.endpoint
    if (this.#random.below(6) > 0) return { endpoint, bytes: peer.ordinary(record, this.message()) }
    const { packet, data } = peer.whoareyou(record, this.pick(this.#nonces), BigInt(this.#random.below(2)))
    this.#challenges.set(peer, data)
    return { endpoint, bytes: packet }
  }

  /** Their replies to the packets that the node has sent since the last call. */
  replies(): Datagram[] {
    const { outputs } = this.#node
    const sent = outputs.slice(this.#seen).flatMap(output => (output.type === 'send' ? output.batch : []))
    this.#seen = outputs.length
    return sent.flatMap(datagram => this.#reply(datagram))
  }

  #reply({ endpoint, bytes }: Datagram): Datagram[] {
    const { record } = this.#node
    const peer = this.peers.find(one => one.endpoint.port === endpoint.port)
    if (peer === undefined || this.#random.below(4) === 0) return []
    const { flag, head, nonce } = peer.unmask(bytes)
    const at = (answer: Uint8Array): Datagram[] => [{ endpoint: peer.endpoint, bytes: answer }]
    if (flag === FLAG_WHOAREYOU) {
      const wrong = this.#random.below(5) === 0 ? { signer: this.pick(this.peers).own } : {}
      return at(peer.handshake(record, head.slice(), this.message(), wrong))
    }
    this.#nonces = [...this.#nonces, nonce.slice()].slice(-50)
    const challenge = this.#challenges.get(peer)
    const message =
      flag === FLAG_HANDSHAKE && challenge !== undefined ? peer.accept(bytes, challenge, record) : peer.read(bytes)
    if (message !== undefined) this.#requestIds = [...this.#requestIds, message.requestId].slice(-10)
    if (message === undefined && flag === FLAG_ORDINARY) {
      const { packet, data } = peer.whoareyou(record, nonce, 0n)
      this.#challenges.set(peer, data)
      return at(packet)
    }
    return message === undefined ? [] : at(peer.ordinary(record, this.message()))
  }
}

function ask(node: TestNode, hostile: HostilePeers, random: Randomness, ref: number): void {
  const to = hostile.pick(hostile.peers).record
  const payload = random.bytes(random.below(1_250))
  const question = hostile.pick<Request['type'] | 'lookup' | 'resolve'>([PING, FINDNODE, TALKREQ, 'lookup', 'resolve'])
  if (question === PING) node.handle({ type: 'ping', ref, to })
  else if (question === FINDNODE) node.handle({ type: 'find-nodes', ref, to, distances: [random.below(257)] })
  else if (question === TALKREQ) node.handle({ type: 'talk', ref, to, protocol: PROTOCOL, payload })
  else if (question === 'lookup') node.handle({ type: 'lookup', ref, target: random.bytes(32) })
  else node.handle({ type: 'resolve', ref, nodeId: to.nodeId })
}

test('peers with sessions that break the rules: nothing throws, tables keep their limits, each request has one outcome', t => {
  let established = 0
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), seed => {
      const network = new TestNetwork(seed)
      const random = seededRandomness(seed)
      const node = network.add({ limits, oneWayProtocols: ['utp'], protocols: [PROTOCOL] })
      const hostile = new HostilePeers(node, random)
      let refs = 0
      for (let step = 0; step < 300; step++) {
        const what = random.below(8)
        if (what === 0) ask(node, hostile, random, ++refs)
        else if (what === 1) network.runFor(random.below(500))
        else if (what === 2) {
          const payloads = Array.from({ length: random.below(20) }, () => random.bytes(random.below(1_200)))
          node.handle({ type: 'send-talks', to: hostile.pick(hostile.peers).record, protocol: UTP, payloads })
        } else node.handle({ type: 'datagrams', batch: [hostile.packet()] })
        const batch = hostile.replies()
        if (batch.length > 0) node.handle({ type: 'datagrams', batch })
        const { sessions, challenges, requestsInFlight, lookups } = node.core.snapshot()
        t.true(sessions.length <= limits.sessions && challenges <= limits.challenges && lookups <= limits.lookups)
        // Each session may have the PING of its handshake in flight as well.
        t.true(requestsInFlight <= limits.requests + limits.sessions)
        for (const { queued } of sessions) t.true(queued <= limits.queuedPerPeer + limits.requestsPerPeer)
      }
      network.runFor(60_000)
      const settled = node.outputs.filter(output => OUTCOMES.includes(output.type)).length
      t.is(settled, refs)
      established += node.core.counters.get('sessionsEstablished')
      for (const { batch } of node.emitted('send'))
        for (const { bytes } of batch) t.true(bytes.length >= 63 && bytes.length <= 1280)
    }),
    { numRuns: 8 },
  )
  t.true(established > 100, `${established} sessions`)
})
