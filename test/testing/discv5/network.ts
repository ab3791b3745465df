import { type Randomness, seededRandomness } from 'spimpl-runtime'
import { nodeCryptography } from '../../../src/crypto/node-cryptography.ts'
import { type DiscoveryInput, type DiscoveryOptions, type DiscoveryOutput, Discv5 } from '../../../src/discv5/discv5.ts'
import type { NodeRecord } from '../../../src/identity/node-record.ts'
import { endpointEntries, PublishableRecord } from '../../../src/identity/publishable-record.ts'
import type { Datagram, Endpoint } from '../../../src/transport/datagram.ts'

/** The conditions of the network. Rates are per thousand datagrams. */
export interface NetworkConditions {
  readonly loss?: number
  readonly duplication?: number
  readonly latencyMs?: number
  /** Added at random, so that packets overtake each other. */
  readonly jitterMs?: number
}

/** A datagram on its way. */
interface Transit {
  readonly at: number
  readonly order: number
  readonly from: Endpoint
  readonly to: Endpoint
  readonly bytes: Uint8Array
}

/** A node of the test network: a core and all its outputs. */
export class TestNode {
  readonly core: Discv5
  readonly endpoint: Endpoint
  readonly own: PublishableRecord
  readonly outputs: DiscoveryOutput[] = []
  /** Answers TALKREQs; undefined leaves one unanswered. */
  answer: ((payload: Uint8Array) => Uint8Array | undefined) | undefined
  readonly #network: TestNetwork

  constructor(network: TestNetwork, endpoint: Endpoint, own: PublishableRecord, core: Discv5) {
    this.#network = network
    this.endpoint = endpoint
    this.own = own
    this.core = core
  }

  get record(): NodeRecord {
    return this.own.current
  }

  handle(input: DiscoveryInput): void {
    const requests: DiscoveryInput[] = []
    this.core.handle(input, this.#network.now, output => {
      this.outputs.push(output)
      if (output.type === 'send') for (const datagram of output.batch) this.#network.post(this.endpoint, datagram)
      if (output.type === 'talk-requested') {
        const payload = this.answer?.(output.payload)
        if (payload !== undefined) requests.push({ type: 'answer-talk', request: output.token, payload })
      }
    })
    for (const request of requests) this.handle(request)
  }

  /** The outputs of one type so far. */
  emitted<Type extends DiscoveryOutput['type']>(type: Type): Extract<DiscoveryOutput, { type: Type }>[] {
    return this.outputs.filter((output): output is Extract<DiscoveryOutput, { type: Type }> => output.type === type)
  }
}

/** Cores connected to each other in one process, in virtual time: a seed determines everything. */
export class TestNetwork {
  now = 1_000
  conditions: NetworkConditions
  readonly randomness: Randomness
  readonly nodes: TestNode[] = []
  readonly #routes = new Map<string, TestNode>()
  #transits: Transit[] = []
  #order = 0
  /** Datagrams so far, lost ones included. */
  carried = 0

  constructor(seed: number, conditions: NetworkConditions = {}) {
    this.randomness = seededRandomness(seed)
    this.conditions = conditions
  }

  add(
    options: Partial<DiscoveryOptions> & {
      readonly privateKey?: Uint8Array
      readonly host?: string
      readonly port?: number
    } = {},
  ): TestNode {
    const { privateKey, host, port, ...rest } = options
    const endpoint = { host: host ?? '127.0.0.1', port: port ?? 9_000 + this.nodes.length }
    const own = new PublishableRecord({
      privateKey: privateKey ?? this.randomness.bytes(32),
      crypto: nodeCryptography,
      entries: endpointEntries(endpoint),
    })
    const core = new Discv5({ record: own, crypto: nodeCryptography, randomness: this.randomness, ...rest })
    const node = new TestNode(this, endpoint, own, core)
    this.nodes.push(node)
    this.#routes.set(`${endpoint.host} ${endpoint.port}`, node)
    return node
  }

  /** Removes a node from the network. */
  remove(node: TestNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    const key = `${node.endpoint.host} ${node.endpoint.port}`
    if (this.#routes.get(key) === node) this.#routes.delete(key)
  }

  post(from: Endpoint, datagram: Datagram): void {
    const { loss = 0, duplication = 0 } = this.conditions
    this.carried++
    if (this.randomness.below(1000) < loss) return
    this.#carry(from, datagram)
    if (this.randomness.below(1000) < duplication) this.#carry(from, datagram)
  }

  /** Delivers datagrams and timeouts until no more are due before `until`. */
  run(until: number): void {
    for (;;) {
      let next = this.#transits[0]?.at ?? Number.POSITIVE_INFINITY
      for (const node of this.nodes) next = Math.min(next, node.core.deadline())
      if (next > until) break
      if (next < this.now && next < this.now - 1e-6 && next !== Number.NEGATIVE_INFINITY) next = this.now
      this.now = Math.max(this.now, next)
      this.#deliver()
      for (const node of this.nodes) if (node.core.deadline() <= this.now) this.#timeout(node)
    }
    this.now = Math.max(this.now, until)
  }

  runFor(milliseconds: number): void {
    this.run(this.now + milliseconds)
  }

  /** A core whose deadline does not advance after a timeout would make its actor spin. */
  #timeout(node: TestNode): void {
    node.handle({ type: 'timeout' })
    if (node.core.deadline() <= this.now)
      throw new Error(`the deadline ${node.core.deadline()} did not move on from ${this.now}`)
  }

  #deliver(): void {
    const batches = new Map<TestNode, Datagram[]>()
    while (this.#transits.length > 0 && this.#transits[0]!.at <= this.now) {
      const transit = this.#transits.shift()!
      const node = this.#routes.get(`${transit.to.host} ${transit.to.port}`)
      if (node === undefined) continue
      const batch = batches.get(node)
      const datagram = { endpoint: transit.from, bytes: transit.bytes }
      if (batch === undefined) batches.set(node, [datagram])
      else batch.push(datagram)
    }
    for (const [node, batch] of batches) node.handle({ type: 'datagrams', batch })
  }

  #carry(from: Endpoint, datagram: Datagram): void {
    const { latencyMs = 5, jitterMs = 0 } = this.conditions
    const at = this.now + latencyMs + (jitterMs > 0 ? this.randomness.below(jitterMs * 16) / 16 : 0)
    // A copy: a real network never gives the sender's buffer to the receiver, nor one buffer twice.
    const transit = { at, order: this.#order++, from, to: datagram.endpoint, bytes: datagram.bytes.slice() }
    let place = this.#transits.length
    while (place > 0 && this.#transits[place - 1]!.at > at) place--
    this.#transits.splice(place, 0, transit)
  }
}
