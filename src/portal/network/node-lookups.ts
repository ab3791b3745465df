import { Deadline } from 'spimpl-runtime/core'
import { distancesTowards, Lookup } from '../../discv5/asking/lookup.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Members } from '../knowledge/members.ts'
import { relayedRecords } from '../knowledge/relayed-records.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { Requests } from '../waiting/requests.ts'

/** What is done with the result of a lookup. */
type Settle = (lookup: Lookup<NodeRecord>) => void

/** Recursive FIND_NODES: the closest nodes of the sub-network to an id. */
export class NodeLookups {
  readonly #state: OverlayState
  readonly #members: Members
  readonly #requests: Requests
  readonly #running = new Set<NodeLookup>()

  constructor(state: OverlayState, members: Members, requests: Requests) {
    this.#state = state
    this.#members = members
    this.#requests = requests
  }

  get size(): number {
    return this.#running.size
  }

  /**
   * @param settle gets the lookup when it has ended, by itself or by its deadline. If there is nobody to query, this
   * happens before `start` returns
   * @returns undefined if too many lookups are running
   */
  start(target: Uint8Array, settle: Settle): NodeLookup | undefined {
    const { counters, limits } = this.#state
    if (this.#running.size >= limits.lookups) {
      counters.add('limit.lookups')
      return undefined
    }
    const lookup: NodeLookup = new NodeLookup(this.#state, this.#members, this.#requests, target, result => {
      this.#running.delete(lookup)
      settle(result)
    })
    this.#running.add(lookup)
    lookup.start()
    return lookup
  }

  /** Ends a lookup without a word. */
  cancel(lookup: NodeLookup): void {
    if (this.#running.delete(lookup)) lookup.stop()
  }
}

/** One lookup that is running. */
export class NodeLookup {
  readonly #state: OverlayState
  readonly #members: Members
  readonly #requests: Requests
  readonly #settle: Settle
  readonly #lookup: Lookup<NodeRecord>
  readonly #timeout = new Deadline('node-lookup-timeout', this)
  #hasEnded = false

  constructor(state: OverlayState, members: Members, requests: Requests, target: Uint8Array, settle: Settle) {
    const { limits, record, table } = state
    this.#state = state
    this.#members = members
    this.#requests = requests
    this.#settle = settle
    this.#lookup = new Lookup<NodeRecord>({
      target,
      localIdHex: record.nodeIdHex,
      seeds: table.closest(target, limits.bucketSize).map(member => member.record),
      k: limits.bucketSize,
      alpha: limits.lookupConcurrency,
      maxQueries: limits.lookupQueries,
    })
  }

  start(): void {
    this.#state.deadlines.set(this.#timeout, this.#state.turn.now + this.#state.limits.lookupTimeoutMs)
    this.#step()
  }

  /** It ends with what it has found. */
  end(): void {
    if (this.#hasEnded) return
    this.stop()
    this.#settle(this.#lookup)
  }

  /** It ends, and `settle` is not called. */
  stop(): void {
    this.#hasEnded = true
    this.#state.deadlines.clear(this.#timeout)
    this.#lookup.finish()
  }

  #step(): void {
    if (this.#hasEnded) return
    const lookup = this.#lookup
    for (let nodes = lookup.next(); nodes.length > 0; nodes = lookup.next()) {
      for (const node of nodes) if (!this.#query(node)) lookup.failed(node.nodeIdHex)
    }
    if (lookup.done) this.end()
  }

  /** @returns whether the query was sent */
  #query(node: NodeRecord): boolean {
    const distances = distancesTowards(this.#lookup.target, node.nodeId)
    const failure = this.#requests.send(node, { type: 'find-nodes', distances }, answer => {
      if (answer.ok) {
        const found = relayedRecords(this.#state, node, answer.message.records, distances)
        this.#lookup.answered(
          node.nodeIdHex,
          found.filter(record => this.#members.isFit(record)),
        )
      } else this.#lookup.failed(node.nodeIdHex)
      this.#step()
    })
    return failure === undefined
  }
}
