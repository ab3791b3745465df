import type { NodeRecord } from '../../identity/node-record.ts'
import type { Context } from '../context.ts'
import type { Session } from '../sessions/session.ts'
import { isAt } from '../wire/address.ts'
import type { RefreshSchedule } from './refresh-schedule.ts'
import type { Removal, RoutingTable } from './routing-table.ts'
import { TableNode } from './table-node.ts'

/** How soon a node that missed a check, or did not answer a request, is checked again. */
const RECHECK_MS = 2_000

/** A node that answers many requests is marked live at most once in this time. */
const MARK_LIVE_MS = 1_000

/**
 * The members of the routing table: which nodes enter and leave it, and when each is checked (discv5-theory.md, Table
 * Maintenance In Practice). `LivenessChecks` sends the pings.
 */
export class TableMembers {
  readonly table: RoutingTable<TableNode>
  readonly #context: Context
  readonly #refreshes: RefreshSchedule
  /** Nodes whose check is due, in order: `LivenessChecks` pings them as soon as a check is free. */
  readonly #due = new Set<TableNode>()

  constructor(context: Context, table: RoutingTable<TableNode>, refreshes: RefreshSchedule) {
    this.table = table
    this.#context = context
    this.#refreshes = refreshes
  }

  /**
   * Offers a node of which another node told us, or that contacted us. It must answer a ping before it is advertised.
   */
  offer(record: NodeRecord): void {
    const { counters, turn, limits, deadlines } = this.#context
    if (record.endpoint === undefined) return
    const before = this.table.get(record.nodeIdHex)
    if (before !== undefined && before.record.seq >= record.seq) return
    const node = new TableNode(record, limits.checkIntervalMs)
    const insertion = this.table.insert(node, turn.now)
    if (insertion === 'ip-limit') counters.add('tableIpLimited')
    if (insertion === 'added') {
      counters.add('tableAdded')
      this.checkNow(node)
    }
    if (insertion !== 'updated' || before === undefined) return
    turn.emit({ type: 'node-met', record })
    this.#unschedule(before)
    // At a new address it must prove itself again.
    const isLive = this.table.slot(record.nodeIdHex)?.isLive === true
    if (isLive) deadlines.set(node.check, turn.now + this.#jittered(limits.checkIntervalMs))
    else this.checkNow(node)
  }

  /** Removes a node at the user's request; a replacement takes its place. @returns whether it was a member */
  remove(nodeIdHex: string): boolean {
    const removal = this.table.remove(nodeIdHex)
    if (removal.removed === undefined) return false
    this.#removed(removal)
    return true
  }

  /** A session with a node was established. */
  met(session: Session): void {
    const { record, endpoint } = session
    if (record === undefined) return
    this.#context.turn.emit({ type: 'node-met', record })
    // A peer that contacted us from its advertised endpoint may enter the table.
    if (isAt(record, endpoint)) this.offer(record)
    this.#refreshes.begin()
  }

  /** A node answered a request at the endpoint of this session. */
  heard(session: Session): void {
    const { turn } = this.#context
    this.#refreshes.begin()
    if (turn.now - session.markedLiveAt < MARK_LIVE_MS) return
    const { record } = session
    // The nodes to which we would advertise it cannot reach it anywhere else than at its advertised endpoint.
    if (record === undefined || !isAt(record, session.endpoint)) return
    session.markedLive(turn.now)
    this.offer(record)
    this.table.markLive(record.nodeIdHex, turn.now)
  }

  /** A node did not answer a request: it is checked soon. */
  doubt(record: NodeRecord): void {
    const { deadlines, turn } = this.#context
    const check = this.table.get(record.nodeIdHex)?.check
    if (check?.isSet) deadlines.set(check, Math.min(check.at, turn.now + RECHECK_MS))
  }

  /** The check of a node is due. */
  checkNow(node: TableNode): void {
    this.#due.add(node)
  }

  /** The check of a node could not be sent. */
  retryLater(node: TableNode): void {
    this.#context.deadlines.set(node.check, this.#context.turn.now + RECHECK_MS)
  }

  /** Takes the node whose check has been due longest. */
  takeDue(): TableNode | undefined {
    const node = this.#due.values().next().value
    if (node !== undefined) this.#due.delete(node)
    return node
  }

  /** A node answered its check: the next one comes later, the more checks it answers in a row. */
  checkAnswered(nodeIdHex: string): void {
    const { limits, turn, deadlines } = this.#context
    const node = this.table.get(nodeIdHex)
    if (node === undefined) return
    deadlines.set(node.check, turn.now + this.#jittered(node.takeInterval(limits.maxCheckIntervalMs)))
  }

  /** A node did not answer its check. */
  checkFailed(nodeIdHex: string): void {
    const { limits } = this.#context
    const node = this.table.get(nodeIdHex)
    if (node === undefined) return
    node.resetInterval(limits.checkIntervalMs)
    const removal = this.table.markFailed(nodeIdHex)
    if (removal.removed === undefined) this.retryLater(node)
    else this.#removed(removal)
  }

  #removed({ removed, successor }: Removal<TableNode>): void {
    const { turn, counters } = this.#context
    counters.add('tableRemoved')
    if (removed !== undefined) {
      this.#unschedule(removed)
      turn.emit({ type: 'node-lost', nodeIdHex: removed.record.nodeIdHex })
    }
    if (successor !== undefined) this.checkNow(successor)
  }

  #unschedule(node: TableNode): void {
    this.#context.deadlines.clear(node.check)
    this.#due.delete(node)
  }

  /** Between three quarters and five quarters of a wait, so that nodes do not check each other in step. */
  #jittered(waitMs: number): number {
    return waitMs * (0.75 + this.#context.randomness.below(1024) / 2048)
  }
}
