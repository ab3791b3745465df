import type { DiscoveryErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Context } from '../context.ts'
import type { TableMembers } from '../table/table-members.ts'
import { addressText } from '../wire/address.ts'
import { FINDNODE, NODES, PING, PONG, type Response, TALKREQ, TALKRESP } from '../wire/message.ts'
import type { Messenger, Question } from './messenger.ts'
import type { PendingRequest, RequestOwner } from './pending-request.ts'

/** The detail of a refusal, besides its code. */
const REFUSALS: Partial<Record<DiscoveryErrorCode, string>> = {
  PEER_UNKNOWN: 'expected another node, got the own record',
  PEER_NO_ENDPOINT: 'the record has no address, and there is no session with the node',
  REQUEST_LIMIT: 'too many requests are in flight, or too many messages wait for the handshake',
  MESSAGE_MALFORMED: 'expected log distances that are integers of 0 to 256',
  REQUEST_TOO_LARGE: 'the request does not fit into a packet of 1,280 bytes',
}

/** Requests of the core's owner: each has exactly one outcome. */
export class ApiRequests implements RequestOwner {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #members: TableMembers

  constructor(context: Context, messenger: Messenger, members: TableMembers) {
    this.#context = context
    this.#messenger = messenger
    this.#members = members
  }

  ask(ref: number, to: NodeRecord, question: Question, timeoutMs?: number): void {
    // Nobody would answer: a node drops its own packets.
    const isSelf = to.nodeIdHex === this.#context.localIdHex
    const code = isSelf ? 'PEER_UNKNOWN' : this.#messenger.ask(to, question, this, ref, timeoutMs)
    if (code !== undefined) this.#fail(ref, code, REFUSALS[code] ?? 'the request was refused')
  }

  answered({ ref, type, nodes }: PendingRequest, response: Response): void {
    const { turn } = this.#context
    if (type === FINDNODE && response.type === NODES) {
      const records = nodes?.records ?? []
      for (const record of records) this.#members.offer(record)
      turn.emit({ type: 'nodes', ref, records })
    } else if (type === PING && response.type === PONG) {
      turn.emit({ type: 'pong', ref, enrSeq: response.enrSeq, ip: addressText(response.ip), port: response.port })
    } else if (type === TALKREQ && response.type === TALKRESP) {
      turn.emit({ type: 'talk-answered', ref, payload: response.payload })
    }
  }

  failed(request: PendingRequest, code: DiscoveryErrorCode, detail: string): void {
    this.#fail(request.ref, code, detail)
  }

  #fail(ref: number, code: DiscoveryErrorCode, detail: string): void {
    this.#context.turn.emit({ type: 'request-failed', ref, code, detail })
  }
}
