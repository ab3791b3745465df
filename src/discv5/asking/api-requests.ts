import type { DiscoveryErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Context } from '../context.ts'
import { addressText } from '../wire/address.ts'
import { FINDNODE, NODES, PING, PONG, type Response, TALKREQ, TALKRESP } from '../wire/message.ts'
import type { Messenger, Question } from './messenger.ts'
import type { PendingRequest, RequestOwner } from './requests.ts'

/** What a refusal says, besides its code. */
const REFUSALS: Partial<Record<DiscoveryErrorCode, string>> = {
  PEER_UNKNOWN: 'expected another node, got the own record',
  PEER_NO_ENDPOINT: 'the record names no address, and no session with the node is open',
  REQUEST_LIMIT: 'as many requests are in flight, or wait for the handshake, as may be',
  MESSAGE_MALFORMED: 'a log distance is an integer of 0 to 256',
  REQUEST_TOO_LARGE: 'the request does not fit into a packet of 1,280 bytes',
}

/** Requests that the owner of the core makes: each has exactly one outcome. */
export class ApiRequests implements RequestOwner {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #learned: (record: NodeRecord) => void

  constructor(context: Context, messenger: Messenger, learned: (record: NodeRecord) => void) {
    this.#context = context
    this.#messenger = messenger
    this.#learned = learned
  }

  ask(ref: number, to: NodeRecord, question: Question, timeoutMs?: number): void {
    // Nobody would answer: what a node sends to itself is dropped.
    const isSelf = to.nodeIdHex === this.#context.localIdHex
    const code = isSelf ? 'PEER_UNKNOWN' : this.#messenger.ask(to, question, this, ref, timeoutMs)
    if (code !== undefined) this.#fail(ref, code, REFUSALS[code] ?? 'the request was refused')
  }

  answered({ ref, type, nodes }: PendingRequest, response: Response): void {
    const { turn } = this.#context
    if (type === FINDNODE && response.type === NODES) {
      const records = nodes?.records ?? []
      for (const record of records) this.#learned(record)
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
