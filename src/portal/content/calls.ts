import { toHex } from '../../codec/hex.ts'
import { SpimplError } from '../../errors.ts'
import { MAX_DISTANCE } from '../../identity/distances.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { relayedRecords } from '../knowledge/relayed-records.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { Members } from '../network/members.ts'
import type { NodeLookups } from '../network/node-lookups.ts'
import type {
  CallResult,
  ContentName,
  ContentTrace,
  Failure,
  OfferedContent,
  OverlayCall,
  Turn,
} from '../overlay-messages.ts'
import type { Requests } from '../waiting/requests.ts'
import { MAX_CONTENT_KEYS, MAX_DISTANCES } from '../wire/message.ts'
import type { PingPayload } from '../wire/ping-extension.ts'
import { ContentLookup, type ContentLookupParts } from './content-lookup.ts'
import { TraceBuilder } from './content-trace.ts'
import type { Gossip } from './gossip.ts'
import type { OutgoingOffers } from './outgoing-offers.ts'
import type { Retrievals } from './retrievals.ts'

type CallOf<Type extends OverlayCall['type']> = Extract<OverlayCall, { readonly type: Type }>

export interface CallParts {
  readonly state: OverlayState
  readonly requests: Requests
  readonly members: Members
  readonly lookups: NodeLookups
  readonly retrievals: Retrievals
  readonly offers: OutgoingOffers
  readonly gossip: Gossip
}

interface WaitingLookup {
  readonly ref: number
  readonly name: ContentName
  readonly trace: TraceBuilder | undefined
}

/** What users ask for. Each `ref` is settled by exactly one output. */
export class Calls {
  readonly #parts: CallParts
  /** Calls that are not settled, and how to stop what they set in motion. */
  readonly #open = new Map<number, ((turn: Turn) => void) | undefined>()
  #contentLookups = 0
  /** Content lookups that have not begun, the longest waiting first. */
  readonly #waiting = new Map<number, WaitingLookup>()
  #isStarting = false

  constructor(parts: CallParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#open.size
  }

  get contentLookups(): number {
    return this.#contentLookups
  }

  /** Content lookups that have not begun. */
  get waitingLookups(): number {
    return this.#waiting.size
  }

  cancel(turn: Turn, ref: number): void {
    if (!this.#open.has(ref)) return
    this.#open.get(ref)?.(turn)
    this.#fail(turn, ref, { code: 'ASK_ABORTED', detail: 'the caller has gone' })
  }

  ping(turn: Turn, { ref, to, payloadType, payload }: CallOf<'ping'>): void {
    this.#begin(ref)
    const { members } = this.#parts
    let sent: PingPayload | undefined = payload
    if (payload === undefined && payloadType !== undefined) {
      if (payloadType !== 0 && payloadType !== 1) {
        const detail = `expected payload type 0 or 1, got ${payloadType}`
        this.#fail(turn, ref, { code: 'PORTAL_PAYLOAD_UNSUPPORTED', detail })
        return
      }
      sent = members.ownPayload(payloadType)
    }
    // A user's ping is of type 0 unless told (jsonrpc, portal_*Ping), whatever the schedule would send.
    const refused = members.ping(turn, to, sent ?? members.ownPayload(0), (later, pong) => {
      if (pong.ok) this.#settle(later, { type: 'pong', ref, enrSeq: pong.enrSeq, payload: pong.payload })
      else this.#fail(later, ref, pong)
    })
    if (refused !== undefined) this.#fail(turn, ref, refused)
  }

  findNodes(turn: Turn, { ref, to, distances }: CallOf<'find-nodes'>): void {
    this.#begin(ref)
    const { requests, state } = this.#parts
    const wanted = [...new Set(distances)]
    if (wanted.length > MAX_DISTANCES || wanted.some(distance => !isDistance(distance))) {
      const detail = `expected up to ${MAX_DISTANCES} distances of 0 to ${MAX_DISTANCE}`
      this.#fail(turn, ref, { code: 'RPC_INVALID_PARAMS', detail })
      return
    }
    const refused = requests.send(turn, to, { type: 'find-nodes', distances: wanted }, (later, answer) => {
      if (!answer.ok) {
        this.#fail(later, ref, answer)
        return
      }
      this.#settle(later, { type: 'nodes', ref, records: relayedRecords(state, to, answer.message.records, wanted) })
    })
    if (refused !== undefined) this.#fail(turn, ref, refused)
  }

  findContent(turn: Turn, { ref, to, key }: CallOf<'find-content'>): void {
    this.#begin(ref)
    const { requests, retrievals, state } = this.#parts
    const name = state.name(key)
    if (name === undefined) {
      this.#fail(turn, ref, badKey)
      return
    }
    const refused = requests.send(turn, to, { type: 'find-content', key }, (later, answer) => {
      if (!this.#open.has(ref)) return
      if (!answer.ok) {
        this.#fail(later, ref, answer)
        return
      }
      const lead = answer.message
      if (lead.kind === 'records') {
        this.#settle(later, { type: 'nodes', ref, records: relayedRecords(state, to, lead.records) })
        return
      }
      if (!retrievals.hasRoom(lead, to)) {
        const detail = `${state.limits.fetches} transfers are under way`
        this.#fail(later, ref, { code: 'TRANSFER_LIMIT', detail })
        return
      }
      const retrieval = retrievals.start(later, to, answer.version, name, lead, (last, retrieved) => {
        if (!retrieved.ok) {
          this.#fail(last, ref, retrieved)
          return
        }
        const { content, utpTransfer } = retrieved
        this.#settle(last, { type: 'found', ref, content, utpTransfer, from: to, queries: 1, trace: undefined })
      })
      this.#open.set(ref, last => retrieval.cancel(last))
    })
    if (refused !== undefined) this.#fail(turn, ref, refused)
  }

  offer(turn: Turn, { ref, to, items }: CallOf<'offer'>): void {
    this.#begin(ref)
    const { offers, state } = this.#parts
    if (items.length === 0 || items.length > MAX_CONTENT_KEYS) {
      const detail = `expected 1 to ${MAX_CONTENT_KEYS} items, got ${items.length}`
      this.#fail(turn, ref, { code: 'RPC_INVALID_PARAMS', detail })
      return
    }
    const named: OfferedContent[] = []
    for (const { key, content } of items) {
      const name = state.name(key)
      if (name === undefined) {
        this.#fail(turn, ref, badKey)
        return
      }
      named.push({ ...name, content })
    }
    let codes = new Uint8Array(0)
    const refused = offers.offer(turn, to, named, {
      answered: (_later, answer) => {
        codes = answer.slice()
      },
      ended: (later, failure) => {
        if (failure === undefined) this.#settle(later, { type: 'offered', ref, codes })
        else this.#fail(later, ref, { code: failure, detail: 'the accepted content could not be sent' })
      },
      failed: (later, failure) => this.#fail(later, ref, failure),
    })
    if (refused !== undefined) this.#fail(turn, ref, refused)
  }

  lookupNodes(turn: Turn, { ref, target }: CallOf<'lookup-nodes'>): void {
    this.#begin(ref)
    const started = this.#parts.lookups.start(turn, target, (later, lookup) => {
      this.#settle(later, { type: 'nodes', ref, records: lookup.closest() })
    })
    this.#onceStarted(turn, ref, started === undefined ? undefined : () => started.cancel())
  }

  lookupRecord(turn: Turn, { ref, nodeId }: CallOf<'lookup-record'>): void {
    this.#begin(ref)
    const { state, requests } = this.#parts
    const nodeIdHex = toHex(nodeId)
    if (state.isSelf(nodeIdHex)) {
      this.#settle(turn, { type: 'record-found', ref, record: state.record })
      return
    }
    const known = state.table.get(nodeIdHex)?.record
    if (known === undefined) {
      this.#searchRecord(turn, ref, nodeId, undefined)
      return
    }
    // The node itself knows best.
    const refused = requests.send(turn, known, { type: 'find-nodes', distances: [0] }, (later, answer) => {
      const told = answer.ok ? relayedRecords(state, known, answer.message.records, [0])[0] : undefined
      if (told === undefined) {
        this.#searchRecord(later, ref, nodeId, known)
        return
      }
      this.#parts.members.meet(later, told)
      this.#settle(later, { type: 'record-found', ref, record: newer(known, told) })
    })
    if (refused !== undefined) this.#searchRecord(turn, ref, nodeId, known)
  }

  #searchRecord(turn: Turn, ref: number, nodeId: Uint8Array, known: NodeRecord | undefined): void {
    if (!this.#open.has(ref)) return
    const nodeIdHex = toHex(nodeId)
    const started = this.#parts.lookups.start(turn, nodeId, (later, lookup) => {
      const found = lookup.candidates().find(({ node }) => node.nodeIdHex === nodeIdHex)?.node
      this.#settle(later, { type: 'record-found', ref, record: newer(known, found) })
    })
    this.#onceStarted(turn, ref, started === undefined ? undefined : () => started.cancel())
  }

  lookupContent(turn: Turn, { ref, key, startedAtMs }: CallOf<'lookup-content'>): void {
    this.#begin(ref)
    const { state } = this.#parts
    const name = state.name(key)
    if (name === undefined) {
      this.#fail(turn, ref, badKey)
      return
    }
    const trace =
      startedAtMs === undefined ? undefined : new TraceBuilder(state.record, name.contentId, startedAtMs, turn.now)
    if (this.#contentLookups < state.limits.contentLookups) this.#startLookup(turn, { ref, name, trace })
    else if (this.#waiting.size < state.limits.waitingLookups) {
      this.#waiting.set(ref, { ref, name, trace })
      this.#open.set(ref, () => this.#waiting.delete(ref))
    } else {
      state.counters.add('limit.lookups')
      const detail = `${state.limits.waitingLookups} content lookups wait for their turn`
      this.#fail(turn, ref, { code: 'REQUEST_LIMIT', detail })
    }
  }

  #startLookup(turn: Turn, { ref, name, trace }: WaitingLookup): void {
    const parts: ContentLookupParts = this.#parts
    this.#contentLookups += 1
    const lookup = new ContentLookup(parts, name, trace, turn, (later, result) => {
      if (result.ok) {
        const { lacking, ok: _, ...found } = result
        this.#settle(later, { type: 'found', ref, ...found })
        this.#parts.gossip.poke(later, name, result.content, lacking)
      } else this.#fail(later, ref, result, result.trace)
      this.#endLookup(later)
    })
    this.#open.set(ref, later => {
      lookup.cancel(later)
      this.#endLookup(later)
    })
    lookup.start(turn)
  }

  #endLookup(turn: Turn): void {
    this.#contentLookups -= 1
    // A loop, since with nobody to ask a lookup ends as it starts, and thousands may wait.
    if (this.#isStarting) return
    this.#isStarting = true
    for (const next of this.#waiting.values()) {
      if (this.#contentLookups >= this.#parts.state.limits.contentLookups) break
      this.#waiting.delete(next.ref)
      this.#startLookup(turn, next)
    }
    this.#isStarting = false
  }

  gossip(turn: Turn, { ref, key, content, lookup }: CallOf<'gossip'>): void {
    this.#begin(ref)
    const { gossip, state } = this.#parts
    const name = state.name(key)
    if (name === undefined) {
      this.#fail(turn, ref, badKey)
      return
    }
    const settle = (later: Turn, result: Omit<Extract<CallResult, { type: 'gossiped' }>, 'type' | 'ref'>): void => {
      this.#settle(later, { type: 'gossiped', ref, ...result })
    }
    if (!gossip.put(turn, { name, content, settle }, lookup)) {
      this.#fail(turn, ref, {
        code: 'TRANSFER_LIMIT',
        detail: `${state.limits.gossipItems} items are in gossip, or they are too large`,
      })
    }
  }

  #begin(ref: number): void {
    if (this.#open.has(ref))
      throw new SpimplError('USAGE', `expected a new ref, ${ref} belongs to a call that is not settled`)
    this.#open.set(ref, undefined)
  }

  #onceStarted(turn: Turn, ref: number, cancel: ((turn: Turn) => void) | undefined): void {
    if (cancel === undefined) this.#fail(turn, ref, tooManyLookups(this.#parts.state))
    else if (this.#open.has(ref)) this.#open.set(ref, cancel)
  }

  #settle(turn: Turn, result: Exclude<CallResult, { type: 'record-added' | 'record-removed' }>): void {
    if (this.#open.delete(result.ref)) turn.emit(result)
  }

  #fail(turn: Turn, ref: number, { code, detail }: Failure, trace?: ContentTrace): void {
    this.#settle(turn, { type: 'failed', ref, code, detail, trace })
  }
}

const badKey: Failure = { code: 'CONTENT_KEY_INVALID', detail: 'expected a content key of this sub-network' }

const tooManyLookups = (state: OverlayState): Failure => ({
  code: 'REQUEST_LIMIT',
  detail: `${state.limits.lookups} lookups are under way`,
})

const isDistance = (distance: number): boolean =>
  Number.isInteger(distance) && distance >= 0 && distance <= MAX_DISTANCE

/** The record with the higher `seq`, of one node. */
function newer(a: NodeRecord | undefined, b: NodeRecord | undefined): NodeRecord | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b.seq > a.seq ? b : a
}
