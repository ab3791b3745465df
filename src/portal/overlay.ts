import type { Core } from 'spimpl-runtime/core'
import { MAX_DISTANCE } from '../identity/distances.ts'
import type { NodeRecord } from '../identity/node-record.ts'
import { Calls } from './content/calls.ts'
import { ContentLookups } from './content/content-lookups.ts'
import { Gossip } from './content/gossip.ts'
import { IncomingOffers } from './content/incoming-offers.ts'
import { OutgoingOffers } from './content/outgoing-offers.ts'
import { Retrievals } from './content/retrievals.ts'
import { Serving } from './content/serving.ts'
import type { OverlayCounterName } from './counters.ts'
import type { OverlayDeadline } from './deadlines.ts'
import { Members } from './knowledge/members.ts'
import { type OverlayOptions, OverlayState } from './knowledge/state.ts'
import type { OverlayInput, OverlayOutput } from './messages.ts'
import { Joining } from './network/joining.ts'
import { NodeLookups } from './network/node-lookups.ts'
import { Pings } from './network/pings.ts'
import { Questions } from './waiting/questions.ts'
import { Requests } from './waiting/requests.ts'
import { type TransferKind, Transfers } from './waiting/transfers.ts'

/** A node of the routing table, as `inspect` shows it. */
export interface MemberSnapshot {
  readonly nodeIdHex: string
  /** It has answered since it entered the table: only then our answers to others may include it. */
  readonly isLive: boolean
  readonly radius: bigint | undefined
  readonly clientInfo: string | undefined
}

/** What `inspect` shows of an overlay. */
export interface OverlaySnapshot {
  readonly nodeIdHex: string
  readonly radius: bigint
  readonly isJoined: boolean
  readonly members: number
  readonly candidates: number
  readonly profiles: number
  readonly requests: number
  readonly questions: number
  readonly calls: number
  readonly nodeLookups: number
  readonly contentLookups: number
  readonly waitingLookups: number
  readonly offersInFlight: number
  readonly outbox: number
  readonly gossip: { readonly items: number; readonly bytes: number }
  readonly transfers: Readonly<Record<TransferKind, number>>
  /** Bytes of items in transit to us, and how many items wait for room. */
  readonly incoming: { readonly fetchBytes: number; readonly receiveBytes: number; readonly waiting: number }
  readonly counters: Readonly<Record<OverlayCounterName, number>>
}

/**
 * The overlay network of one sub-network (portal-wire-protocol.md) as a protocol core: wire messages, its own routing
 * table and radii, lookups, offers and gossip. It never sees a uTP packet: it says which streams are to be initiated or
 * awaited, and is told what became of them.
 *
 * @example
 * const overlay = new Overlay({ protocol, record, radius, contentId, records, randomness, clientInfo })
 * overlay.handle({ type: 'bootstrap', records: bootnodes }, now, carryOut) // carryOut gets 'talk' outputs
 * overlay.handle({ type: 'lookup-content', ref: 1, key }, now, carryOut) // later: 'found' or 'failed' with ref 1
 */
export class Overlay implements Core<OverlayInput, OverlayOutput> {
  readonly #state: OverlayState
  readonly #members: Members
  readonly #requests: Requests
  readonly #questions: Questions
  readonly #transfers: Transfers
  readonly #pings: Pings
  readonly #lookups: NodeLookups
  readonly #joining: Joining
  readonly #offers: OutgoingOffers
  readonly #gossip: Gossip
  readonly #serving: Serving
  readonly #contentLookups: ContentLookups
  readonly #calls: Calls

  constructor(options: OverlayOptions) {
    const state = new OverlayState(options)
    const members = new Members(state)
    const requests = new Requests(state, members)
    const questions = new Questions(state)
    const transfers = new Transfers(state)
    const pings = new Pings(state, members, requests)
    const lookups = new NodeLookups(state, members, requests)
    const offers = new OutgoingOffers(state, requests, transfers)
    const gossip = new Gossip({ state, members, offers }, pings, lookups)
    const incoming = new IncomingOffers({ state, members, questions, transfers, gossip })
    const retrievals = new Retrievals(state, members, questions, transfers)
    const contentLookups = new ContentLookups({ state, requests, members, retrievals })
    this.#state = state
    this.#members = members
    this.#requests = requests
    this.#questions = questions
    this.#transfers = transfers
    this.#pings = pings
    this.#lookups = lookups
    this.#joining = new Joining(state, members, lookups)
    this.#offers = offers
    this.#gossip = gossip
    this.#serving = new Serving({ state, members, pings, questions, transfers, offers: incoming })
    this.#contentLookups = contentLookups
    this.#calls = new Calls({
      state,
      members,
      requests,
      pings,
      lookups,
      contentLookups,
      retrievals,
      offers,
      gossip,
    })
  }

  /** The TALKREQ protocol id. */
  get protocol(): Uint8Array {
    return this.#state.protocol
  }

  deadline(): number {
    return this.#state.deadlines.next()
  }

  handle(input: OverlayInput, now: number, emit: (output: OverlayOutput) => void): void {
    const { turn } = this.#state
    turn.begin(now)
    this.#dispatch(input)
    this.#joining.joinIfPossible()
    turn.end(emit)
  }

  #dispatch(input: OverlayInput): void {
    switch (input.type) {
      case 'timeout':
        this.#timeout()
        return
      case 'talk-requested':
        this.#serving.requested(input.from, input.payload, input.token)
        return
      case 'talk-answered':
        this.#requests.answered(input.ref, input.payload)
        return
      case 'talk-failed':
        this.#requests.failed(input.ref, input.code)
        return
      case 'node-met':
        this.#members.meet(input.record)
        return
      case 'record-changed':
        this.#state.adoptRecord(input.record)
        return
      case 'radius-changed':
        this.#state.radius.change(input.radius)
        return
      case 'content-read':
      case 'presence':
      case 'verdict':
      case 'content-kept':
      case 'keep-failed':
        this.#questions.answered(input)
        return
      case 'transfer-begun':
        this.#transfers.begun(input.ref)
        return
      case 'transfer-size':
        this.#transfers.size(input.ref, input.bytes)
        return
      case 'transfer-item':
        this.#transfers.item(input.ref, input.index, input.content, input.stored)
        return
      case 'transfer-done':
        this.#transfers.end(input.ref, undefined)
        return
      case 'transfer-failed':
        this.#transfers.end(input.ref, input)
        return
      case 'bootstrap':
        this.#joining.bootstrap(input.records)
        return
      case 'cancel':
        this.#calls.cancel(input.ref)
        return
      default:
        this.#calls.begin(input)
        return
    }
  }

  #timeout(): void {
    const { deadlines, turn } = this.#state
    for (let due = deadlines.takeDue(turn.now); due !== undefined; due = deadlines.takeDue(turn.now)) this.#expire(due)
  }

  /** What happens at each moment that an overlay waits for (deadlines.ts). */
  #expire(due: OverlayDeadline): void {
    switch (due.name) {
      case 'request-timeout':
        this.#requests.failed(due.subject.ref, 'REQUEST_TIMEOUT')
        return
      case 'question-timeout':
        this.#questions.expire(due.subject.ref)
        return
      case 'transfer-timeout':
        this.#transfers.expire(due.subject.ref)
        return
      case 'member-check':
        this.#pings.check(due.subject)
        return
      case 'bootstrap':
        this.#joining.retryBootstrap()
        return
      case 'bucket-refresh':
        this.#joining.refreshBucket()
        return
      case 'node-lookup-timeout':
        due.subject.end()
        return
      case 'content-lookup-timeout':
        due.subject.expire()
        return
      case 'slow-fetch':
        due.subject.askBesideSlowFetch()
        return
      case 'fetch-slot':
        due.subject.tryAgainForSlot()
        return
      case 'own-transfer':
        due.subject.askAfterOwnTransfer()
        return
      case 'offer-retry':
        due.subject.offerAgain()
        return
    }
  }

  /** The newest record that the overlay has of a node: our own, or a member's (`portal_*GetEnr`). */
  record(nodeIdHex: string): NodeRecord | undefined {
    return this.#state.isSelf(nodeIdHex) ? this.#state.record : this.#state.table.get(nodeIdHex)?.record
  }

  /**
   * Node ids of the routing table, one list for each log distance from 1 to 256, the least recently seen first
   * (`portal_*RoutingTableInfo`).
   */
  buckets(): string[][] {
    const buckets: string[][] = Array.from({ length: MAX_DISTANCE }, () => [])
    for (const { distance, members } of this.#state.table.buckets()) {
      buckets[distance - 1] = members.map(member => member.record.nodeIdHex)
    }
    return buckets
  }

  /** The radius that a node announced; undefined if it has not. */
  radiusOf(nodeIdHex: string): bigint | undefined {
    return this.#state.profiles.peek(nodeIdHex)?.radius
  }

  snapshot(): OverlaySnapshot {
    const state = this.#state
    const transfers = this.#transfers
    return {
      nodeIdHex: state.record.nodeIdHex,
      radius: state.radius.value,
      isJoined: this.#joining.isJoined,
      members: state.table.size,
      candidates: this.#members.candidates,
      profiles: state.profiles.size,
      requests: this.#requests.size,
      questions: this.#questions.size,
      calls: this.#calls.size,
      nodeLookups: this.#lookups.size,
      contentLookups: this.#contentLookups.running,
      waitingLookups: this.#contentLookups.waiting,
      offersInFlight: this.#offers.inFlight,
      outbox: this.#offers.waiting,
      gossip: this.#gossip.load,
      transfers: {
        fetch: transfers.count('fetch'),
        serve: transfers.count('serve'),
        send: transfers.count('send'),
        receive: transfers.count('receive'),
      },
      incoming: transfers.incoming,
      counters: state.counters.snapshot(),
    }
  }

  /** The routing table, the closest nodes first. */
  members(): MemberSnapshot[] {
    const { table, profiles } = this.#state
    return Array.from(table.slots(), ({ entry, isLive }) => {
      const { nodeIdHex } = entry.record
      const profile = profiles.peek(nodeIdHex)
      return { nodeIdHex, isLive, radius: profile?.radius, clientInfo: profile?.clientInfo }
    })
  }
}
