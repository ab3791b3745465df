import type { Randomness } from 'spimpl-runtime'
import type { DiscoveryErrorCode } from '../../errors.ts'
import type { Timed } from '../deadline-heap.ts'
import type { SentMessage } from '../sessions/sent-log.ts'
import type { Session } from '../sessions/session.ts'
import type { Request, Response } from '../wire/message.ts'
import type { NodesAnswer } from './nodes-answer.ts'

/** Bytes of the ids that we choose. Short of the 8 that may be, so that an id is exact as a number. */
const REQUEST_ID_BYTES = 6

// The first byte tells our two kinds of ids apart. It is never 0: some clients read ids as integers and send them back without
// their leading zeros.
const AWAITED = 0x40
const ONE_WAY = 0x80

/** Who hears what became of a request. */
export interface RequestOwner {
  answered(request: PendingRequest, response: Response): void
  failed(request: PendingRequest, code: DiscoveryErrorCode, detail: string): void
}

/** A request that awaits its answer. */
export class PendingRequest implements Timed {
  readonly id: Uint8Array
  readonly idNumber: number
  readonly type: Request['type']
  readonly session: Session
  readonly owner: RequestOwner
  /** The owner's own. */
  readonly ref: number
  readonly plaintext: Uint8Array
  /** The last packet that carried it. */
  sent: SentMessage | undefined
  /** Collects the packets that answer a FINDNODE. */
  nodes: NodesAnswer | undefined
  /** Waits for a handshake. */
  queued = false
  /** How long it waits for its answer from when it leaves the queue; 0 where the caller set a time for all of it. */
  graceMs = 0
  dueAt = Number.POSITIVE_INFINITY
  heapIndex = -1

  constructor(
    id: Uint8Array,
    type: Request['type'],
    session: Session,
    plaintext: Uint8Array,
    owner: RequestOwner,
    ref: number,
  ) {
    this.id = id
    this.idNumber = requestIdNumber(id)
    this.type = type
    this.session = session
    this.plaintext = plaintext
    this.owner = owner
    this.ref = ref
  }
}

/** Requests in flight, by request id. */
export class RequestTable {
  readonly #byId = new Map<number, PendingRequest>()

  get size(): number {
    return this.#byId.size
  }

  /** A random id that no request in flight has. */
  newId(randomness: Randomness): Uint8Array {
    for (;;) {
      const id = randomness.bytes(REQUEST_ID_BYTES)
      id[0] = (id[0]! & 0x3f) | AWAITED
      if (!this.#byId.has(requestIdNumber(id))) return id
    }
  }

  add(request: PendingRequest): void {
    this.#byId.set(request.idNumber, request)
    request.session.inFlight.add(request)
  }

  /** The request that a response from a node answers. */
  find(id: Uint8Array, nodeIdHex: string): PendingRequest | undefined {
    if (id.length !== REQUEST_ID_BYTES) return undefined
    const request = this.#byId.get(requestIdNumber(id))
    return request?.session.nodeIdHex === nodeIdHex ? request : undefined
  }

  /** Takes a request out; false where it was settled before. */
  remove(request: PendingRequest): boolean {
    if (!this.#byId.delete(request.idNumber)) return false
    request.session.inFlight.delete(request)
    if (request.queued) request.session.unqueue(request)
    return true
  }
}

/** An id for a request whose answer nobody awaits. */
export function oneWayId(randomness: Randomness): Uint8Array {
  const id = randomness.bytes(REQUEST_ID_BYTES)
  id[0] = (id[0]! & 0x3f) | ONE_WAY
  return id
}

/** Whether a response answers a one-way request of ours. */
export function isOneWayId(id: Uint8Array): boolean {
  return id.length === REQUEST_ID_BYTES && (id[0]! & 0xc0) === ONE_WAY
}

function requestIdNumber(id: Uint8Array): number {
  const upper = (id[0]! << 16) | (id[1]! << 8) | id[2]!
  const lower = (id[3]! << 16) | (id[4]! << 8) | id[5]!
  return upper * 0x1_00_00_00 + lower
}
