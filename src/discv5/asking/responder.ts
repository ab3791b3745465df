import type { NodeRecord } from '../../identity/node-record.ts'
import type { Context } from '../context.ts'
import type { Session } from '../sessions/session.ts'
import type { RoutingTable, TableEntry } from '../table/routing-table.ts'
import { addressBytes, mayRelay } from '../wire/address.ts'
import {
  encodeMessage,
  encodeTalkResponse,
  FINDNODE,
  NODES,
  PING,
  PONG,
  type Request,
  TALKREQ,
} from '../wire/message.ts'
import { MAX_PLAINTEXT_BYTES } from '../wire/packet.ts'
import type { Messenger } from './messenger.ts'

/** What a NODES message takes besides its records: type, list header, request id, total, list header. */
const NODES_OVERHEAD_BYTES = 1 + 3 + 9 + 2 + 3

const EMPTY = new Uint8Array(0)

interface KnownNode extends TableEntry {
  readonly record: NodeRecord
}

/** Packets of one-way protocols that one node sent in one turn. */
interface Gathered {
  readonly session: Session
  readonly protocol: Uint8Array
  readonly payloads: Uint8Array[]
}

/** Answers what peers ask. */
export class Responder {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #table: RoutingTable<KnownNode>
  readonly #oneWay: ReadonlySet<string>
  readonly #spoken: ReadonlySet<string> | undefined
  #gathered = new Map<string, Gathered>()

  /** @param options protocols as `protocolName` writes them; all are spoken where `spoken` is undefined */
  constructor(
    context: Context,
    parts: { readonly messenger: Messenger; readonly table: RoutingTable<KnownNode> },
    options: { readonly oneWay: ReadonlySet<string>; readonly spoken: ReadonlySet<string> | undefined },
  ) {
    this.#context = context
    this.#messenger = parts.messenger
    this.#table = parts.table
    this.#oneWay = options.oneWay
    this.#spoken = options.spoken
  }

  receive(session: Session, request: Request): void {
    this.#context.counters.requestsReceived++
    switch (request.type) {
      case PING:
        this.#pong(session, request.requestId)
        break
      case FINDNODE:
        this.#nodes(session, request.requestId, request.distances)
        break
      case TALKREQ:
        this.#talk(session, request)
        break
    }
  }

  /** Hands over what one-way protocols brought in this turn. */
  flush(): void {
    if (this.#gathered.size === 0) return
    const gathered = this.#gathered
    this.#gathered = new Map()
    for (const { session, protocol, payloads } of gathered.values()) {
      if (session.record === undefined) continue
      this.#context.turn.emit({ type: 'talks-received', from: session.record, protocol, payloads })
    }
  }

  #pong(session: Session, requestId: Uint8Array): void {
    const { own } = this.#context
    const ip = addressBytes(session.endpoint.host)
    if (ip === undefined) return
    const { port } = session.endpoint
    this.#messenger.respond(session, encodeMessage({ type: PONG, requestId, enrSeq: own.current.seq, ip, port }))
  }

  #nodes(session: Session, requestId: Uint8Array, distances: readonly number[]): void {
    const { own, limits } = this.#context
    const records: Uint8Array[] = []
    if (distances.includes(0)) records.push(own.current.bytes)
    const known = this.#table.atDistances(distances, limits.nodesRecords - records.length, ({ live, entry }) => {
      // Only who has answered is told to others, and nobody is told of himself.
      const { endpoint, nodeIdHex } = entry.record
      return (
        live &&
        endpoint !== undefined &&
        nodeIdHex !== session.nodeIdHex &&
        mayRelay(session.endpoint.host, endpoint.host)
      )
    })
    for (const { record } of known) records.push(record.bytes)
    const packets = splitRecords(records)
    for (const part of packets) {
      this.#messenger.respond(session, encodeMessage({ type: NODES, requestId, total: packets.length, records: part }))
    }
  }

  #talk(session: Session, request: Extract<Request, { type: typeof TALKREQ }>): void {
    const { requestId, protocol, payload } = request
    const { record, endpoint, nodeIdHex } = session
    const name = protocolName(protocol)
    if (this.#oneWay.has(name)) {
      this.#context.counters.oneWayReceived++
      const key = `${session.key}${name}`
      const known = this.#gathered.get(key)
      if (known === undefined) this.#gathered.set(key, { session, protocol, payloads: [payload] })
      else known.payloads.push(payload)
    } else if (record === undefined || (this.#spoken !== undefined && !this.#spoken.has(name))) {
      // An unknown protocol is answered with an empty response (discv5-wire.md, TALKREQ).
      this.#messenger.respond(session, encodeTalkResponse(requestId, EMPTY))
    } else {
      const token = { nodeIdHex, endpoint, requestId }
      this.#context.turn.emit({
        type: 'talk-requested',
        from: record,
        fromEndpoint: endpoint,
        protocol,
        payload,
        token,
      })
    }
  }
}

/** A protocol as a key: one character for each byte, since most protocols are not text. */
export function protocolName(protocol: string | Uint8Array): string {
  if (typeof protocol === 'string') return protocol
  let name = ''
  for (const byte of protocol) name += String.fromCharCode(byte)
  return name
}

/** Encoded records, divided so that each NODES message fits into a packet; one empty part where there are none. */
export function splitRecords(records: readonly Uint8Array[]): Uint8Array[][] {
  const parts: Uint8Array[][] = [[]]
  let room = MAX_PLAINTEXT_BYTES - NODES_OVERHEAD_BYTES
  for (const record of records) {
    if (record.length > room) {
      parts.push([])
      room = MAX_PLAINTEXT_BYTES - NODES_OVERHEAD_BYTES
    }
    parts.at(-1)!.push(record)
    room -= record.length
  }
  return parts
}
