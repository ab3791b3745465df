import { type Randomness, seededRandomness } from 'spimpl-runtime'
import { toHex } from '../../../src/codec/hex.ts'
import type { ErrorCode } from '../../../src/errors.ts'
import { blamesContent } from '../../../src/history/validation/validation.ts'
import type { NodeRecord } from '../../../src/identity/node-record.ts'
import type { PublishableRecord } from '../../../src/identity/publishable-record.ts'
import { MAX_RADIUS } from '../../../src/portal/knowledge/radius.ts'
import { Overlay, type OverlayInput, type OverlayLimits, type OverlayOutput } from '../../../src/portal/portal.ts'
import { contentIdOf, decoder, isValid, MAINNET, PROTOCOL, recordOf, type Versions } from './sub-network.ts'

/** The verdict of validation on content of another block than its key names: the code of src/history. */
const WRONG_CONTENT: ErrorCode = 'TRANSACTIONS_ROOT_WRONG'

/** One end of a stream. */
export interface SimulatedStream {
  readonly node: SimulatedNode
  readonly output: Extract<OverlayOutput, { readonly connectionId: number; readonly ref: number }>
}

/** What a node needs of the network around it. */
export interface SimulatedNetwork {
  readonly now: number
  readonly seed: number
  readonly breakage: number
  readonly randomness: Randomness
  readonly nodes: ReadonlyMap<string, SimulatedNode>
  chance(share: number): boolean
  latency(): number
  after(delayMs: number, event: () => void): void
  talk(from: SimulatedNode, output: Extract<OverlayOutput, { type: 'talk' }>): void
  answer(output: Extract<OverlayOutput, { type: 'answer-talk' }>): void
  listen(stream: SimulatedStream): void
  /** The end that the peer of a stream opened for this node; it is taken out. */
  connect(node: SimulatedNode, output: SimulatedStream['output']): SimulatedStream | undefined
}

export interface SimulatedNodeOptions {
  readonly number: number
  readonly versions?: Versions
  readonly radius?: bigint
  readonly limits?: Partial<OverlayLimits>
}

/** An overlay with a store and a validation that it trusts, in a simulated network. */
export class SimulatedNode {
  readonly number: number
  readonly own: PublishableRecord
  readonly overlay: Overlay
  readonly store = new Map<string, Uint8Array>()
  /** The content that it serves and sends is not what the key names. */
  lies = false
  /** It answers nothing. */
  isDown = false
  /** It answers that it has content and never sends it. */
  stalls = false
  /** Every output, for a look at what was emitted. */
  readonly outputs: OverlayOutput[] = []
  readonly results = new Map<number, OverlayOutput[]>()
  readonly #network: SimulatedNetwork
  readonly #cancelled = new Set<number>()
  #ref = 0

  constructor(network: SimulatedNetwork, options: SimulatedNodeOptions) {
    this.#network = network
    this.number = options.number
    this.own = recordOf(options.number, options.versions ?? MAINNET)
    this.overlay = new Overlay({
      protocol: PROTOCOL,
      record: this.own.current,
      radius: options.radius ?? MAX_RADIUS,
      contentId: contentIdOf,
      records: decoder,
      randomness: seededRandomness(network.seed * 1_000 + options.number),
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
    const counts = { requests, questions, calls, nodeLookups, contentLookups, offersInFlight, outbox }
    return Object.entries({ ...counts, ...gossip, ...transfers }).flatMap(([name, count]) =>
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
    this.overlay.handle(input, this.#network.now, output => outputs.push(output))
    for (const output of outputs) this.#carryOut(output)
  }

  /** Reports the end of a transfer, unless it was cancelled. */
  endTransfer(ref: number, code?: ErrorCode | undefined, isLie = false): void {
    if (this.#cancelled.has(ref)) return
    if (code === undefined) this.handle({ type: 'transfer-done', ref })
    else this.handle({ type: 'transfer-failed', ref, code, blamesContent: isLie && blamesContent(code) })
  }

  #carryOut(output: OverlayOutput): void {
    const network = this.#network
    this.outputs.push(output)
    const soon = (input: OverlayInput): void => network.after(1, () => this.handle(input))
    switch (output.type) {
      case 'talk':
        network.talk(this, output)
        return
      case 'answer-talk':
        network.answer(output)
        return
      case 'fetch-record': {
        const node = network.nodes.get(output.known.nodeIdHex)
        if (node !== undefined) soon({ type: 'node-met', record: node.record })
        return
      }
      case 'want-content':
        soon({ type: 'content-read', ref: output.ref, content: this.#stored(output.key) })
        return
      case 'want-presence':
        soon({ type: 'presence', ref: output.ref, present: output.items.map(item => this.has(item.key)) })
        return
      case 'validate': {
        const { ref } = output
        if (isValid(output.key, output.content)) soon({ type: 'verdict', ref, valid: true })
        else {
          const blame = blamesContent(WRONG_CONTENT)
          soon({ type: 'verdict', ref, valid: false, code: WRONG_CONTENT, blamesContent: blame })
        }
        return
      }
      case 'keep':
        this.keep(output.key, output.content)
        soon({ type: 'content-kept', ref: output.ref })
        return
      case 'serve':
      case 'receive':
        if (this.stalls) network.after(15_000, () => this.endTransfer(output.ref, 'STREAM_CONNECT_TIMEOUT'))
        else network.listen({ node: this, output })
        return
      case 'fetch':
      case 'send':
        network.after(network.latency(), () => this.#open(output))
        return
      case 'decline':
        return
      case 'cancel-transfer':
        this.#cancelled.add(output.ref)
        return
      default:
        if ('ref' in output) this.results.get(output.ref)?.push(output)
    }
  }

  /** The content that it serves and sends: a liar's has every bit flipped. */
  #stored(key: Uint8Array): Uint8Array | undefined {
    const content = this.store.get(toHex(key))
    return content === undefined || !this.lies ? content : content.map(byte => byte ^ 0xff)
  }

  /** Both ends of one stream, from the one that initiates. */
  #open(output: Extract<OverlayOutput, { type: 'fetch' | 'send' }>): void {
    const network = this.#network
    const stream = network.connect(this, output)
    if (stream === undefined) {
      network.after(6_000, () => this.endTransfer(output.ref, 'STREAM_CONNECT_TIMEOUT'))
      return
    }
    const { node: peer, output: listening } = stream
    if (listening.prefixed !== output.prefixed) throw new Error('the ends disagree about the length prefix')
    if (listening.type === 'receive') peer.handle({ type: 'transfer-begun', ref: listening.ref })
    if (network.chance(network.breakage)) {
      network.after(3_000, () => {
        this.endTransfer(output.ref, 'STREAM_RESET')
        peer.endTransfer(listening.ref, 'STREAM_RESET')
      })
      return
    }
    network.after(100 + network.randomness.below(300), () => {
      if (output.type === 'fetch' && listening.type === 'serve') {
        peer.endTransfer(listening.ref)
        this.#fetched(output, listening.content)
      } else if (output.type === 'send' && listening.type === 'receive') this.#sent(output, peer, listening)
      else throw new Error(`a stream of ${output.type} met ${listening.type}`)
    })
  }

  #fetched({ ref, key }: Extract<OverlayOutput, { type: 'fetch' }>, content: Uint8Array): void {
    if (this.#cancelled.has(ref)) return
    if (!isValid(key, content)) {
      this.endTransfer(ref, WRONG_CONTENT, true)
      return
    }
    this.keep(key, content)
    this.handle({ type: 'transfer-item', ref, index: 0, content, stored: true })
    this.endTransfer(ref)
  }

  #sent(
    { ref, items }: Extract<OverlayOutput, { type: 'send' }>,
    peer: SimulatedNode,
    listening: Extract<OverlayOutput, { type: 'receive' }>,
  ): void {
    for (const [index, { key }] of listening.items.entries()) {
      const sent = items[index]
      if (sent === undefined || toHex(sent.key) !== toHex(key)) throw new Error('the ends disagree about the items')
      const content = sent.content ?? this.store.get(toHex(key))
      if (content === undefined) {
        peer.endTransfer(listening.ref, 'STREAM_RESET')
        this.endTransfer(ref, 'CONTENT_NOT_FOUND')
        return
      }
      if (!isValid(key, content)) {
        peer.endTransfer(listening.ref, WRONG_CONTENT, true)
        this.endTransfer(ref, 'STREAM_RESET')
        return
      }
      peer.keep(key, content)
      peer.handle({ type: 'transfer-item', ref: listening.ref, index, content, stored: true })
    }
    peer.endTransfer(listening.ref)
    this.endTransfer(ref)
  }
}
