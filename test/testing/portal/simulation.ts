import { type Randomness, seededRandomness } from 'spimpl-runtime'
import { Deadline, Deadlines } from 'spimpl-runtime/core'
import type { OverlayOutput } from '../../../src/portal/portal.ts'
import {
  type SimulatedNetwork,
  SimulatedNode,
  type SimulatedNodeOptions,
  type SimulatedStream,
} from './simulated-node.ts'

export interface SimulationOptions {
  readonly seed: number
  /** The share of datagrams that are lost: requests and answers alike. */
  readonly loss?: number
  /** The share of transfers that break. */
  readonly breakage?: number
}

/**
 * A network of overlays in virtual time. Talk requests are lost and late, transfers take time and break; the store and
 * validation answer after a millisecond. Nothing else is simulated.
 */
export class Simulation implements SimulatedNetwork {
  now = 0
  readonly seed: number
  readonly loss: number
  readonly breakage: number
  readonly randomness: Randomness
  readonly nodes = new Map<string, SimulatedNode>()
  readonly #events = new Deadlines<Deadline<'event', () => void>>()
  readonly #awaited = new Map<number, (payload: Uint8Array) => void>()
  readonly #listening = new Map<string, SimulatedStream>()
  #requestId = 0

  constructor({ seed, loss = 0, breakage = 0 }: SimulationOptions) {
    this.seed = seed
    this.loss = loss
    this.breakage = breakage
    this.randomness = seededRandomness(seed)
  }

  add(options: SimulatedNodeOptions): SimulatedNode {
    const node = new SimulatedNode(this, options)
    this.nodes.set(node.record.nodeIdHex, node)
    return node
  }

  chance(share: number): boolean {
    return this.randomness.below(1_000_000) < share * 1_000_000
  }

  latency(): number {
    return 5 + this.randomness.below(40)
  }

  after(delayMs: number, event: () => void): void {
    this.#events.set(new Deadline('event', event), this.now + delayMs)
  }

  /** Lets this much virtual time pass. */
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
      for (let due = this.#events.takeDue(this.now); due !== undefined; due = this.#events.takeDue(this.now)) {
        due.subject()
      }
    }
    this.now = end
  }

  talk(from: SimulatedNode, output: Extract<OverlayOutput, { type: 'talk' }>): void {
    const to = this.nodes.get(output.to.nodeIdHex)
    const isLost = this.loss > 0 && this.chance(this.loss)
    const requestId = ++this.#requestId
    let isSettled = false
    this.after(1_000, () => {
      this.#awaited.delete(requestId)
      if (isSettled) return
      isSettled = true
      from.handle({ type: 'talk-failed', ref: output.ref, code: 'REQUEST_TIMEOUT' })
    })
    if (to === undefined || to.isDown || isLost) return
    this.#awaited.set(requestId, payload => {
      if (this.chance(this.loss)) return
      this.after(this.latency(), () => {
        if (isSettled) return
        isSettled = true
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

  listen(stream: SimulatedStream): void {
    const { node, output } = stream
    const place = `${node.record.nodeIdHex} ${output.connectionId}`
    if (this.#listening.has(place)) throw new Error(`connection id ${output.connectionId} is taken`)
    this.#listening.set(place, stream)
    this.after(15_000, () => {
      if (this.#listening.get(place) !== stream) return
      this.#listening.delete(place)
      node.endTransfer(output.ref, 'STREAM_CONNECT_TIMEOUT')
    })
  }

  connect(node: SimulatedNode, output: SimulatedStream['output']): SimulatedStream | undefined {
    const place = `${output.peer.nodeIdHex} ${output.connectionId}`
    const stream = this.#listening.get(place)
    if (stream === undefined || stream.output.peer.nodeIdHex !== node.record.nodeIdHex) return undefined
    this.#listening.delete(place)
    return stream
  }

  /**
   * The slots, requests and calls that are never given back. Pings and refreshes go on forever, so a node passes as
   * soon as it holds nothing at one moment of the next ten seconds.
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
