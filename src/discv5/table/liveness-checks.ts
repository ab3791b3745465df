import { invariant } from 'spimpl-runtime/core'
import type { Messenger } from '../asking/messenger.ts'
import type { PendingRequest, RequestOwner } from '../asking/pending-request.ts'
import type { Context } from '../context.ts'
import { PING } from '../wire/message.ts'
import type { TableMembers } from './table-members.ts'
import type { TableNode } from './table-node.ts'

/**
 * Pings the nodes of the routing table whose check is due: new ones at once, live ones the less often the longer they
 * answer (discv5-theory.md, Table Maintenance In Practice).
 */
export class LivenessChecks implements RequestOwner {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #members: TableMembers
  #inFlight = 0

  constructor(context: Context, messenger: Messenger, members: TableMembers) {
    this.#context = context
    this.#messenger = messenger
    this.#members = members
  }

  /** Pings the nodes whose check is due, as many as may be in flight. */
  run(): void {
    while (this.#inFlight < this.#context.limits.checks) {
      const node = this.#members.takeDue()
      if (node === undefined) return
      this.#ping(node)
    }
  }

  answered({ session }: PendingRequest): void {
    this.#ended()
    this.#members.checkAnswered(session.nodeIdHex)
  }

  failed({ session }: PendingRequest): void {
    this.#ended()
    this.#members.checkFailed(session.nodeIdHex)
  }

  #ping(node: TableNode): void {
    // Counted first: this may evict the session of another check, which then ends before the call returns.
    this.#inFlight++
    const refusal = this.#messenger.ask(node.record, { type: PING }, this, 0)
    if (refusal === undefined) return
    this.#inFlight--
    this.#members.retryLater(node)
  }

  #ended(): void {
    this.#inFlight--
    invariant(this.#inFlight >= 0, 'no more checks to end than were sent')
  }
}
