import { seededRandomness } from 'spimpl-runtime'
import type { NodeRecord } from '../../../src/identity/node-record.ts'
import { MAX_RADIUS } from '../../../src/portal/knowledge/radius.ts'
import {
  Overlay,
  type OverlayCounterName,
  type OverlayInput,
  type OverlayLimits,
  type OverlayOutput,
} from '../../../src/portal/portal.ts'
import { decodeMessage, encodeMessage, type PortalMessage } from '../../../src/portal/wire/message.ts'
import { encodePingPayload } from '../../../src/portal/wire/ping-extension.ts'
import { contentIdOf, decoder, MAINNET, PROTOCOL, recordOf, type Versions } from './sub-network.ts'

/** One overlay, driven by hand. */
export class DrivenOverlay {
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

  /** Makes nodes live members: each answers a FIND_NODES, and where a radius is given a ping too. */
  befriend(nodes: readonly NodeRecord[], radius?: bigint): void {
    for (const [index, node] of nodes.entries()) {
      const { ref } = one(this.handle({ type: 'find-nodes', ref: 1e6 + index, to: node, distances: [] }), 'talk')
      this.reply(ref, { type: 'nodes', total: 1, records: [] })
      if (radius !== undefined) {
        const payload = encodePingPayload({ payloadType: 0, clientInfo: '', radius, capabilities: [0, 65535] })
        const ping = one(this.handle({ type: 'ping', ref: 2e6 + index, to: node }), 'talk')
        this.reply(ping.ref, { type: 'pong', enrSeq: node.seq, payloadType: 0, payload })
      }
    }
  }

  /** The answer of a peer of version 2. */
  reply(ref: number, message: PortalMessage): OverlayOutput[] {
    return this.handle({ type: 'talk-answered', ref, payload: encodeMessage(message, 2) })
  }

  counter(name: OverlayCounterName): number {
    return this.overlay.snapshot().counters[name]
  }
}

/** The one output of a type. */
export function one<Type extends OverlayOutput['type']>(
  outputs: readonly OverlayOutput[],
  type: Type,
): Extract<OverlayOutput, { readonly type: Type }> {
  const found = outputs.filter(output => output.type === type)
  if (found.length !== 1)
    throw new Error(`expected one ${type}, got ${outputs.map(output => output.type).join(', ') || 'nothing'}`)
  return found[0] as Extract<OverlayOutput, { readonly type: Type }>
}

/** The message of the one `answer-talk`. */
export function answerOf(outputs: readonly OverlayOutput[], version = 2): PortalMessage {
  const decoded = decodeMessage(one(outputs, 'answer-talk').payload, version)
  if (!decoded.ok) throw new Error(decoded.detail)
  return decoded.value
}

export const peer = recordOf(2, MAINNET).current
export const other = recordOf(3, MAINNET).current

/** The messages that were sent, to whom, and the number that the answer brings back. */
export function talks(
  outputs: readonly OverlayOutput[],
): { readonly ref: number; readonly to: NodeRecord; readonly message: PortalMessage }[] {
  return outputs.flatMap(output => {
    if (output.type !== 'talk') return []
    const decoded = decodeMessage(output.payload, 2)
    if (!decoded.ok) throw new Error(decoded.detail)
    return [{ ref: output.ref, to: output.to, message: decoded.value }]
  })
}
