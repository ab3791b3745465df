import type { NodeRecord } from '../../identity/node-record.ts'
import type { Context } from '../context.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import type { TableKeeper, TableNode } from '../table/table-keeper.ts'
import { FINDNODE } from '../wire/message.ts'
import { distancesTowards, Lookup } from './lookup.ts'
import type { Messenger } from './messenger.ts'
import type { PendingRequest, RequestOwner } from './requests.ts'

/** How many records a lookup is after, and starts from: a bucket's worth. */
const LOOKUP_RESULTS = 16

/** What a lookup is for. */
export type Purpose =
  | { readonly type: 'lookup'; readonly ref: number }
  /** Ends as soon as the node is found. */
  | { readonly type: 'resolve'; readonly ref: number; readonly wanted: string; readonly known: NodeRecord | undefined }
  | { readonly type: 'refresh' }

interface Running {
  readonly lookup: Lookup<NodeRecord>
  readonly purpose: Purpose
}

/** Lookups under way: asks whom they want asked, and tells how they end. */
export class Lookups implements RequestOwner {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #keeper: TableKeeper
  readonly #table: RoutingTable<TableNode>
  readonly #running = new Map<number, Running>()
  #next = 0

  constructor(context: Context, messenger: Messenger, keeper: TableKeeper) {
    this.#context = context
    this.#messenger = messenger
    this.#keeper = keeper
    this.#table = keeper.table
  }

  get size(): number {
    return this.#running.size
  }

  /** Begins a lookup; it may end at once, where the table is empty or as many are under way as may be. */
  start(target: Uint8Array, purpose: Purpose): void {
    const { counters, limits, localIdHex } = this.#context
    const seeds = this.#table.closest(target, LOOKUP_RESULTS).map(node => node.record)
    const lookup = new Lookup<NodeRecord>({ target, localIdHex, seeds, k: LOOKUP_RESULTS })
    const running: Running = { lookup, purpose }
    if (this.#running.size >= limits.lookups) {
      counters.lookupsLimited++
      this.#end(running)
      return
    }
    counters.lookupsStarted++
    const number = this.#next++
    this.#running.set(number, running)
    this.#advance(number, running)
  }

  answered(request: PendingRequest): void {
    const running = this.#running.get(request.ref)
    const records = request.nodes?.records ?? []
    for (const record of records) this.#keeper.offer(record)
    if (running === undefined) return
    const { lookup, purpose } = running
    lookup.answered(request.session.nodeIdHex, records)
    if (purpose.type === 'resolve' && records.some(record => record.nodeIdHex === purpose.wanted)) lookup.finish()
    this.#advance(request.ref, running)
  }

  failed(request: PendingRequest): void {
    const running = this.#running.get(request.ref)
    if (running === undefined) return
    running.lookup.failed(request.session.nodeIdHex)
    this.#advance(request.ref, running)
  }

  #advance(number: number, running: Running): void {
    const { lookup } = running
    // Whoever cannot be asked counts as failed, which may make room for the next: hence until nobody is named.
    for (let nodes = lookup.next(); nodes.length > 0; nodes = lookup.next()) {
      for (const node of nodes) {
        const distances = distancesTowards(lookup.target, node.nodeId)
        const refusal = this.#messenger.ask(node, { type: FINDNODE, distances }, this, number)
        if (refusal !== undefined) lookup.failed(node.nodeIdHex)
      }
    }
    if (!lookup.done) return
    this.#running.delete(number)
    this.#end(running)
  }

  #end({ lookup, purpose }: Running): void {
    const { turn } = this.#context
    if (purpose.type === 'lookup') turn.emit({ type: 'lookup-done', ref: purpose.ref, records: lookup.closest() })
    if (purpose.type !== 'resolve') return
    const found = lookup.closestKnown().find(record => record.nodeIdHex === purpose.wanted)
    const { known } = purpose
    const record = found !== undefined && (known === undefined || found.seq > known.seq) ? found : known
    turn.emit({ type: 'resolved', ref: purpose.ref, record })
  }
}
