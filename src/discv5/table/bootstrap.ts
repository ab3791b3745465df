import { Deadline } from 'spimpl-runtime/core'
import { randomIdAtDistance } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Lookups } from '../asking/lookups.ts'
import type { Context } from '../context.ts'
import type { RefreshSchedule } from './refresh-schedule.ts'
import type { TableMembers } from './table-members.ts'

/** Bootstrap nodes that are kept. */
const MAX_BOOTSTRAP_RECORDS = 64

/** Joins the network, and keeps the buckets filled by lookups for random ids. */
export class Bootstrap {
  readonly #context: Context
  readonly #members: TableMembers
  readonly #lookups: Lookups
  readonly #refreshes: RefreshSchedule
  readonly #retry = new Deadline('bootstrap-retry', undefined)
  #records: readonly NodeRecord[] = []

  constructor(
    context: Context,
    parts: { readonly members: TableMembers; readonly lookups: Lookups; readonly refreshes: RefreshSchedule },
  ) {
    this.#context = context
    this.#members = parts.members
    this.#lookups = parts.lookups
    this.#refreshes = parts.refreshes
  }

  /** Joins through these nodes. They are tried again whenever the table is empty. */
  join(records: readonly NodeRecord[]): void {
    this.#records = records.slice(0, MAX_BOOTSTRAP_RECORDS)
    this.#refreshes.restart()
    this.#join()
  }

  /** Tries the bootstrap nodes again if the table is empty. */
  retry(): void {
    if (this.#members.table.size === 0) this.#join()
    else this.#scheduleRetry()
  }

  /** Refreshes a bucket. */
  refresh(): void {
    const { turn, randomness, localId } = this.#context
    const { table } = this.#members
    this.#refreshes.advance()
    if (table.size === 0) return
    const target = randomIdAtDistance(localId, table.nextToRefresh(turn.now), randomness)
    this.#lookups.start(target, { type: 'refresh' })
  }

  #join(): void {
    const { localId, localIdHex } = this.#context
    for (const record of this.#records) if (record.nodeIdHex !== localIdHex) this.#members.offer(record)
    this.#scheduleRetry()
    if (this.#members.table.size === 0) return
    this.#refreshes.begin()
    // The nodes closest to us know our neighbours.
    this.#lookups.start(localId, { type: 'refresh' })
  }

  #scheduleRetry(): void {
    const { deadlines, turn, limits } = this.#context
    if (this.#records.length > 0) deadlines.set(this.#retry, turn.now + limits.bootstrapRetryMs)
    else deadlines.clear(this.#retry)
  }
}
