import type { NodeRecord } from '../../identity/node-record.ts'
import type { Messenger } from '../asking/messenger.ts'
import type { PendingRequest, RequestOwner } from '../asking/requests.ts'
import type { Context } from '../context.ts'
import { DeadlineHeap, type Timed } from '../deadline-heap.ts'
import type { Session } from '../sessions/session.ts'
import { isAt } from '../sessions/session-cache.ts'
import { PING } from '../wire/message.ts'
import type { Removal, RoutingTable } from './routing-table.ts'

/** How soon a node that missed a check is checked again. */
const RECHECK_MS = 2_000

/** A node that answers many requests is noted as live at most this often. */
const LIVE_NOTE_MS = 1_000

/** A node of the table, and when it is checked next. */
export interface TableNode extends Timed {
  readonly record: NodeRecord
  /** How long after its next answer it is checked again. */
  intervalMs: number
}

/**
 * Keeps the routing table alive: pings new nodes at once, live ones the less often the longer they answer, and lets the reserve
 * take the place of those that do not (discv5-theory.md, Table Maintenance In Practice).
 */
export class TableKeeper implements RequestOwner {
  readonly table: RoutingTable<TableNode>
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #schedule = new DeadlineHeap<TableNode>()
  #checks = 0

  constructor(context: Context, messenger: Messenger, table: RoutingTable<TableNode>) {
    this.table = table
    this.#context = context
    this.#messenger = messenger
  }

  /** When the next check is due; Infinity while as many are in flight as may be. */
  deadline(): number {
    return this.#checks >= this.#context.limits.checks ? Number.POSITIVE_INFINITY : this.#schedule.next()
  }

  /** Sends the checks that are due. */
  run(): void {
    const { turn, limits } = this.#context
    while (this.#checks < limits.checks) {
      const node = this.#schedule.takeDue(turn.now)
      if (node === undefined) return
      const refusal = this.#messenger.ask(node.record, { type: PING }, this, 0)
      if (refusal === undefined) this.#checks++
      // As many requests are in flight as may be: later.
      else this.#schedule.set(node, turn.now + RECHECK_MS)
    }
  }

  /** Offers a node that somebody told us of, or that came by itself. It must answer before others hear of it. */
  offer(record: NodeRecord): void {
    const { counters, turn, limits } = this.#context
    if (record.endpoint === undefined) return
    const before = this.table.get(record.nodeIdHex)
    if (before !== undefined && before.record.seq >= record.seq) return
    const node: TableNode = { record, intervalMs: limits.checkIntervalMs, dueAt: turn.now, heapIndex: -1 }
    const insertion = this.table.insert(node, turn.now)
    if (insertion === 'ip-limit') counters.tableIpLimited++
    if (insertion === 'added') {
      counters.tableAdded++
      this.#schedule.set(node, turn.now)
    }
    if (insertion !== 'updated' || before === undefined) return
    turn.emit({ type: 'node-met', record })
    this.#schedule.remove(before)
    // Where it has moved it must prove itself again.
    const live = this.table.slot(record.nodeIdHex)?.live === true
    this.#schedule.set(node, live ? turn.now + this.#jittered(limits.checkIntervalMs) : turn.now)
  }

  /** A user's word: it is not checked any more, and who stood in reserve takes its place. Returns whether it was a member. */
  remove(nodeIdHex: string): boolean {
    const removal = this.table.remove(nodeIdHex)
    if (removal.removed === undefined) return false
    this.#context.counters.tableRemoved++
    this.#removed(removal)
    return true
  }

  /** A node answered a request, or completed a handshake, at the endpoint of this session. */
  heard(session: Session): void {
    const { turn } = this.#context
    if (turn.now - session.reportedLiveAt < LIVE_NOTE_MS) return
    const { record } = session
    // What answers elsewhere than its record says cannot be reached by those whom we would tell.
    if (record === undefined || !isAt(record, session.endpoint)) return
    session.reportedLiveAt = turn.now
    this.offer(record)
    this.table.markLive(record.nodeIdHex, turn.now)
  }

  /** A node did not answer something: it is checked soon. */
  doubt(record: NodeRecord): void {
    const node = this.table.get(record.nodeIdHex)
    if (node !== undefined && node.heapIndex >= 0) {
      this.#schedule.set(node, Math.min(node.dueAt, this.#context.turn.now + RECHECK_MS))
    }
  }

  answered(request: PendingRequest): void {
    this.#checks--
    const { limits, turn } = this.#context
    const node = this.table.get(request.session.nodeIdHex)
    if (node === undefined) return
    this.#schedule.set(node, turn.now + this.#jittered(node.intervalMs))
    node.intervalMs = Math.min(2 * node.intervalMs, limits.maxCheckIntervalMs)
  }

  failed(request: PendingRequest): void {
    this.#checks--
    const { limits, turn, counters } = this.#context
    const { nodeIdHex } = request.session
    const node = this.table.get(nodeIdHex)
    if (node === undefined) return
    node.intervalMs = limits.checkIntervalMs
    const removal = this.table.markFailed(nodeIdHex)
    if (removal.removed === undefined) this.#schedule.set(node, turn.now + RECHECK_MS)
    else {
      counters.tableRemoved++
      this.#removed(removal)
    }
  }

  #removed({ removed, successor }: Removal<TableNode>): void {
    const { turn } = this.#context
    if (removed !== undefined) {
      this.#schedule.remove(removed)
      turn.emit({ type: 'node-lost', nodeIdHex: removed.record.nodeIdHex })
    }
    if (successor !== undefined) this.#schedule.set(successor, turn.now)
  }

  /** Between three quarters and five quarters of a wait, so that nodes do not check each other in step. */
  #jittered(waitMs: number): number {
    return waitMs * (0.75 + this.#context.randomness.below(1024) / 2048)
  }
}
