import { PendingCalls } from 'spimpl-runtime/core'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Context } from '../context.ts'
import type { TableMembers } from '../table/table-members.ts'
import { FINDNODE } from '../wire/message.ts'
import { distancesTowards, Lookup } from './lookup.ts'
import type { Messenger } from './messenger.ts'
import type { PendingRequest, RequestOwner } from './pending-request.ts'

/** Records that a lookup searches for, and starts from: as many as a bucket holds. */
const LOOKUP_RESULTS = 16

/** What a lookup is for. */
export type LookupPurpose =
  | { readonly type: 'lookup'; readonly ref: number }
  /** Ends as soon as the node is found. */
  | { readonly type: 'resolve'; readonly ref: number; readonly wanted: string; readonly known: NodeRecord | undefined }
  | { readonly type: 'refresh' }

interface RunningLookup {
  readonly lookup: Lookup<NodeRecord>
  readonly purpose: LookupPurpose
}

/** Lookups under way: sends their queries, and emits their results. */
export class Lookups implements RequestOwner {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #members: TableMembers
  readonly #running: PendingCalls<RunningLookup>

  constructor(context: Context, messenger: Messenger, members: TableMembers) {
    this.#context = context
    this.#messenger = messenger
    this.#members = members
    this.#running = new PendingCalls(context.limits.lookups)
  }

  get size(): number {
    return this.#running.size
  }

  /** Begins a lookup. It ends at once if the table is empty or too many lookups are under way. */
  start(target: Uint8Array, purpose: LookupPurpose): void {
    const { counters, localIdHex } = this.#context
    const seeds = this.#members.table.closest(target, LOOKUP_RESULTS).map(node => node.record)
    const lookup = new Lookup<NodeRecord>({ target, localIdHex, seeds, k: LOOKUP_RESULTS })
    const running: RunningLookup = { lookup, purpose }
    if (!this.#running.hasRoom) {
      counters.add('lookupsLimited')
      this.#end(running)
      return
    }
    counters.add('lookupsStarted')
    this.#advance(this.#running.add(running), running)
  }

  answered({ ref, nodes, session }: PendingRequest): void {
    const running = this.#running.peek(ref)
    const records = nodes?.records ?? []
    for (const record of records) this.#members.offer(record)
    if (running === undefined) return
    const { lookup, purpose } = running
    lookup.answered(session.nodeIdHex, records)
    if (purpose.type === 'resolve' && records.some(record => record.nodeIdHex === purpose.wanted)) lookup.finish()
    this.#advance(ref, running)
  }

  failed({ ref, session }: PendingRequest): void {
    const running = this.#running.peek(ref)
    if (running === undefined) return
    running.lookup.failed(session.nodeIdHex)
    this.#advance(ref, running)
  }

  #advance(number: number, running: RunningLookup): void {
    const { lookup } = running
    // A node that cannot be queried counts as failed, which may make room for the next: hence the loop.
    for (let nodes = lookup.next(); nodes.length > 0; nodes = lookup.next()) {
      for (const node of nodes) {
        const distances = distancesTowards(lookup.target, node.nodeId)
        const refusal = this.#messenger.ask(node, { type: FINDNODE, distances }, this, number)
        if (refusal !== undefined) lookup.failed(node.nodeIdHex)
      }
    }
    if (!lookup.done) return
    if (this.#running.take(number) !== undefined) this.#end(running)
  }

  #end({ lookup, purpose }: RunningLookup): void {
    const { turn } = this.#context
    if (purpose.type === 'lookup') turn.emit({ type: 'lookup-done', ref: purpose.ref, records: lookup.closest() })
    if (purpose.type !== 'resolve') return
    const found = lookup.closestKnown().find(record => record.nodeIdHex === purpose.wanted)
    const { known } = purpose
    const record = found !== undefined && (known === undefined || found.seq > known.seq) ? found : known
    turn.emit({ type: 'resolved', ref: purpose.ref, record })
  }
}
