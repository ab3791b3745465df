import type { NodeRecord } from '../../identity/node-record.ts'
import type { Outgoing, Session } from './session.ts'

/** What the handshake needs from, and tells to, those who send messages. */
export interface SessionEvents {
  /** Keys are there: what waits in the queue may leave. */
  established(session: Session): void
  /** What waits in the queue may leave, under the keys that are there. */
  drain(session: Session): void
  /** Nobody answered: what waits in the queue is lost. */
  failed(session: Session): void
  /** A PING to carry in a handshake, where nothing that waits fits beside it or wants an answer. */
  ping(session: Session): Outgoing
  /** The newest record that anybody here has of a node. */
  knownRecord(nodeIdHex: string): NodeRecord | undefined
}
