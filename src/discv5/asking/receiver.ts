import type { Session } from '../sessions/session.ts'
import type { OwnRecord } from '../table/own-record.ts'
import type { TableMembers } from '../table/table-members.ts'
import { addressText } from '../wire/address.ts'
import { type Message, NODES, PING, PONG, type Response, TALKRESP } from '../wire/message.ts'
import type { RecordFetcher } from './record-fetcher.ts'
import type { Requests } from './requests.ts'
import type { Responder } from './responder.ts'

/** Gives every message of a peer to the parts that it concerns. */
export class Receiver {
  readonly #requests: Requests
  readonly #responder: Responder
  readonly #fetcher: RecordFetcher
  readonly #members: TableMembers
  readonly #ownRecord: OwnRecord

  constructor(parts: {
    readonly requests: Requests
    readonly responder: Responder
    readonly fetcher: RecordFetcher
    readonly members: TableMembers
    readonly ownRecord: OwnRecord
  }) {
    this.#requests = parts.requests
    this.#responder = parts.responder
    this.#fetcher = parts.fetcher
    this.#members = parts.members
    this.#ownRecord = parts.ownRecord
  }

  receive(session: Session, message: Message): void {
    switch (message.type) {
      case PONG:
      case NODES:
      case TALKRESP:
        this.#response(session, message)
        break
      case PING:
        this.#responder.receive(session, message)
        this.#fetcher.noticed(session, message.enrSeq)
        break
      default:
        this.#responder.receive(session, message)
    }
  }

  #response(session: Session, response: Response): void {
    const request = this.#requests.answeredBy(session, response)
    if (request === undefined) return
    this.#members.heard(session)
    if (response.type === PONG) {
      this.#fetcher.noticed(session, response.enrSeq)
      this.#ownRecord.named(session, { host: addressText(response.ip), port: response.port })
    }
    request.owner.answered(request, response)
  }
}
