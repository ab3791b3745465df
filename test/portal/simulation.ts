import { createHash } from 'node:crypto'
import { type Randomness, seededRandomness } from 'spimpl-runtime'
import { toHex } from '../../src/codec/hex.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import { encodePortalVersions } from '../../src/identity/portal-versions.ts'
import { PublishableRecord } from '../../src/identity/publishable-record.ts'
import { RecordDecoder } from '../../src/identity/record-decoder.ts'
import { MAX_RADIUS } from '../../src/portal/knowledge/radius.ts'
import { Overlay, type OverlayInput, type OverlayLimits, type OverlayOutput } from '../../src/portal/portal.ts'
import { Agenda } from '../../src/portal/waiting/agenda.ts'

/**
 * A network of overlays in virtual time: talk requests are lost and late, transfers take time and break, nothing else
 * is simulated.
 */

export const PROTOCOL = Uint8Array.of(0x50, 0x00)

/** Keys of the test's sub-network: nine bytes, of which the first is 0 or 1. */
export const contentIdOf = (key: Uint8Array): Uint8Array | undefined =>
  key.length === 9 && key[0]! <= 1 ? new Uint8Array(createHash('sha256').update(key).digest()) : undefined

export function keyOf(number: number, kind = 0): Uint8Array {
  const key = new Uint8Array(9)
  key[0] = kind
  new DataView(key.buffer).setUint32(1, number, true)
  return key
}

/** Content is valid when it begins with its key. */
export function contentOf(key: Uint8Array, length: number): Uint8Array {
  const content = new Uint8Array(length).fill(length & 0xff)
  content.set(key)
  return content
}

export const isValid = (key: Uint8Array, content: Uint8Array): boolean => key.every((byte, at) => content[at] === byte)

export interface Versions {
  readonly min: number
  readonly max: number
  readonly chainId: bigint | undefined
}

/** The record of a node: `p` where there is a chain, the older `pv` where there is none. */
export function recordOf(number: number, versions: Versions | undefined): PublishableRecord {
  const privateKey = new Uint8Array(createHash('sha256').update(`node ${number}`).digest())
  const entries =
    versions === undefined
      ? {}
      : versions.chainId !== undefined
        ? { p: { rlp: encodePortalVersions({ ...versions, chainId: versions.chainId }) } }
        : { pv: Uint8Array.from({ length: versions.max - versions.min + 1 }, (_, index) => versions.min + index) }
  return new PublishableRecord({
    privateKey,
    crypto: nodeCryptography,
    entries: { ip: Uint8Array.of(127, 0, 0, 1), udp: 10_000 + number, ...entries },
  })
}

export const decoder = new RecordDecoder({ crypto: nodeCryptography, capacity: 4096 })

export interface SimulationOptions {
  readonly seed: number
  /** The share of datagrams that is lost, request and answer each. */
  readonly loss?: number
  /** The share of transfers that break. */
  readonly breakage?: number
}

interface Stream {
  readonly node: SimulatedNode
  readonly output: Extract<OverlayOutput, { readonly connectionId: number; readonly ref: number }>
}

export class Simulation {
  now = 0
  readonly randomness: Randomness
  readonly nodes = new Map<string, SimulatedNode>()
  readonly #events = new Agenda<() => void>()
  readonly #awaited = new Map<number, (payload: Uint8Array) => void>()
  readonly #listening = new Map<string, Stream>()
  readonly options: SimulationOptions
  #requestId = 0

  constructor(options: SimulationOptions) {
    this.options = options
    this.randomness = seededRandomness(options.seed)
  }

  add(options: {
    readonly number: number
    readonly versions?: Versions
    readonly radius?: bigint
    readonly limits?: Partial<OverlayLimits>
  }): SimulatedNode {
    const node = new SimulatedNode(this, options)
    this.nodes.set(node.record.nodeIdHex, node)
    return node
  }

  chance(share: number): boolean {
    return this.randomness.below(1_000_000) < share * 1_000_000
  }

  after(delayMs: number, event: () => void): void {
    this.#events.set(this.now + delayMs, event)
  }

  /** Runs for so long of virtual time. */
  run(durationMs: number): void {
    const end = this.now + durationMs
    for (;;) {
      let next = this.#events.next()
      for (const node of this.nodes.values()) next = Math.min(next, node.overlay.deadline())
      if (next > end) break
      this.now = Math.max(this.now, next)
      for (const node of this.nodes.values()) {
        if (node.overlay.deadline() > this.now) continue
        node.handle({ type: 'timeout' })
        if (node.overlay.deadline() <= this.now) throw new Error('the core wants a timeout again at once')
      }
      for (let event = this.#events.take(this.now); event !== undefined; event = this.#events.take(this.now)) event()
    }
    this.now = end
  }

  latency(): number {
    return 5 + this.randomness.below(40)
  }

  talk(from: SimulatedNode, output: Extract<OverlayOutput, { type: 'talk' }>): void {
    const to = this.nodes.get(output.to.nodeIdHex)
    const lost = (this.options.loss ?? 0) > 0 && this.chance(this.options.loss ?? 0)
    const requestId = ++this.#requestId
    let settled = false
    this.after(1_000, () => {
      this.#awaited.delete(requestId)
      if (settled) return
      settled = true
      from.handle({ type: 'talk-failed', ref: output.ref, code: 'REQUEST_TIMEOUT' })
    })
    if (to === undefined || to.isDown || lost) return
    this.#awaited.set(requestId, payload => {
      if (this.chance(this.options.loss ?? 0)) return
      this.after(this.latency(), () => {
        if (settled) return
        settled = true
        from.handle({ type: 'talk-answered', ref: output.ref, payload })
      })
    })
    const id = new Uint8Array(8)
    new DataView(id.buffer).setUint32(0, requestId)
    const token = { nodeIdHex: from.record.nodeIdHex, endpoint: from.record.endpoint!, requestId: id }
    this.after(this.latency(), () => {
      to.handle({ type: 'talk-requested', from: from.record, payload: output.payload.slice(), token })
    })
  }

  answer({ request, payload }: Extract<OverlayOutput, { type: 'answer-talk' }>): void {
    const requestId = new DataView(request.requestId.buffer).getUint32(0)
    const deliver = this.#awaited.get(requestId)
    this.#awaited.delete(requestId)
    deliver?.(payload.slice())
  }

  listen(node: SimulatedNode, output: Stream['output']): void {
    const place = `${node.record.nodeIdHex} ${output.connectionId}`
    if (this.#listening.has(place)) throw new Error(`connection id ${output.connectionId} is taken`)
    const stream = { node, output }
    this.#listening.set(place, stream)
    this.after(15_000, () => {
      if (this.#listening.get(place) !== stream) return
      this.#listening.delete(place)
      node.handle({ type: 'transfer-failed', ref: output.ref, code: 'STREAM_CONNECT_TIMEOUT' })
    })
  }

  /** The listening stream that a peer of ours has opened for us; taken out. */
  connect(node: SimulatedNode, output: Stream['output']): Stream | undefined {
    const place = `${output.peer.nodeIdHex} ${output.connectionId}`
    const stream = this.#listening.get(place)
    if (stream === undefined || stream.output.peer.nodeIdHex !== node.record.nodeIdHex) return undefined
    this.#listening.delete(place)
    return stream
  }

  /**
   * What is still held of slots, requests and calls. Pings and refreshes go on for ever, so a node passes as soon as it
   * is seen to hold nothing at one moment of the next ten seconds.
   */
  leftovers(): string[] {
    const busy = new Map([...this.nodes.values()].map(node => [node, node.load()]))
    for (let step = 0; step < 2_000 && busy.size > 0; step++) {
      for (const node of busy.keys()) {
        const load = node.load()
        if (load.length === 0) busy.delete(node)
        else busy.set(node, load)
      }
      this.run(5)
    }
    return [...busy.values()].flat()
  }
}

export class SimulatedNode {
  readonly number: number
  readonly own: PublishableRecord
  readonly overlay: Overlay
  readonly store = new Map<string, Uint8Array>()
  /** What it serves and sends is not what the key says. */
  lies = false
  /** It answers nothing. */
  isDown = false
  /** It says that it has content and never sends it. */
  stalls = false
  /** Every output, for a look at what was said. */
  readonly outputs: OverlayOutput[] = []
  readonly results = new Map<number, OverlayOutput[]>()
  readonly #simulation: Simulation
  readonly #cancelled = new Set<number>()
  #ref = 0

  constructor(simulation: Simulation, options: Parameters<Simulation['add']>[0]) {
    this.#simulation = simulation
    this.number = options.number
    this.own = recordOf(options.number, options.versions ?? { min: 0, max: 2, chainId: 1n })
    this.overlay = new Overlay({
      protocol: PROTOCOL,
      record: this.own.current,
      radius: options.radius ?? MAX_RADIUS,
      contentId: contentIdOf,
      records: decoder,
      randomness: seededRandomness(simulation.options.seed * 1_000 + options.number),
      clientInfo: `simulation/${options.number}`,
      limits: { refreshIntervalMs: 60_000, ...options.limits },
    })
  }

  get record(): NodeRecord {
    return this.own.current
  }

  /** Begins a call; its result is in `results` later. */
  call(input: { readonly type: OverlayInput['type'] } & Record<string, unknown>): number {
    this.#ref += 1
    this.results.set(this.#ref, [])
    this.handle({ ...input, ref: this.#ref } as unknown as OverlayInput)
    return this.#ref
  }

  /** The one result of a call. */
  result(ref: number): OverlayOutput {
    const results = this.results.get(ref) ?? []
    if (results.length !== 1) throw new Error(`expected one result of call ${ref}, got ${results.length}`)
    return results[0]!
  }

  /** What the overlay holds at this moment, by name. */
  load(): string[] {
    const { requests, questions, calls, nodeLookups, contentLookups, offersInFlight, outbox, gossip, transfers } =
      this.overlay.snapshot()
    const load = {
      requests,
      questions,
      calls,
      nodeLookups,
      contentLookups,
      offersInFlight,
      outbox,
      ...gossip,
      ...transfers,
    }
    return Object.entries(load).flatMap(([name, count]) =>
      count === 0 ? [] : [`node ${this.number}: ${name} ${count}`],
    )
  }

  has(key: Uint8Array): boolean {
    return this.store.has(toHex(key))
  }

  keep(key: Uint8Array, content: Uint8Array): void {
    this.store.set(toHex(key), content)
  }

  handle(input: OverlayInput): void {
    const outputs: OverlayOutput[] = []
    this.overlay.handle(input, this.#simulation.now, output => outputs.push(output))
    for (const output of outputs) this.#carryOut(output)
  }

  #carryOut(output: OverlayOutput): void {
    const simulation = this.#simulation
    this.outputs.push(output)
    const soon = (input: OverlayInput): void => simulation.after(1, () => this.handle(input))
    switch (output.type) {
      case 'talk':
        simulation.talk(this, output)
        return
      case 'answer-talk':
        simulation.answer(output)
        return
      case 'fetch-record': {
        const node = simulation.nodes.get(output.known.nodeIdHex)
        if (node !== undefined) soon({ type: 'node-met', record: node.record })
        return
      }
      case 'want-content': {
        const content = this.store.get(toHex(output.key))
        const lie = content === undefined || !this.lies ? content : content.map(byte => byte ^ 0xff)
        soon({ type: 'content-read', ref: output.ref, content: lie })
        return
      }
      case 'judge-offer':
        soon({ type: 'offer-judged', ref: output.ref, codes: output.items.map(item => (this.has(item.key) ? 2 : 0)) })
        return
      case 'validate':
        soon(
          isValid(output.key, output.content)
            ? { type: 'validated', ref: output.ref, valid: true }
            : { type: 'validated', ref: output.ref, valid: false, code: 'CONTENT_INVALID' },
        )
        return
      case 'serve':
      case 'receive':
        if (!this.stalls) simulation.listen(this, output)
        else
          simulation.after(15_000, () =>
            this.handle({ type: 'transfer-failed', ref: output.ref, code: 'STREAM_CONNECT_TIMEOUT' }),
          )
        return
      case 'fetch':
      case 'send':
        simulation.after(simulation.latency(), () => this.#open(output))
        return
      case 'decline':
        return
      case 'cancel-transfer':
        this.#cancelled.add(output.ref)
        return
      default:
        this.results.get(output.ref)?.push(output)
    }
  }

  #end(ref: number, code?: 'STREAM_RESET' | 'STREAM_CONNECT_TIMEOUT' | 'CONTENT_INVALID' | undefined): void {
    if (this.#cancelled.has(ref)) return
    this.handle(code === undefined ? { type: 'transfer-done', ref } : { type: 'transfer-failed', ref, code })
  }

  /** Both ends of one stream, seen from the one that initiates. */
  #open(output: Extract<OverlayOutput, { type: 'fetch' | 'send' }>): void {
    const simulation = this.#simulation
    const stream = simulation.connect(this, output)
    if (stream === undefined) {
      simulation.after(6_000, () => this.#end(output.ref, 'STREAM_CONNECT_TIMEOUT'))
      return
    }
    const { node: peer, output: listening } = stream
    if (listening.prefixed !== output.prefixed) throw new Error('the ends disagree about the length prefix')
    if (simulation.chance(simulation.options.breakage ?? 0)) {
      simulation.after(3_000, () => {
        this.#end(output.ref, 'STREAM_RESET')
        peer.#end(listening.ref, 'STREAM_RESET')
      })
      return
    }
    simulation.after(100 + simulation.randomness.below(300), () => {
      if (output.type === 'fetch' && listening.type === 'serve')
        this.#fetched(output.ref, output.key, listening.content, peer, listening.ref)
      else if (output.type === 'send' && listening.type === 'receive') {
        for (const [index, item] of listening.items.entries()) {
          const sent = output.items[index]
          if (sent === undefined || toHex(sent.key) !== toHex(item.key))
            throw new Error('the ends disagree about the items')
          const content = sent.content ?? this.store.get(toHex(sent.key))
          if (content === undefined || !isValid(item.key, content)) {
            peer.#end(listening.ref, 'CONTENT_INVALID')
            this.#end(output.ref, 'STREAM_RESET')
            return
          }
          peer.keep(item.key, content)
          peer.handle({ type: 'transfer-item', ref: listening.ref, index, content, stored: true })
        }
        peer.#end(listening.ref)
        this.#end(output.ref)
      } else throw new Error(`a stream of ${output.type} met ${listening.type}`)
    })
  }

  #fetched(ref: number, key: Uint8Array, content: Uint8Array, peer: SimulatedNode, serveRef: number): void {
    peer.#end(serveRef)
    if (this.#cancelled.has(ref)) return
    const valid = isValid(key, content)
    if (valid) this.handle({ type: 'transfer-item', ref, index: 0, content, stored: false })
    this.#end(ref, valid ? undefined : 'CONTENT_INVALID')
  }
}
