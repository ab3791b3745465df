import { PendingCalls } from 'spimpl-runtime/core'
import { toHex } from '../../codec/hex.ts'
import { SpimplError } from '../../errors.ts'
import { MAX_DISTANCE } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Members } from '../knowledge/members.ts'
import { relayedRecords } from '../knowledge/relayed-records.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { CallResult, ContentTrace, Failure, GossipResult, OfferedContent, OverlayCall } from '../messages.ts'
import type { NodeLookup, NodeLookups } from '../network/node-lookups.ts'
import type { Pings } from '../network/pings.ts'
import type { Requests } from '../waiting/requests.ts'
import { MAX_CONTENT_KEYS, MAX_DISTANCES } from '../wire/message.ts'
import type { PingPayload } from '../wire/ping-extension.ts'
import type { ContentLookups, LookupOrder } from './content-lookups.ts'
import { TraceBuilder } from './content-trace.ts'
import type { Gossip } from './gossip.ts'
import type { OutgoingOffers } from './outgoing-offers.ts'
import type { Retrievals } from './retrievals.ts'

type CallOf<Type extends OverlayCall['type']> = Extract<OverlayCall, { readonly type: Type }>

export interface CallParts {
  readonly state: OverlayState
  readonly members: Members
  readonly requests: Requests
  readonly pings: Pings
  readonly lookups: NodeLookups
  readonly contentLookups: ContentLookups
  readonly retrievals: Retrievals
  readonly offers: OutgoingOffers
  readonly gossip: Gossip
}

/** A call that is not settled, and how to stop what it has set in motion. */
interface OpenCall {
  stop: (() => void) | undefined
}

/** The calls of users. Each is settled by exactly one output with its `ref`. */
export class Calls {
  readonly #parts: CallParts
  readonly #open: PendingCalls<OpenCall>

  constructor(parts: CallParts) {
    this.#parts = parts
    this.#open = new PendingCalls(parts.state.limits.calls)
  }

  get size(): number {
    return this.#open.size
  }

  /** @throws SpimplError `USAGE` for the `ref` of a call that is not settled */
  begin(call: OverlayCall): void {
    const { counters, limits } = this.#parts.state
    if (this.#isOpen(call.ref)) {
      throw new SpimplError('USAGE', `expected a new ref, got ${call.ref} of a call that is not settled`)
    }
    if (this.#open.hasRoom) {
      this.#open.addAs(call.ref, { stop: undefined })
      this.#start(call)
      return
    }
    counters.add('limit.calls')
    const detail = `${limits.calls} calls are pending`
    this.#parts.state.turn.emit({ type: 'failed', ref: call.ref, code: 'REQUEST_LIMIT', detail, trace: undefined })
  }

  /** The caller is gone. */
  cancel(ref: number): void {
    const call = this.#open.peek(ref)
    if (call === undefined) return
    call.stop?.()
    this.#fail(ref, { code: 'ASK_ABORTED', detail: 'the caller is gone' })
  }

  #start(call: OverlayCall): void {
    const { members } = this.#parts
    const { ref } = call
    switch (call.type) {
      case 'add-record':
        this.#settle({ type: 'record-added', ref, added: members.add(call.record) })
        return
      case 'remove-record':
        this.#settle({ type: 'record-removed', ref, removed: members.remove(call.nodeIdHex) })
        return
      case 'ping':
        this.#ping(call)
        return
      case 'find-nodes':
        this.#findNodes(call)
        return
      case 'find-content':
        this.#findContent(call)
        return
      case 'offer':
        this.#offer(call)
        return
      case 'lookup-nodes':
        this.#lookupNodes(call)
        return
      case 'lookup-record':
        this.#lookupRecord(call)
        return
      case 'lookup-content':
        this.#lookupContent(call)
        return
      case 'gossip':
        this.#gossip(call)
        return
    }
  }

  /** Default: a ping of type 0 (jsonrpc, portal_*Ping), whatever type the schedule would send. */
  #ping({ ref, to, payloadType = 0, payload }: CallOf<'ping'>): void {
    const { pings } = this.#parts
    let sent: PingPayload | undefined = payload
    if (sent === undefined) {
      if (payloadType !== 0 && payloadType !== 1) {
        const detail = `expected payload type 0 or 1, got ${payloadType}`
        this.#fail(ref, { code: 'PORTAL_PAYLOAD_UNSUPPORTED', detail })
        return
      }
      sent = pings.ownPayload(payloadType)
    }
    const failure = pings.send(
      to,
      sent,
      pong => {
        if (pong.ok) this.#settle({ type: 'pong', ref, enrSeq: pong.enrSeq, payload: pong.payload })
        else this.#fail(ref, pong)
      },
      ref,
    )
    if (failure !== undefined) this.#fail(ref, failure)
  }

  #findNodes({ ref, to, distances }: CallOf<'find-nodes'>): void {
    const { requests, state } = this.#parts
    const unique = [...new Set(distances)]
    if (unique.length > MAX_DISTANCES || unique.some(distance => !isDistance(distance))) {
      const detail = `expected at most ${MAX_DISTANCES} distances from 0 to ${MAX_DISTANCE}`
      this.#fail(ref, { code: 'RPC_INVALID_PARAMS', detail })
      return
    }
    const failure = requests.send(
      to,
      { type: 'find-nodes', distances: unique },
      answer => {
        if (!answer.ok) return this.#fail(ref, answer)
        this.#settle({ type: 'nodes', ref, records: relayedRecords(state, to, answer.message.records, unique) })
      },
      { ref },
    )
    if (failure !== undefined) this.#fail(ref, failure)
  }

  #findContent({ ref, to, key }: CallOf<'find-content'>): void {
    const { requests, retrievals, state } = this.#parts
    const name = state.name(key)
    if (name === undefined) {
      this.#fail(ref, badKey)
      return
    }
    const failure = requests.send(
      to,
      { type: 'find-content', key },
      answer => {
        if (!this.#isOpen(ref)) return
        if (!answer.ok) return this.#fail(ref, answer)
        const { message, version } = answer
        if (message.kind === 'records') {
          this.#settle({ type: 'nodes', ref, records: relayedRecords(state, to, message.records) })
          return
        }
        const source = { node: to, version, answer: message }
        if (!retrievals.hasRoom(source)) {
          const detail = `${state.limits.fetches} transfers are under way`
          this.#fail(ref, { code: 'TRANSFER_LIMIT', detail })
          return
        }
        const retrieval = retrievals.start(ref, source, name, retrieved => {
          if (!retrieved.ok) return this.#fail(ref, retrieved)
          const { content, utpTransfer } = retrieved
          this.#settle({ type: 'found', ref, content, utpTransfer, from: to, queries: 1, trace: undefined })
        })
        this.#onCancel(ref, () => retrieval.cancel())
      },
      { ref },
    )
    if (failure !== undefined) this.#fail(ref, failure)
  }

  #offer({ ref, to, items }: CallOf<'offer'>): void {
    const { offers, state } = this.#parts
    if (items.length === 0 || items.length > MAX_CONTENT_KEYS) {
      const detail = `expected 1 to ${MAX_CONTENT_KEYS} items, got ${items.length}`
      this.#fail(ref, { code: 'RPC_INVALID_PARAMS', detail })
      return
    }
    const named: OfferedContent[] = []
    for (const { key, content } of items) {
      const name = state.name(key)
      if (name === undefined) {
        this.#fail(ref, badKey)
        return
      }
      named.push({ ...name, content })
    }
    let codes = new Uint8Array(0)
    const owner = {
      answered: (answer: Uint8Array): void => {
        codes = answer.slice()
      },
      ended: (failure: Pick<Failure, 'code'> | undefined): void => {
        if (failure === undefined) this.#settle({ type: 'offered', ref, codes })
        else this.#fail(ref, { code: failure.code, detail: 'the accepted content could not be sent' })
      },
      failed: (failure: Failure): void => this.#fail(ref, failure),
    }
    const failure = offers.offer(to, named, owner, ref)
    if (failure !== undefined) this.#fail(ref, failure)
  }

  #lookupNodes({ ref, target }: CallOf<'lookup-nodes'>): void {
    const lookup = this.#parts.lookups.start(target, found => {
      this.#settle({ type: 'nodes', ref, records: found.closest() })
    })
    this.#started(ref, lookup)
  }

  #lookupRecord({ ref, nodeId }: CallOf<'lookup-record'>): void {
    const { members, requests, state } = this.#parts
    const nodeIdHex = toHex(nodeId)
    if (state.isSelf(nodeIdHex)) {
      this.#settle({ type: 'record-found', ref, record: state.record })
      return
    }
    const known = state.table.get(nodeIdHex)?.record
    if (known === undefined) {
      this.#searchRecord(ref, nodeId, undefined)
      return
    }
    // The node itself has the newest record.
    const failure = requests.send(
      known,
      { type: 'find-nodes', distances: [0] },
      answer => {
        const own = answer.ok ? relayedRecords(state, known, answer.message.records, [0])[0] : undefined
        if (own === undefined) {
          this.#searchRecord(ref, nodeId, known)
          return
        }
        members.meet(own)
        this.#settle({ type: 'record-found', ref, record: newer(known, own) })
      },
      { ref },
    )
    if (failure !== undefined) this.#searchRecord(ref, nodeId, known)
  }

  #searchRecord(ref: number, nodeId: Uint8Array, known: NodeRecord | undefined): void {
    if (!this.#isOpen(ref)) return
    const nodeIdHex = toHex(nodeId)
    const lookup = this.#parts.lookups.start(nodeId, result => {
      const found = result.candidates().find(({ node }) => node.nodeIdHex === nodeIdHex)?.node
      this.#settle({ type: 'record-found', ref, record: newer(known, found) })
    })
    this.#started(ref, lookup)
  }

  /** A lookup that has started, if there was room for it. */
  #started(ref: number, lookup: NodeLookup | undefined): void {
    const { lookups, state } = this.#parts
    if (lookup !== undefined) {
      this.#onCancel(ref, () => lookups.cancel(lookup))
      return
    }
    this.#fail(ref, { code: 'REQUEST_LIMIT', detail: `${state.limits.lookups} lookups are running` })
  }

  #lookupContent({ ref, key, startedAtMs }: CallOf<'lookup-content'>): void {
    const { contentLookups, gossip, state } = this.#parts
    const name = state.name(key)
    if (name === undefined) {
      this.#fail(ref, badKey)
      return
    }
    const { limits, record, turn } = state
    const trace =
      startedAtMs === undefined ? undefined : new TraceBuilder(record, name.contentId, startedAtMs, turn.now)
    const order: LookupOrder = {
      name,
      trace,
      settle: result => {
        if (!result.ok) return this.#fail(ref, result, result.trace)
        const { pokeTargets, ok: _, ...found } = result
        this.#settle({ type: 'found', ref, ...found })
        gossip.poke(name, result.content, pokeTargets)
      },
    }
    this.#onCancel(ref, () => contentLookups.cancel(order))
    if (contentLookups.start(order)) return
    const detail = `${limits.waitingLookups} content lookups are waiting in line`
    this.#fail(ref, { code: 'REQUEST_LIMIT', detail })
  }

  #gossip({ ref, key, content, lookup }: CallOf<'gossip'>): void {
    const { gossip, state } = this.#parts
    const name = state.name(key)
    if (name === undefined) {
      this.#fail(ref, badKey)
      return
    }
    const settle = (result: GossipResult): void => this.#settle({ type: 'gossiped', ref, ...result })
    if (gossip.put({ name, content, settle }, lookup)) return
    const detail = `${state.limits.gossipItems} items are in gossip, or they are too large together`
    this.#fail(ref, { code: 'TRANSFER_LIMIT', detail })
  }

  #isOpen(ref: number): boolean {
    return this.#open.peek(ref) !== undefined
  }

  /** What to do if the caller leaves before the call is settled. */
  #onCancel(ref: number, stop: () => void): void {
    const call = this.#open.peek(ref)
    if (call !== undefined) call.stop = stop
  }

  #settle(result: CallResult): void {
    if (this.#open.take(result.ref) !== undefined) this.#parts.state.turn.emit(result)
  }

  #fail(ref: number, { code, detail }: Failure, trace?: ContentTrace): void {
    this.#settle({ type: 'failed', ref, code, detail, trace })
  }
}

const badKey: Failure = { code: 'CONTENT_KEY_INVALID', detail: 'expected a content key of this sub-network' }

const isDistance = (distance: number): boolean =>
  Number.isInteger(distance) && distance >= 0 && distance <= MAX_DISTANCE

/** The record with the higher `seq`, of one node. */
function newer(a: NodeRecord | undefined, b: NodeRecord | undefined): NodeRecord | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b.seq > a.seq ? b : a
}
