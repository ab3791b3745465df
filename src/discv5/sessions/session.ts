import type { NodeRecord } from '../../identity/node-record.ts'
import type { Endpoint } from '../../transport/datagram.ts'
import type { PendingRequest } from '../asking/requests.ts'
import type { Timed } from '../deadline-heap.ts'
import { nextSessionState, type SessionEvent, type SessionState } from './session-machine.ts'

/** How many messages one key may seal: the counter in the first 4 bytes of the nonce must not repeat (discv5-theory.md, Session Cache). */
export const MAX_SEALED_PER_KEY = 2 ** 32

/** The keys of one handshake, from our side. */
export interface SessionKeys {
  /** 16 bytes. */
  readonly writeKey: Uint8Array
  /** 16 bytes. */
  readonly readKey: Uint8Array
  /** Messages that `writeKey` has sealed: the counter of the next nonce. */
  sealed: number
  /** Whether the peer has used them. */
  proven: boolean
}

/** A message that waits for keys. */
export interface Outgoing {
  readonly plaintext: Uint8Array
  /** Undefined for responses and one-way talks. */
  readonly request: PendingRequest | undefined
}

/** A packet that may have to be sent again, byte for byte, and the nonce of the WHOAREYOU that goes with it. */
export interface Attempt {
  readonly nonce: Uint8Array
  readonly packet: Uint8Array
  sentAt: number
  /** The number that the next message had in the sent log. */
  readonly order: number
}

/**
 * What we share with one node at one endpoint. Keys are bound to the endpoint, so that nobody uses a session from elsewhere.
 *
 * Two sets of keys can be alive: both sides may have opened at once, and each of the two handshakes made keys; or one side asks
 * for new keys while the old ones still hold. We send with one set and read with both.
 */
export class Session implements Timed {
  readonly key: string
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  readonly nodeIdHex: string
  readonly endpoint: Endpoint
  /** The newest record that we have of the node; always there once a session was established. */
  record: NodeRecord | undefined
  state: SessionState = 'idle'
  /** We send with these. */
  keys: SessionKeys | undefined
  /** We also read with these. */
  otherKeys: SessionKeys | undefined
  /** The packet with random content that asks for a challenge. */
  opening: Attempt | undefined
  /** The handshake packet that answered a challenge, until the peer has used its keys. */
  handshake: Attempt | undefined
  /** How often `opening` or `handshake` was sent. */
  attempts = 0
  /** Challenges answered since the session was last established. */
  responses = 0
  /** Waits for the handshake, in order. */
  queue: Outgoing[] = []
  /** Sent or queued, and not answered. */
  readonly inFlight = new Set<PendingRequest>()
  /** Requests in a row that were not answered. */
  silentRequests = 0
  /** When the routing table last heard that the node answers. */
  reportedLiveAt = Number.NEGATIVE_INFINITY
  /** The node's newer record was asked for. */
  fetchingRecord = false
  /** False once the cache let it go: who still holds it must not send through it. */
  cached = true
  dueAt = Number.POSITIVE_INFINITY
  heapIndex = -1

  constructor(key: string, nodeId: Uint8Array, nodeIdHex: string, endpoint: Endpoint) {
    this.key = key
    this.nodeId = nodeId
    this.nodeIdHex = nodeIdHex
    this.endpoint = endpoint
  }

  /** Whether a message can be sealed and sent now. */
  get ready(): boolean {
    return this.state === 'established' && this.keys !== undefined
  }

  happened(event: SessionEvent): void {
    this.state = nextSessionState(this.state, event)
  }

  /** Takes a request out of the queue; it was settled before it was sent. */
  unqueue(request: PendingRequest): void {
    const at = this.queue.findIndex(outgoing => outgoing.request === request)
    if (at >= 0) this.queue.splice(at, 1)
  }
}
