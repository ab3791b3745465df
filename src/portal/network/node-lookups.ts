import { distancesTowards, Lookup } from '../../discv5/asking/lookup.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { relayedRecords } from '../knowledge/relayed-records.ts'
import type { Job, OverlayState } from '../knowledge/state.ts'
import type { Turn } from '../overlay-messages.ts'
import type { Appointment } from '../waiting/agenda.ts'
import type { Requests } from '../waiting/requests.ts'
import type { Members } from './members.ts'

/** A lookup of nodes that goes on. */
export interface NodeLookup {
  cancel(): void
}

interface Running {
  readonly lookup: Lookup<NodeRecord>
  readonly settle: (turn: Turn, lookup: Lookup<NodeRecord>) => void
  readonly overdue: Appointment<Job>
}

/** Recursive FIND_NODES: the closest nodes of the sub-network to an id. */
export class NodeLookups {
  readonly #state: OverlayState
  readonly #requests: Requests
  readonly #members: Members
  readonly #running = new Set<Running>()

  constructor(state: OverlayState, requests: Requests, members: Members) {
    this.#state = state
    this.#requests = requests
    this.#members = members
  }

  get size(): number {
    return this.#running.size
  }

  /**
   * @param settle is told the lookup when it has ended, by itself or by time; may be called before this returns, where
   * nobody is there to ask
   * @returns undefined where too many lookups run already
   */
  start(turn: Turn, target: Uint8Array, settle: Running['settle']): NodeLookup | undefined {
    const { limits, table, record, agenda, counters } = this.#state
    if (this.#running.size >= limits.lookups) {
      counters.add('limit.lookups')
      return undefined
    }
    const lookup = new Lookup<NodeRecord>({
      target,
      localIdHex: record.nodeIdHex,
      seeds: table.closest(target, limits.bucketSize).map(member => member.record),
      k: limits.bucketSize,
      alpha: limits.lookupConcurrency,
      maxQueries: limits.lookupQueries,
    })
    const overdue = agenda.set(turn.now + limits.lookupTimeoutMs, later => this.#end(later, running))
    const running: Running = { lookup, settle, overdue }
    this.#running.add(running)
    this.#step(turn, running)
    return {
      cancel: () => {
        lookup.finish()
        this.#running.delete(running)
        agenda.cancel(overdue)
      },
    }
  }

  #step(turn: Turn, running: Running): void {
    if (!this.#running.has(running)) return
    const { lookup } = running
    for (let nodes = lookup.next(); nodes.length > 0; nodes = lookup.next()) {
      for (const node of nodes) if (!this.#ask(turn, running, node)) lookup.failed(node.nodeIdHex)
    }
    if (lookup.done) this.#end(turn, running)
  }

  #ask(turn: Turn, running: Running, node: NodeRecord): boolean {
    const distances = distancesTowards(running.lookup.target, node.nodeId)
    const refused = this.#requests.send(turn, node, { type: 'find-nodes', distances }, (later, answer) => {
      if (answer.ok) {
        const found = relayedRecords(this.#state, node, answer.message.records, distances)
        running.lookup.answered(
          node.nodeIdHex,
          found.filter(record => this.#members.isFit(record)),
        )
      } else running.lookup.failed(node.nodeIdHex)
      this.#step(later, running)
    })
    return refused === undefined
  }

  #end(turn: Turn, running: Running): void {
    if (!this.#running.delete(running)) return
    this.#state.agenda.cancel(running.overdue)
    running.lookup.finish()
    running.settle(turn, running.lookup)
  }
}
