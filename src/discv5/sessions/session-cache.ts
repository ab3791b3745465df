import { toHex } from '../../codec/hex.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import { NODE_ID_BYTES } from '../wire/packet.ts'
import { Session } from './session.ts'

const MAPPED_PREFIX = '::ffff:'

/** The key of a session: node id and endpoint. An IPv4 address mapped into IPv6 is the same endpoint as the plain one. */
export function sessionKey(nodeId: Uint8Array, endpoint: Endpoint): string {
  const id = Buffer.from(nodeId.buffer, nodeId.byteOffset, NODE_ID_BYTES).toString('latin1')
  return `${id}${plainHost(endpoint.host)}|${endpoint.port}`
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && (a.host === b.host || plainHost(a.host) === plainHost(b.host))
}

/** Whether a record names this endpoint. */
export function isAt({ endpoint4, endpoint6 }: NodeRecord, endpoint: Endpoint): boolean {
  return [endpoint4, endpoint6].some(named => named !== undefined && sameEndpoint(named, endpoint))
}

function plainHost(host: string): string {
  return host.startsWith(MAPPED_PREFIX) ? host.slice(MAPPED_PREFIX.length) : host
}

/** Sessions by node id and endpoint; when it is full, the least recently used makes room. */
export class SessionCache {
  readonly #capacity: number
  readonly #onEvict: (session: Session) => void
  /** Of the two addresses that a record may name only one can be reached. */
  readonly #hasIpv6Alone: boolean
  /** Least recently used first. */
  readonly #sessions = new Map<string, Session>()
  /** The session of each node that was established last, whatever its endpoint. */
  readonly #ofNode = new Map<string, Session>()
  #newest: Session | undefined

  constructor(capacity: number, onEvict: (session: Session) => void, hasIpv6Alone = false) {
    this.#capacity = capacity
    this.#onEvict = onEvict
    this.#hasIpv6Alone = hasIpv6Alone
  }

  get size(): number {
    return this.#sessions.size
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values()
  }

  find(nodeId: Uint8Array, endpoint: Endpoint): Session | undefined {
    // Packets of a stream come in runs from one peer: to compare is cheaper than to build a key.
    const newest = this.#newest
    if (newest !== undefined && isOf(newest, nodeId, endpoint)) return newest
    return this.#touch(this.#sessions.get(sessionKey(nodeId, endpoint)))
  }

  /** The session, made where there is none. */
  obtain(nodeId: Uint8Array, endpoint: Endpoint): Session {
    const found = this.find(nodeId, endpoint)
    if (found !== undefined) return found
    const id = nodeId.slice()
    const session = new Session(sessionKey(id, endpoint), id, toHex(id), endpoint)
    this.#sessions.set(session.key, session)
    this.#newest = session
    if (this.#sessions.size > this.#capacity) this.#evictOldest()
    return session
  }

  /** The session of a node that was established last. */
  ofNode(nodeIdHex: string): Session | undefined {
    return this.#touch(this.#ofNode.get(nodeIdHex))
  }

  established(session: Session): void {
    if (session.cached) this.#ofNode.set(session.nodeIdHex, session)
  }

  /**
   * Through which session to reach a node: one that is established, even where the record names another address (the node may
   * sit behind a NAT), unless a newer record says that it moved; else the one at the record's address. Undefined where nobody
   * knows an address.
   */
  toward(record: NodeRecord): Session | undefined {
    const near = this.ofNode(record.nodeIdHex)
    const endpoint = this.#hasIpv6Alone ? (record.endpoint6 ?? record.endpoint4) : record.endpoint
    if (endpoint === undefined) return near
    if (near?.state !== 'established') return this.obtain(record.nodeId, endpoint)
    const moved = record.seq > (near.record?.seq ?? 0n) && !isAt(record, near.endpoint)
    return moved ? this.obtain(record.nodeId, endpoint) : near
  }

  delete(session: Session): void {
    this.#sessions.delete(session.key)
    if (this.#ofNode.get(session.nodeIdHex) === session) this.#ofNode.delete(session.nodeIdHex)
    if (this.#newest === session) this.#newest = undefined
    session.cached = false
  }

  #evictOldest(): void {
    const oldest = this.#sessions.values().next()
    if (oldest.done) return
    this.delete(oldest.value)
    this.#onEvict(oldest.value)
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
