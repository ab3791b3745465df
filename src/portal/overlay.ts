import type { Core } from 'spimpl-runtime/core'
import { MAX_DISTANCE } from '../identity/distances.ts'
import type { NodeRecord } from '../identity/node-record.ts'
import { Calls } from './content/calls.ts'
import { Gossip } from './content/gossip.ts'
import { IncomingOffers } from './content/incoming-offers.ts'
import { Outbox } from './content/outbox.ts'
import { OutgoingOffers } from './content/outgoing-offers.ts'
import { Retrievals } from './content/retrievals.ts'
import { Serving } from './content/serving.ts'
import { type OverlayOptions, OverlayState } from './knowledge/state.ts'
import { Joining } from './network/joining.ts'
import { Members } from './network/members.ts'
import { NodeLookups } from './network/node-lookups.ts'
import type { OverlayInput, OverlayOutput, Turn } from './overlay-messages.ts'
import { Questions } from './waiting/questions.ts'
import { Requests } from './waiting/requests.ts'
import { type TransferKind, Transfers } from './waiting/transfers.ts'

/** A node of the routing table, as `inspect` shows it. */
export interface MemberSnapshot {
  readonly nodeIdHex: string
  /** It has answered since it stands in the table: only then others are told of it. */
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
  /** Bytes of items on their way to us, and how many items wait for room. */
  readonly incoming: { readonly fetchBytes: number; readonly receiveBytes: number; readonly waiting: number }
  readonly counters: Readonly<Record<string, number>>
}

/**
 * The overlay network of one sub-network (portal-wire-protocol.md) as a protocol core: wire messages, its own routing
 * table and radii, lookups, offers and gossip. It never sees a uTP packet: it says which streams are to be opened or
 * awaited and is told what came of them.
 *
 * @example
 * const overlay = new Overlay({ protocol, record, radius, contentId, records, randomness, clientInfo })
 * overlay.handle({ type: 'bootstrap', records: bootnodes }, now, carryOut) // carryOut gets 'talk' outputs
 * overlay.handle({ type: 'lookup-content', ref: 1, key }, now, carryOut) // later: 'found' or 'failed' with ref 1
 */
export class Overlay implements Core<OverlayInput, OverlayOutput> {
  readonly #state: OverlayState
  readonly #requests: Requests
  readonly #questions: Questions
  readonly #transfers: Transfers
  readonly #members: Members
  readonly #lookups: NodeLookups
  readonly #joining: Joining
  readonly #outgoing: OutgoingOffers
  readonly #outbox: Outbox
  readonly #gossip: Gossip
  readonly #serving: Serving
  readonly #calls: Calls

  constructor(options: OverlayOptions) {
    const state = new OverlayState(options)
    const { agenda, limits, randomness } = state
    this.#state = state
    this.#requests = new Requests(state)
    this.#questions = new Questions(state)
    this.#transfers = new Transfers(limits, agenda, randomness)
    this.#members = new Members(state, this.#requests)
    this.#lookups = new NodeLookups(state, this.#requests, this.#members)
    this.#joining = new Joining(state, this.#members, this.#lookups)
    this.#outgoing = new OutgoingOffers(state, this.#requests, this.#transfers)
    this.#outbox = new Outbox(this.#outgoing, limits.outboxItems)
    this.#gossip = new Gossip({ state, members: this.#members, outbox: this.#outbox }, this.#lookups)
    const shared = { state, members: this.#members, questions: this.#questions, transfers: this.#transfers }
    const offers = new IncomingOffers({
      ...shared,
      received: (turn, from, name, content) => this.#gossip.pass(turn, name, content, from),
    })
    this.#serving = new Serving({ ...shared, offers })
    this.#calls = new Calls({
      state,
      requests: this.#requests,
      members: this.#members,
      lookups: this.#lookups,
      retrievals: new Retrievals(state, this.#members, this.#questions, this.#transfers),
      offers: this.#outgoing,
      gossip: this.#gossip,
    })
  }

  /** The TALKREQ protocol id. */
  get protocol(): Uint8Array {
    return this.#state.protocol
  }

  deadline(): number {
    return this.#state.agenda.next()
  }

  handle(input: OverlayInput, now: number, emit: (output: OverlayOutput) => void): void {
    const turn: Turn = { now, emit }
    switch (input.type) {
      case 'timeout':
        this.#timeout(turn)
        return
      case 'talk-requested':
        this.#serving.requested(turn, input.from, input.payload, input.token)
        return
      case 'talk-answered':
        this.#requests.answered(turn, input.ref, input.payload)
        return
      case 'talk-failed':
        this.#requests.failed(turn, input.ref, input.code)
        return
      case 'node-met':
        this.#members.meet(turn, input.record)
        return
      case 'record-changed':
        this.#state.record = input.record
        return
      case 'radius-changed':
        this.#state.radius = input.radius
        return
      case 'content-read':
      case 'offer-judged':
      case 'validated':
        this.#questions.answered(turn, input)
        return
      case 'transfer-begun':
        this.#transfers.begun(turn, input.ref)
        return
      case 'transfer-item':
        this.#transfers.item(turn, input.ref, input.index, input.content, input.stored)
        return
      case 'transfer-size':
        this.#transfers.size(turn, input.ref, input.bytes)
        return
      case 'transfer-done':
        this.#transfers.end(turn, input.ref, undefined)
        return
      case 'transfer-failed':
        this.#transfers.end(turn, input.ref, input.code)
        return
      case 'bootstrap':
        this.#joining.bootstrap(turn, input.records)
        return
      case 'add-record':
        emit({ type: 'record-added', ref: input.ref, added: this.#members.add(turn, input.record) })
        return
      case 'remove-record':
        emit({ type: 'record-removed', ref: input.ref, removed: this.#members.remove(turn, input.nodeIdHex) })
        return
      case 'ping':
        this.#calls.ping(turn, input)
        return
      case 'find-nodes':
        this.#calls.findNodes(turn, input)
        return
      case 'find-content':
        this.#calls.findContent(turn, input)
        return
      case 'offer':
        this.#calls.offer(turn, input)
        return
      case 'lookup-nodes':
        this.#calls.lookupNodes(turn, input)
        return
      case 'lookup-record':
        this.#calls.lookupRecord(turn, input)
        return
      case 'lookup-content':
        this.#calls.lookupContent(turn, input)
        return
      case 'gossip':
        this.#calls.gossip(turn, input)
        return
      case 'cancel':
        this.#calls.cancel(turn, input.ref)
        return
    }
  }

  /** The newest record that the overlay has of a node: its own, or a member's (`portal_*GetEnr`). */
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

  /** The radius that a node has told, undefined where it has not. */
  radiusOf(nodeIdHex: string): bigint | undefined {
    return this.#state.profiles.radius(nodeIdHex)
  }

  snapshot(): OverlaySnapshot {
    const state = this.#state
    const transfers = this.#transfers
    return {
      nodeIdHex: state.record.nodeIdHex,
      radius: state.radius,
      isJoined: this.#joining.isJoined,
      members: state.table.size,
      candidates: this.#members.candidates,
      profiles: state.profiles.size,
      requests: this.#requests.size,
      questions: this.#questions.size,
      calls: this.#calls.size,
      nodeLookups: this.#lookups.size,
      contentLookups: this.#calls.contentLookups,
      waitingLookups: this.#calls.waitingLookups,
      offersInFlight: this.#outgoing.inFlight,
      outbox: this.#outbox.size,
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

  /** The routing table, the nearest nodes first. */
  members(): MemberSnapshot[] {
    const { table, profiles } = this.#state
    return Array.from(table.slots(), ({ entry, isLive }) => {
      const { nodeIdHex } = entry.record
      const { clientInfo } = profiles.peek(nodeIdHex) ?? {}
      return { nodeIdHex, isLive, radius: profiles.radius(nodeIdHex), clientInfo }
    })
  }

  #timeout(turn: Turn): void {
    const { agenda } = this.#state
    for (let job = agenda.take(turn.now); job !== undefined; job = agenda.take(turn.now)) job(turn)
  }
}
