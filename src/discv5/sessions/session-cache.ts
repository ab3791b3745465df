import { toHex } from '../../codec/hex.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import { isAt, plainHost } from '../wire/address.ts'
import { NODE_ID_BYTES } from '../wire/packet.ts'
import { Session } from './session.ts'

/** The key of a session: node id and endpoint. */
export function sessionKey(nodeId: Uint8Array, endpoint: Endpoint): string {
  const id = Buffer.from(nodeId.buffer, nodeId.byteOffset, NODE_ID_BYTES).toString('latin1')
  return `${id}${plainHost(endpoint.host)}|${endpoint.port}`
}

/** Sessions by node id and endpoint, in the order of their use. */
export class SessionCache {
  readonly #capacity: number
  readonly #hasIpv6Alone: boolean
  /** Least recently used first. */
  readonly #sessions = new Map<string, Session>()
  /** The session of each node that was established last, whatever its endpoint. */
  readonly #ofNode = new Map<string, Session>()
  #newest: Session | undefined

  /** @param hasIpv6Alone of the two addresses that a record may have, only that of IPv6 is reachable */
  constructor(capacity: number, hasIpv6Alone = false) {
    this.#capacity = capacity
    this.#hasIpv6Alone = hasIpv6Alone
  }

  get size(): number {
    return this.#sessions.size
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values()
  }

  find(nodeId: Uint8Array, endpoint: Endpoint): Session | undefined {
    // Packets of a stream arrive in runs from one peer: a comparison is cheaper than the construction of a key.
    const newest = this.#newest
    if (newest !== undefined && isOf(newest, nodeId, endpoint)) return newest
    return this.#touch(this.#sessions.get(sessionKey(nodeId, endpoint)))
  }

  /** The session, created if there is none. The caller evicts what `takeExcess` returns afterwards. */
  obtain(nodeId: Uint8Array, endpoint: Endpoint): Session {
    const found = this.find(nodeId, endpoint)
    if (found !== undefined) return found
    const id = nodeId.slice()
    const session = new Session(sessionKey(id, endpoint), id, toHex(id), endpoint)
    this.#sessions.set(session.key, session)
    this.#newest = session
    return session
  }

  /** The session of a node that was established last. */
  ofNode(nodeIdHex: string): Session | undefined {
    return this.#touch(this.#ofNode.get(nodeIdHex))
  }

  /** A session was established: it is the one through which its node is reached. */
  prefer(session: Session): void {
    if (session.isCached) this.#ofNode.set(session.nodeIdHex, session)
  }

  /**
   * The session through which a node is reached: the established one, even if the record names another address (the
   * node may be behind a NAT), unless a newer record says that the node moved; otherwise the one at the record's
   * address. Undefined if no address is known.
   */
  toward(record: NodeRecord): Session | undefined {
    const established = this.ofNode(record.nodeIdHex)
    const endpoint = this.#hasIpv6Alone ? (record.endpoint6 ?? record.endpoint4) : record.endpoint
    if (endpoint === undefined) return established
    if (!established?.isEstablished) return this.obtain(record.nodeId, endpoint)
    const hasMoved = record.seq > (established.record?.seq ?? 0n) && !isAt(record, established.endpoint)
    return hasMoved ? this.obtain(record.nodeId, endpoint) : established
  }

  /** Removes and returns the least recently used session while there are too many. */
  takeExcess(): Session | undefined {
    if (this.#sessions.size <= this.#capacity) return undefined
    const oldest = this.#sessions.values().next().value
    if (oldest !== undefined) this.#delete(oldest)
    return oldest
  }

  #delete(session: Session): void {
    this.#sessions.delete(session.key)
    if (this.#ofNode.get(session.nodeIdHex) === session) this.#ofNode.delete(session.nodeIdHex)
    if (this.#newest === session) this.#newest = undefined
    session.leaveCache()
  }

  #touch(session: Session | undefined): Session | undefined {
    if (session === undefined || session === this.#newest) return session
    this.#sessions.delete(session.key)
    this.#sessions.set(session.key, session)
    this.#newest = session
    return session
  }
}

function isOf(session: Session, nodeId: Uint8Array, endpoint: Endpoint): boolean {
  if (session.endpoint.port !== endpoint.port || session.endpoint.host !== endpoint.host) return false
  for (let at = 0; at < NODE_ID_BYTES; at++) if (session.nodeId[at] !== nodeId[at]) return false
  return true
}
