import { Deadline } from 'spimpl-runtime/core'
import type { NodeRecord } from '../../identity/node-record.ts'

/** A node of the routing table, or of its replacement caches. */
export class TableNode {
  readonly record: NodeRecord
  /** When the node is pinged next. */
  readonly check: Deadline<'liveness-check', TableNode> = new Deadline('liveness-check', this)
  #intervalMs: number

  constructor(record: NodeRecord, intervalMs: number) {
    this.record = record
    this.#intervalMs = intervalMs
  }

  /** How long until the check after this one, which was answered. Each further wait doubles, up to `maxMs`. */
  takeInterval(maxMs: number): number {
    const interval = this.#intervalMs
    this.#intervalMs = Math.min(2 * interval, maxMs)
    return interval
  }

  /** A check failed: the waits begin with the shortest again. */
  resetInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs
  }
}
