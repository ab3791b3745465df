import type { NodeRecord } from '../../identity/node-record.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import type { Requests } from '../asking/requests.ts'
import type { Context } from '../context.ts'
import type { TableMembers } from '../table/table-members.ts'
import type { Attempts } from './attempts.ts'
import type { Backlog } from './backlog.ts'
import type { Session } from './session.ts'
import type { SessionCache } from './session-cache.ts'

/** All sessions, and what follows when one is established, fails or is evicted. */
export class Sessions {
  readonly #context: Context
  readonly #cache: SessionCache
  readonly #attempts: Attempts
  readonly #backlog: Backlog
  readonly #requests: Requests
  readonly #members: TableMembers

  constructor(
    context: Context,
    parts: {
      readonly cache: SessionCache
      readonly attempts: Attempts
      readonly backlog: Backlog
      readonly requests: Requests
      readonly members: TableMembers
    },
  ) {
    this.#context = context
    this.#cache = parts.cache
    this.#attempts = parts.attempts
    this.#backlog = parts.backlog
    this.#requests = parts.requests
    this.#members = parts.members
  }

  find(nodeId: Uint8Array, endpoint: Endpoint): Session | undefined {
    return this.#cache.find(nodeId, endpoint)
  }

  /** The session, created if there is none. */
  obtain(nodeId: Uint8Array, endpoint: Endpoint): Session {
    const session = this.#cache.obtain(nodeId, endpoint)
    this.#evictExcess()
    return session
  }

  /** The session through which a node is reached, and which knows its record; undefined if no address is known. */
  toward(record: NodeRecord): Session | undefined {
    const session = this.#cache.toward(record)
    if (session === undefined) return undefined
    this.#evictExcess()
    session.learn(record)
    return session
  }

  /** A session has keys: what waited for them leaves, and its node is met. */
  established(session: Session): void {
    this.#context.counters.add('sessionsEstablished')
    this.#cache.prefer(session)
    this.#backlog.drain(session)
    this.#members.met(session)
  }

  /** Nobody answered a handshake or a challenge: what waited for it, or is in flight, has failed. */
  failed(session: Session): void {
    session.fail()
    this.#context.counters.add('sessionsFailed')
    this.#requests.abandon(session)
  }

  #evictExcess(): void {
    for (let session = this.#cache.takeExcess(); session !== undefined; session = this.#cache.takeExcess()) {
      this.#context.counters.add('sessionsEvicted')
      this.#attempts.end(session)
      this.#requests.abandon(session)
    }
  }
}
