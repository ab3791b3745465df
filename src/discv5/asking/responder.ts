import { fromHex } from '../../codec/hex.ts'
import type { Context } from '../context.ts'
import type { TalkToken } from '../messages.ts'
import type { Session } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import type { TableNode } from '../table/table-node.ts'
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

/** Bytes of a NODES message besides its records: type, list header, request id, total, list header. */
const NODES_OVERHEAD_BYTES = 1 + 3 + 9 + 2 + 3

const EMPTY = new Uint8Array(0)

/** Packets of a one-way protocol that one node sent in one turn. */
interface OneWayTalks {
  readonly session: Session
  readonly protocol: Uint8Array
  readonly payloads: Uint8Array[]
}

/** Answers the requests of peers. */
export class Responder {
  readonly #context: Context
  readonly #messenger: Messenger
  readonly #sessions: Sessions
  readonly #table: RoutingTable<TableNode>
  readonly #oneWay: ReadonlySet<string>
  readonly #served: ReadonlySet<string> | undefined
  #talks = new Map<string, OneWayTalks>()

  /** @param options protocols as `protocolName` writes them; every protocol is served if `served` is undefined */
  constructor(
    context: Context,
    parts: { readonly messenger: Messenger; readonly sessions: Sessions; readonly table: RoutingTable<TableNode> },
    options: { readonly oneWay: ReadonlySet<string>; readonly served: ReadonlySet<string> | undefined },
  ) {
    this.#context = context
    this.#messenger = parts.messenger
    this.#sessions = parts.sessions
    this.#table = parts.table
    this.#oneWay = options.oneWay
    this.#served = options.served
  }

  receive(session: Session, request: Request): void {
    this.#context.counters.add('requestsReceived')
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

  /** Answers a `talk-requested`. */
  answerTalk({ nodeIdHex, endpoint, requestId }: TalkToken, payload: Uint8Array): void {
    const nodeId = fromHex(nodeIdHex)
    const session = nodeId.ok ? this.#sessions.find(nodeId.value, endpoint) : undefined
    this.#messenger.respond(session, encodeTalkResponse(requestId, payload))
  }

  /** Emits the talks of one-way protocols that this turn brought. */
  flush(): void {
    if (this.#talks.size === 0) return
    const talks = this.#talks
    this.#talks = new Map()
    const { counters, turn } = this.#context
    for (const { session, protocol, payloads } of talks.values()) {
      counters.add('oneWayReceived', payloads.length)
      const { record } = session
      if (record !== undefined) turn.emit({ type: 'talks-received', from: record, protocol, payloads })
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
    const advertised = this.#table.atDistances(distances, limits.nodesRecords - records.length, ({ isLive, entry }) => {
      // Only nodes that have answered us are advertised, and not to themselves.
      const { endpoint, nodeIdHex } = entry.record
      return (
        isLive &&
        endpoint !== undefined &&
        nodeIdHex !== session.nodeIdHex &&
        mayRelay(session.endpoint.host, endpoint.host)
      )
    })
    for (const { record } of advertised) records.push(record.bytes)
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
      const key = `${session.key}${name}`
      const talks = this.#talks.get(key)
      if (talks === undefined) this.#talks.set(key, { session, protocol, payloads: [payload] })
      else talks.payloads.push(payload)
    } else if (record === undefined || this.#served?.has(name) === false) {
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

/** A protocol as a map key: one character for each byte, because most protocols are not text. */
export function protocolName(protocol: string | Uint8Array): string {
  if (typeof protocol === 'string') return protocol
  let name = ''
  for (const byte of protocol) name += String.fromCharCode(byte)
  return name
}

/** Divides encoded records so that each NODES message fits into a packet. Without records there is one empty part. */
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
