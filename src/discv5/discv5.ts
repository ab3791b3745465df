import type { Core } from 'spimpl-runtime/core'
import { fromHex } from '../codec/hex.ts'
import { SpimplError } from '../errors.ts'
import type { NodeRecord } from '../identity/node-record.ts'
import { endpointEntries, type RecordChanges } from '../identity/publishable-record.ts'
import { RecordDecoder } from '../identity/record-decoder.ts'
import type { Endpoint } from '../transport/datagram.ts'
import { ApiRequests } from './asking/api-requests.ts'
import { Lookups } from './asking/lookups.ts'
import { Messenger } from './asking/messenger.ts'
import { RecordFetcher } from './asking/record-fetcher.ts'
import { PendingRequest } from './asking/requests.ts'
import { Resolver } from './asking/resolver.ts'
import { protocolName, Responder } from './asking/responder.ts'
import { type Context, Turn } from './context.ts'
import { type DiscoveryCounters, newCounters } from './counters.ts'
import { DeadlineHeap, type Timed } from './deadline-heap.ts'
import type { DiscoveryInput, DiscoveryOptions, DiscoveryOutput, DiscoverySnapshot, TalkToken } from './interface.ts'
import { discoveryLimits } from './limits.ts'
import { Inbox } from './sessions/inbox.ts'
import { Initiator } from './sessions/initiator.ts'
import { Outbox } from './sessions/outbox.ts'
import { Recipient } from './sessions/recipient.ts'
import { SentLog } from './sessions/sent-log.ts'
import { Session } from './sessions/session.ts'
import { isAt, SessionCache } from './sessions/session-cache.ts'
import { AddressVote, isBetterAddress } from './table/address-vote.ts'
import { Bootstrap } from './table/bootstrap.ts'
import { DEFAULT_IP_LIMITS, RoutingTable } from './table/routing-table.ts'
import { TableKeeper, type TableNode } from './table/table-keeper.ts'
import { addressScope, addressText } from './wire/address.ts'
import {
  encodeTalkResponse,
  FINDNODE,
  type Message,
  NODES,
  PING,
  PONG,
  type Response,
  TALKREQ,
  TALKRESP,
} from './wire/message.ts'

export type {
  DiscoveryInput,
  DiscoveryOptions,
  DiscoveryOutput,
  DiscoverySnapshot,
  SessionSnapshot,
  TalkToken,
} from './interface.ts'

/**
 * Node Discovery v5.1 as a core: datagrams and requests in, datagrams and outcomes out (devp2p, discv5/).
 *
 *     wire      packets, messages, the handshake's bytes, addresses
 *     sessions  keys, challenges, handshakes, and the packets that need them
 *     asking    requests and answers, lookups, rates
 *     table     the routing table, liveness, bootstrap, votes on the own address
 *
 * @example
 * const discovery = new Discv5({ record, crypto: nodeCryptography, randomness, oneWayProtocols: ['utp'] })
 * discovery.handle({ type: 'bootstrap', records }, now, emit)
 * discovery.handle({ type: 'talk', ref: 1, to: peer, protocol, payload }, now, emit)   // later 'talk-answered', or 'request-failed'
 * timer.setAt(discovery.deadline())                                                    // then handle({ type: 'timeout' }, ...)
 */
export class Discv5 implements Core<DiscoveryInput, DiscoveryOutput> {
  readonly counters: DiscoveryCounters = newCounters()
  readonly table: RoutingTable<TableNode>
  readonly #context: Context
  readonly #timers = new DeadlineHeap<Timed>()
  readonly #cache: SessionCache
  readonly #outbox: Outbox
  readonly #initiator: Initiator
  readonly #recipient: Recipient
  readonly #inbox: Inbox
  readonly #messenger: Messenger
  readonly #responder: Responder
  readonly #keeper: TableKeeper
  readonly #lookups: Lookups
  readonly #bootstrap: Bootstrap
  readonly #fetcher: RecordFetcher
  readonly #api: ApiRequests
  readonly #resolver: Resolver
  readonly #votes: AddressVote
  readonly #adoptAddress: boolean

  /** Throws CONFIG_INVALID for a limit that is none. */
  constructor(options: DiscoveryOptions) {
    const limits = discoveryLimits(options.limits)
    const { record: own, crypto, randomness } = options
    const { nodeId: localId, nodeIdHex: localIdHex } = own.current
    const context = { own, localId, localIdHex, crypto, randomness, limits, counters: this.counters, turn: new Turn() }
    const ipLimits = 'ipLimits' in options ? options.ipLimits : DEFAULT_IP_LIMITS
    this.#context = context
    this.#adoptAddress = options.adoptAddress ?? true
    this.table = new RoutingTable({ localId, ipLimits })
    this.#votes = new AddressVote({
      capacity: limits.addressVoters,
      majority: limits.addressMajority,
      lifetimeMs: limits.addressVoteMs,
    })
    const sentLog = new SentLog(limits.sentLog, limits.sentLogMs)
    const decoder = new RecordDecoder({ crypto })
    const timers = this.#timers
    this.#cache = new SessionCache(limits.sessions, session => this.#evicted(session), options.hasIpv6Alone)
    this.#outbox = new Outbox(context, sentLog)
    const events = {
      established: (session: Session) => this.#established(session),
      drain: (session: Session) => this.#messenger.drain(session),
      failed: (session: Session) => this.#messenger.abandon(session),
      ping: (session: Session) => this.#messenger.handshakePing(session),
      knownRecord: (nodeIdHex: string) => this.#knownRecord(nodeIdHex),
    }
    const parts = { cache: this.#cache, outbox: this.#outbox, sentLog, timers, decoder }
    this.#initiator = new Initiator(context, parts, events)
    this.#recipient = new Recipient(context, { ...parts, initiator: this.#initiator }, events)
    this.#messenger = new Messenger(
      context,
      { ...parts, initiator: this.#initiator },
      {
        answered: (session, response) => this.#answered(session, response),
        unanswered: record => this.#keeper.doubt(record),
      },
    )
    this.#inbox = new Inbox(
      context,
      { cache: this.#cache, initiator: this.#initiator, recipient: this.#recipient },
      (session, message) => this.#deliver(session, message),
    )
    this.#responder = new Responder(
      context,
      { messenger: this.#messenger, table: this.table },
      {
        oneWay: new Set((options.oneWayProtocols ?? []).map(protocolName)),
        spoken: options.protocols && new Set(options.protocols.map(protocolName)),
      },
    )
    this.#keeper = new TableKeeper(context, this.#messenger, this.table)
    this.#lookups = new Lookups(context, this.#messenger, this.#keeper)
    this.#bootstrap = new Bootstrap(context, this.#keeper, this.#lookups)
    this.#fetcher = new RecordFetcher(this.#messenger, record => this.#fetched(record))
    this.#api = new ApiRequests(context, this.#messenger, record => this.#keeper.offer(record))
    this.#resolver = new Resolver(context, { messenger: this.#messenger, lookups: this.#lookups }, events.knownRecord)
  }

  handle(input: DiscoveryInput, now: number, emit: (output: DiscoveryOutput) => void): void {
    const { turn } = this.#context
    turn.begin(now)
    this.#accept(input)
    this.#keeper.run()
    this.#responder.flush()
    const batch = this.#outbox.flush()
    for (const output of turn.end()) emit(output)
    if (batch.length > 0) emit({ type: 'send', batch })
  }

  deadline(): number {
    return Math.min(this.#timers.next(), this.#keeper.deadline(), this.#bootstrap.deadline())
  }

  snapshot(): DiscoverySnapshot {
    const { own, localIdHex } = this.#context
    return {
      nodeIdHex: localIdHex,
      enr: own.current.text,
      nodes: this.table.size,
      buckets: this.table.buckets().map(({ distance, members }) => ({
        distance,
        nodes: members.map(({ record: { nodeIdHex } }) => {
          const slot = this.table.slot(nodeIdHex)
          return { nodeIdHex, live: slot?.live ?? false, failures: slot?.failures ?? 0 }
        }),
      })),
      sessions: [...this.#cache].map(session => ({
        nodeIdHex: session.nodeIdHex,
        endpoint: session.endpoint,
        state: session.state,
        requestsInFlight: session.inFlight.size,
        queued: session.queue.length,
      })),
      challenges: this.#recipient.challenges,
      requestsInFlight: this.#messenger.inFlight,
      lookups: this.#lookups.size,
      counters: { ...this.counters },
    }
  }

  #accept(input: DiscoveryInput): void {
    switch (input.type) {
      case 'datagrams':
        this.#inbox.receive(input.batch)
        break
      case 'timeout':
        this.#expire()
        break
      case 'talk': {
        const { ref, to, protocol, payload, timeoutMs } = input
        this.#api.ask(ref, to, { type: TALKREQ, protocol, payload }, timeoutMs)
        break
      }
      case 'send-talks':
        this.#messenger.sendOneWay(input.to, input.protocol, input.payloads)
        break
      case 'answer-talk':
        this.#answerTalk(input.request, input.payload)
        break
      case 'ping':
        this.#api.ask(input.ref, input.to, { type: PING })
        break
      case 'find-nodes':
        this.#api.ask(input.ref, input.to, { type: FINDNODE, distances: input.distances })
        break
      case 'lookup':
        this.#lookups.start(input.target, { type: 'lookup', ref: input.ref })
        break
      case 'resolve':
        this.#resolver.resolve(input.ref, input.nodeId)
        break
      case 'add-record':
        this.#keeper.offer(input.record)
        break
      case 'remove-record': {
        const { ref, nodeIdHex } = input
        this.#context.turn.emit({ type: 'record-removed', ref, removed: this.#keeper.remove(nodeIdHex) })
        break
      }
      case 'set-record':
        this.#setRecord(input.ref, input.entries)
        break
      case 'bootstrap':
        this.#bootstrap.join(input.records)
        break
    }
  }

  #expire(): void {
    const { now } = this.#context.turn
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      if (due instanceof PendingRequest) this.#messenger.expire(due)
      else if (due instanceof Session) this.#initiator.expire(due)
    }
    this.#bootstrap.run()
  }

  #deliver(session: Session, message: Message): void {
    switch (message.type) {
      case PONG:
      case NODES:
      case TALKRESP:
        this.#messenger.receive(session, message)
        break
      case PING:
        this.#responder.receive(session, message)
        this.#fetcher.noticed(session, message.enrSeq)
        break
      default:
        this.#responder.receive(session, message)
    }
  }

  /** A node answered one of our requests. */
  #answered(session: Session, response: Response): void {
    this.#keeper.heard(session)
    this.#bootstrap.awake()
    if (response.type !== PONG) return
    this.#fetcher.noticed(session, response.enrSeq)
    this.#vote(session, { host: addressText(response.ip), port: response.port })
  }

  #established(session: Session): void {
    const { record } = session
    this.counters.sessionsEstablished++
    session.responses = 0
    this.#cache.established(session)
    this.#messenger.drain(session)
    if (record === undefined) return
    this.#context.turn.emit({ type: 'node-met', record })
    // Who came by itself from where its record says may enter the table; it is pinged before others hear of it.
    if (isAt(record, session.endpoint)) this.#keeper.offer(record)
    this.#bootstrap.awake()
  }

  #evicted(session: Session): void {
    this.counters.sessionsEvicted++
    this.#initiator.release(session)
    this.#messenger.abandon(session)
  }

  #fetched(record: NodeRecord): void {
    if (this.table.get(record.nodeIdHex) === undefined) this.#context.turn.emit({ type: 'node-met', record })
    this.#keeper.offer(record)
  }

  #knownRecord(nodeIdHex: string): NodeRecord | undefined {
    const inTable = this.table.get(nodeIdHex)?.record
    const inSession = this.#cache.ofNode(nodeIdHex)?.record
    if (inTable === undefined || inSession === undefined) return inTable ?? inSession
    return inTable.seq > inSession.seq ? inTable : inSession
  }

  #answerTalk({ nodeIdHex, endpoint, requestId }: TalkToken, payload: Uint8Array): void {
    const nodeId = fromHex(nodeIdHex)
    const session = nodeId.ok ? this.#cache.find(nodeId.value, endpoint) : undefined
    this.#messenger.respond(session, encodeTalkResponse(requestId, payload))
  }

  #vote(session: Session, named: Endpoint): void {
    const { own, turn } = this.#context
    if (!this.#adoptAddress) return
    this.counters.addressVotes++
    // Keys cost nothing, addresses do: all nodes of one are one voter. On a network of one's own they may share it.
    const { host } = session.endpoint
    this.#votes.add(addressScope(host) === 'global' ? host : session.nodeIdHex, named, turn.now)
    const family = named.host.includes(':') ? 'IPv6' : 'IPv4'
    const winner = this.#votes.winner(family)
    const published = family === 'IPv6' ? own.current.endpoint6 : own.current.endpoint4
    if (winner === undefined || !isBetterAddress(winner, published)) return
    // What a user has put into the record may leave no room for it.
    if (this.#publish(endpointEntries(winner)) !== undefined) this.counters.addressesUnpublished++
  }

  #setRecord(ref: number, entries: RecordChanges): void {
    const { own, turn } = this.#context
    const error = this.#publish(entries)
    turn.emit(
      error === undefined ? { type: 'record-set', ref, record: own.current } : { type: 'record-refused', ref, error },
    )
  }

  /** Returns why the changes were refused. */
  #publish(changes: RecordChanges): SpimplError | undefined {
    const { own, turn } = this.#context
    const before = own.current
    try {
      own.set(changes)
    } catch (error) {
      if (error instanceof SpimplError) return error
      throw error
    }
    const record = own.publish()
    if (record !== before) turn.emit({ type: 'record-changed', record })
    return undefined
  }
}
