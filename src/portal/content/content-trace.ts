import { toHex } from '../../codec/hex.ts'
import { xorDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { ContentTrace } from '../messages.ts'

/** Collects the trace of a content lookup (`portal_*TraceGetContent`; jsonrpc/src/schemas/trace.json). */
export class TraceBuilder {
  readonly #origin: string
  readonly #target: Uint8Array
  readonly #startedAtMs: number
  readonly #beganAt: number
  readonly #responses: Record<string, { readonly durationMs: number; readonly respondedWith: readonly string[] }> = {}
  readonly #metadata: Record<string, { readonly enr: string; readonly distance: string }> = {}

  /**
   * @param own our own record
   * @param startedAtMs Unix time, as the caller measured it
   * @param now the core's clock at the same moment
   */
  constructor(own: NodeRecord, target: Uint8Array, startedAtMs: number, now: number) {
    this.#origin = own.nodeIdHex
    this.#target = target
    this.#startedAtMs = startedAtMs
    this.#beganAt = now
    this.#describe(own)
  }

  /** A node answered with these records. Our own node counts as the first, with the records of its table. */
  responded(node: NodeRecord, records: readonly NodeRecord[], now: number): void {
    this.#describe(node)
    for (const record of records) this.#describe(record)
    this.#responses[node.nodeIdHex] = {
      durationMs: Math.max(0, Math.round(now - this.#beganAt)),
      respondedWith: records.map(record => record.nodeIdHex),
    }
  }

  /** @param cancelled nodes that were queried and whose answers are not awaited any more */
  finish(receivedFrom: NodeRecord | undefined, cancelled: readonly NodeRecord[]): ContentTrace {
    for (const node of cancelled) this.#describe(node)
    return {
      origin: this.#origin,
      targetId: toHex(this.#target),
      ...(receivedFrom === undefined ? {} : { receivedFrom: receivedFrom.nodeIdHex }),
      responses: this.#responses,
      metadata: this.#metadata,
      startedAtMs: this.#startedAtMs,
      cancelled: cancelled.map(node => node.nodeIdHex),
    }
  }

  #describe(node: NodeRecord): void {
    this.#metadata[node.nodeIdHex] ??= {
      enr: node.text,
      distance: toHex(xorDistance(node.nodeId, this.#target)),
    }
  }
}
