import { type Core, Counters, Deadlines, Turn } from 'spimpl-runtime/core'
import { RecordDecoder } from '../identity/record-decoder.ts'
import { ApiRequests } from './asking/api-requests.ts'
import { Lookups } from './asking/lookups.ts'
import { Messenger } from './asking/messenger.ts'
import { Receiver } from './asking/receiver.ts'
import { RecordFetcher } from './asking/record-fetcher.ts'
import { Requests } from './asking/requests.ts'
import { Resolver } from './asking/resolver.ts'
import { protocolName, Responder } from './asking/responder.ts'
import type { Context } from './context.ts'
import { COUNTER_NAMES, type DiscoveryCounters } from './counters.ts'
import type { DiscoveryDeadline } from './deadlines.ts'
import { discoveryLimits } from './limits.ts'
import type { DiscoveryInput, DiscoveryOutput } from './messages.ts'
import type { DiscoveryOptions } from './options.ts'
import { Attempts } from './sessions/attempts.ts'
import { Backlog } from './sessions/backlog.ts'
import { Inbox } from './sessions/inbox.ts'
import { Initiator } from './sessions/initiator.ts'
import { Outbox } from './sessions/outbox.ts'
import { Recipient } from './sessions/recipient.ts'
import { SentLog } from './sessions/sent-log.ts'
import { SessionCache } from './sessions/session-cache.ts'
import { Sessions } from './sessions/sessions.ts'
import type { DiscoverySnapshot } from './snapshot.ts'
import { Bootstrap } from './table/bootstrap.ts'
import { KnownRecords } from './table/known-records.ts'
import { LivenessChecks } from './table/liveness-checks.ts'
import { OwnRecord } from './table/own-record.ts'
import { RefreshSchedule } from './table/refresh-schedule.ts'
import { DEFAULT_IP_LIMITS, RoutingTable } from './table/routing-table.ts'
import { TableMembers } from './table/table-members.ts'
import type { TableNode } from './table/table-node.ts'
import { FINDNODE, PING, TALKREQ } from './wire/message.ts'

/**
 * The discovery core. Its parts are constructed in order, each from the parts below it.
 *
 * @example
 * const discovery = new Discv5({ record, crypto: nodeCryptography, randomness, oneWayProtocols: ['utp'] })
 * discovery.handle({ type: 'bootstrap', records }, now, emit)
 * // Its outcome is 'talk-answered' or 'request-failed'.
 * discovery.handle({ type: 'talk', ref: 1, to: peer, protocol, payload }, now, emit)
 * // Then the input { type: 'timeout' }.
 * timer.setAt(discovery.deadline())
 */
export class Discv5 implements Core<DiscoveryInput, DiscoveryOutput> {
  readonly counters: DiscoveryCounters = new Counters(COUNTER_NAMES)
  readonly table: RoutingTable<TableNode>
  readonly #context: Context
  readonly #cache: SessionCache
  readonly #outbox: Outbox
  readonly #backlog: Backlog
  readonly #requests: Requests
  readonly #initiator: Initiator
  readonly #recipient: Recipient
  readonly #inbox: Inbox
  readonly #messenger: Messenger
  readonly #responder: Responder
  readonly #members: TableMembers
  readonly #checks: LivenessChecks
  readonly #lookups: Lookups
  readonly #bootstrap: Bootstrap
  readonly #api: ApiRequests
  readonly #resolver: Resolver
  readonly #ownRecord: OwnRecord

  /** @throws SpimplError `CONFIG_INVALID` for an unknown or non-positive limit */
  constructor(options: DiscoveryOptions) {
    const { record: own, crypto, randomness } = options
    const { nodeId: localId, nodeIdHex: localIdHex } = own.current
    const limits = discoveryLimits(options.limits)
    const { counters } = this
    const deadlines = new Deadlines<DiscoveryDeadline>()
    const context = {
      own,
      localId,
      localIdHex,
      crypto,
      randomness,
      limits,
      counters,
      deadlines,
      turn: new Turn<DiscoveryOutput>(),
    }
    const ipLimits = 'ipLimits' in options ? options.ipLimits : DEFAULT_IP_LIMITS
    const decoder = new RecordDecoder({ crypto })
    this.#context = context

    const table = new RoutingTable<TableNode>({ localId, ipLimits })
    const refreshes = new RefreshSchedule(context)
    const members = new TableMembers(context, table, refreshes)
    const ownRecord = new OwnRecord(context, options.adoptAddress ?? true)
    this.table = table
    this.#members = members
    this.#ownRecord = ownRecord

    const cache = new SessionCache(limits.sessions, options.hasIpv6Alone)
    const known = new KnownRecords(table, cache)
    const sentLog = new SentLog(limits.sentLog, limits.sentLogMs)
    const outbox = new Outbox(context, sentLog)
    const backlog = new Backlog(context, outbox)
    const attempts = new Attempts(context, outbox)
    const requests = new Requests(context, { backlog, sentLog, members, decoder })
    const sessions = new Sessions(context, { cache, attempts, backlog, requests, members })
    const initiator = new Initiator(context, { sessions, attempts, backlog, requests, sentLog })
    const recipient = new Recipient(context, { sessions, attempts, outbox, decoder, known })
    this.#cache = cache
    this.#outbox = outbox
    this.#backlog = backlog
    this.#requests = requests
    this.#initiator = initiator
    this.#recipient = recipient

    const messenger = new Messenger(context, { sessions, initiator, requests, backlog, outbox })
    const lookups = new Lookups(context, messenger, members)
    const fetcher = new RecordFetcher(context, messenger, members)
    const responder = new Responder(
      context,
      { messenger, sessions, table },
      {
        oneWay: new Set((options.oneWayProtocols ?? []).map(protocolName)),
        served: options.protocols && new Set(options.protocols.map(protocolName)),
      },
    )
    this.#messenger = messenger
    this.#lookups = lookups
    this.#responder = responder
    this.#api = new ApiRequests(context, messenger, members)
    this.#resolver = new Resolver(context, { messenger, lookups, known })
    this.#checks = new LivenessChecks(context, messenger, members)
    this.#bootstrap = new Bootstrap(context, { members, lookups, refreshes })
    const receiver = new Receiver({ requests, responder, fetcher, members, ownRecord })
    this.#inbox = new Inbox(context, { sessions, initiator, recipient, receiver })
  }

  handle(input: DiscoveryInput, now: number, emit: (output: DiscoveryOutput) => void): void {
    const { turn } = this.#context
    turn.begin(now)
    this.#accept(input)
    this.#checks.run()
    this.#responder.flush()
    const batch = this.#outbox.flush()
    if (batch.length > 0) turn.emit({ type: 'send', batch })
    turn.end(emit)
  }

  deadline(): number {
    return this.#context.deadlines.next()
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
          return { nodeIdHex, live: slot?.isLive ?? false, failures: slot?.failures ?? 0 }
        }),
      })),
      sessions: [...this.#cache].map(session => ({
        nodeIdHex: session.nodeIdHex,
        endpoint: session.endpoint,
        state: session.state,
        requestsInFlight: this.#requests.ofSession(session).size,
        queued: this.#backlog.sizeOf(session),
      })),
      challenges: this.#recipient.challenges,
      requestsInFlight: this.#requests.size,
      lookups: this.#lookups.size,
      counters: this.counters.snapshot(),
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
        this.#responder.answerTalk(input.request, input.payload)
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
        this.#members.offer(input.record)
        break
      case 'remove-record': {
        const { ref, nodeIdHex } = input
        this.#context.turn.emit({ type: 'record-removed', ref, removed: this.#members.remove(nodeIdHex) })
        break
      }
      case 'set-record':
        this.#ownRecord.set(input.ref, input.entries)
        break
      case 'bootstrap':
        this.#bootstrap.join(input.records)
        break
    }
  }

  /** Handles everything that is due: see `deadlines.ts`. */
  #expire(): void {
    const { deadlines, turn } = this.#context
    for (let due = deadlines.takeDue(turn.now); due !== undefined; due = deadlines.takeDue(turn.now)) {
      switch (due.name) {
        case 'request-timeout':
          this.#requests.expire(due.subject)
          break
        case 'handshake-retry':
          this.#initiator.retry(due.subject)
          break
        case 'challenge-expiry':
          this.#initiator.expire(due.subject)
          break
        case 'liveness-check':
          this.#members.checkNow(due.subject)
          break
        case 'bucket-refresh':
          this.#bootstrap.refresh()
          break
        case 'bootstrap-retry':
          this.#bootstrap.retry()
          break
      }
    }
  }
}
