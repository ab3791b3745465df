import { Lookup } from '../../discv5/asking/lookup.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import { relayedRecords } from '../knowledge/relayed-records.ts'
import type { Job, OverlayState } from '../knowledge/state.ts'
import type { Members } from '../network/members.ts'
import type { ContentName, ContentTrace, Failure, Turn } from '../overlay-messages.ts'
import type { Appointment } from '../waiting/agenda.ts'
import type { Requests } from '../waiting/requests.ts'
import type { Content } from '../wire/message.ts'
import type { TraceBuilder } from './content-trace.ts'
import type { Lead, Retrieval, Retrievals, Retrieved } from './retrievals.ts'

/** How a content lookup ended. */
export type ContentLookupResult =
  | {
      readonly ok: true
      readonly content: Uint8Array
      readonly utpTransfer: boolean
      readonly from: NodeRecord
      readonly queries: number
      readonly trace: ContentTrace | undefined
      /** Nodes that were asked, have it not, and whose radius says that they should. */
      readonly lacking: readonly NodeRecord[]
    }
  | ({ readonly ok: false; readonly trace: ContentTrace | undefined } & Failure)

export interface ContentLookupParts {
  readonly state: OverlayState
  readonly requests: Requests
  readonly members: Members
  readonly retrievals: Retrievals
}

/** How often a lookup looks whether there is room for its transfer. */
const ROOM_MS = 250

/**
 * How often a lookup turns again to members that did not answer. With the two time-outs of each question a member may
 * be busy for a quarter of a minute before the content counts as not found.
 */
const REMINDERS = 2

/** So much longer than at first a lookup waits at most before it gives up a transfer for another. */
const MAX_PATIENCE_FACTOR = 6

/** A peer that said it has the content, and whose turn has not come. */
interface Spare {
  readonly node: NodeRecord
  readonly version: number
  readonly lead: Lead
  readonly until: number
}

/**
 * One recursive FIND_CONTENT. Several nodes are asked at a time; the first that leads to the content is followed, and
 * nobody else is asked meanwhile, unless that takes too long. Content that is not valid, or does not come, sends the
 * lookup on its way again. Where every transfer takes long and one more peer has it, the oldest is given up for that: peers that send
 * a byte now and then would else hold a lookup for as long as streams may last. Each time it waits longer, so that a slow link that all
 * transfers share does not make it go round in circles.
 */
export class ContentLookup {
  readonly #parts: ContentLookupParts
  readonly #name: ContentName
  readonly #trace: TraceBuilder | undefined
  readonly #settle: (turn: Turn, result: ContentLookupResult) => void
  #overdue: Appointment<Job>
  #lacking: NodeRecord[] = []
  readonly #retrievals = new Map<NodeRecord, Retrieval>()
  /** Whoever was asked, over all rounds: nobody is asked twice, unless its transfer broke or it was silent. */
  readonly #asked = new Set<string>()
  #broken: NodeRecord[] = []
  /** Members that answered before this lookup, and now did not. */
  #silent: NodeRecord[] = []
  #reminders = 0
  #queries = 0
  readonly #waiting = new Map<string, NodeRecord>()
  #spares: Spare[] = []
  #lookup: Lookup<NodeRecord>
  #patience: Appointment<Job> | undefined
  #patienceFactor = 1
  #room: Appointment<Job> | undefined
  /** Peers that should have it and, asked a second time, said that they do not give it. */
  #obstructed: NodeRecord[] = []
  #ownTransfers: Appointment<Job> | undefined
  #isWidened = false
  #isSecondTry = false
  #isThirdTry = false
  #over = false

  /** @param settle is called once: in a later turn, or in `start` where there is nobody to ask */
  constructor(
    parts: ContentLookupParts,
    name: ContentName,
    trace: TraceBuilder | undefined,
    turn: Turn,
    settle: (turn: Turn, result: ContentLookupResult) => void,
  ) {
    this.#parts = parts
    this.#name = name
    this.#trace = trace
    this.#settle = settle
    const { state } = parts
    const seeds = state.table.closest(name.contentId, state.limits.bucketSize).map(member => member.record)
    trace?.began(state.record, seeds, turn.now)
    this.#lookup = this.#lookupFrom(seeds)
    this.#overdue = this.#limitTime(turn)
  }

  start(turn: Turn): void {
    this.#step(turn)
  }

  /** The caller is gone. `settle` is not called any more. */
  cancel(turn: Turn): void {
    this.#stop(turn)
  }

  /** Content that is on its way is waited for: transfers have limits of their own. */
  #limitTime(turn: Turn): Appointment<Job> {
    const { agenda, limits } = this.#parts.state
    return agenda.set(turn.now + limits.lookupTimeoutMs, later => {
      if (this.#retrievals.size > 0) this.#overdue = this.#limitTime(later)
      else this.#fail(later, 'CONTENT_NOT_FOUND', `not found within ${limits.lookupTimeoutMs} ms`)
    })
  }

  #lookupFrom(seeds: readonly NodeRecord[]): Lookup<NodeRecord> {
    const { state } = this.#parts
    return new Lookup<NodeRecord>({
      target: this.#name.contentId,
      localIdHex: state.record.nodeIdHex,
      seeds,
      k: state.limits.bucketSize,
      alpha: state.limits.lookupConcurrency,
      maxQueries: state.limits.lookupQueries,
    })
  }

  #step(turn: Turn): void {
    if (this.#over) return
    this.#followSpares(turn)
    // While a transfer is young nobody else is asked: each peer that answers with a connection id keeps a stream
    // waiting for us.
    if (this.#retrievals.size > 0 && this.#patience !== undefined) return
    if (this.#spares.length > 0) return
    for (let nodes = this.#lookup.next(); nodes.length > 0; nodes = this.#lookup.next()) {
      for (const node of nodes) if (!this.#ask(turn, node)) this.#lookup.failed(node.nodeIdHex)
    }
    if (!this.#lookup.done || this.#retrievals.size > 0) return
    if (this.#widen() || this.#again() || this.#remind()) this.#step(turn)
    else if (!this.#awaitOwnTransfers(turn)) {
      const unanswered = this.#silent.length === 0 ? '' : `, ${this.#silent.length} of them did not answer`
      this.#fail(turn, 'CONTENT_NOT_FOUND', `${this.#queries} questions were asked, none brought it${unanswered}`)
    }
  }

  /** The closest do not have it: nodes further away whose radius covers it may, and are asked once. */
  #widen(): boolean {
    if (this.#isWidened) return false
    this.#isWidened = true
    const { state } = this.#parts
    const { contentId } = this.#name
    const further = state.table
      .closest(contentId, state.limits.bucketSize, ({ entry }) => {
        return !this.#asked.has(entry.record.nodeIdHex) && state.isInterested(entry.record, contentId)
      })
      .map(member => member.record)
    if (further.length === 0) return false
    this.#lookup = this.#lookupFrom(further)
    return true
  }

  /** Those who have it but could not send it are asked once more, when nobody else is left. */
  #again(): boolean {
    const nodes = this.#broken
    if (nodes.length === 0 || this.#isSecondTry) return false
    this.#isSecondTry = true
    this.#askAnew(nodes)
    return true
  }

  /** Silence is no answer: a member may be busy, or every packet of a moment was lost. */
  #remind(): boolean {
    const { state } = this.#parts
    const nodes = this.#silent.filter(({ nodeIdHex }) => state.table.get(nodeIdHex) !== undefined)
    if (nodes.length === 0 || this.#reminders === REMINDERS) return false
    this.#reminders += 1
    this.#silent = []
    state.counters.add('lookup.reminded')
    this.#askAnew(nodes)
    return true
  }

  #askAnew(nodes: readonly NodeRecord[]): void {
    for (const { nodeIdHex } of nodes) this.#asked.delete(nodeIdHex)
    this.#lookup = this.#lookupFrom(nodes)
  }

  /** Nobody is left but peers whose first answer may have been lost: they are asked once more when that has expired. */
  #awaitOwnTransfers(turn: Turn): boolean {
    const nodes = this.#obstructed
    if (nodes.length === 0 || this.#isThirdTry) return false
    const { agenda, counters, limits } = this.#parts.state
    this.#ownTransfers ??= agenda.set(turn.now + limits.ownTransferMs, later => {
      counters.add('lookup.own-transfer')
      this.#isThirdTry = true
      this.#lacking = this.#lacking.filter(node => !nodes.includes(node))
      this.#askAnew(nodes)
      this.#step(later)
    })
    return true
  }

  #ask(turn: Turn, node: NodeRecord): boolean {
    if (this.#asked.has(node.nodeIdHex)) return false
    const lookup = this.#lookup
    const { state, members } = this.#parts
    const slot = state.table.slot(node.nodeIdHex)
    // Who has been silent for some time already is not waited for.
    const isHeardOf = this.#reminders > 0 || (slot !== undefined && members.isTold(slot))
    const refused = this.#parts.requests.send(
      turn,
      node,
      { type: 'find-content', key: this.#name.key },
      (later, answer) => {
        if (this.#over) {
          if (answer.ok) decline(later, node, answer.message)
          return
        }
        this.#waiting.delete(node.nodeIdHex)
        if (!answer.ok) {
          lookup.failed(node.nodeIdHex)
          if (isHeardOf && isSilence(answer)) this.#silent.push(node)
        } else if (answer.message.kind === 'records') {
          this.#redirected(later, lookup, node, answer.message.records)
          if (answer.isRepeated && state.isInterested(node, this.#name.contentId)) this.#obstructed.push(node)
        } else {
          lookup.answered(node.nodeIdHex, [])
          this.#trace?.responded(node, [], later.now)
          const until = later.now + state.limits.connectionIdLifeMs
          this.#spares.push({ node, version: answer.version, lead: answer.message, until })
        }
        this.#step(later)
      },
      () => !this.#over,
    )
    if (refused !== undefined) return false
    this.#asked.add(node.nodeIdHex)
    this.#queries += 1
    this.#waiting.set(node.nodeIdHex, node)
    return true
  }

  #redirected(turn: Turn, lookup: Lookup<NodeRecord>, node: NodeRecord, encoded: readonly Uint8Array[]): void {
    const { state, members } = this.#parts
    const records = relayedRecords(state, node, encoded)
    this.#trace?.responded(node, records, turn.now)
    lookup.answered(
      node.nodeIdHex,
      records.filter(record => members.isFit(record)),
    )
    if (state.isInterested(node, this.#name.contentId)) this.#lacking.push(node)
  }

  #followSpares(turn: Turn): void {
    const { state, retrievals } = this.#parts
    const expired = this.#spares.filter(({ lead, until }) => lead.kind === 'connection-id' && until <= turn.now)
    this.#spares = this.#spares.filter(spare => !expired.includes(spare))
    this.#broken.push(...expired.map(spare => spare.node))
    while (this.#spares.length > 0) {
      if (this.#retrievals.size > 0 && this.#patience !== undefined) return
      // Content that is here already is judged before a stream is opened.
      const at = Math.max(
        0,
        this.#spares.findIndex(spare => spare.lead.kind === 'inline'),
      )
      const spare = this.#spares[at]!
      if (!retrievals.hasRoom(spare.lead, spare.node)) {
        this.#awaitRoom(turn)
        return
      }
      this.#spares.splice(at, 1)
      if (this.#retrievals.size >= state.limits.fetchesOfLookup) this.#giveUpOldest(turn)
      this.#retrieve(turn, spare)
    }
  }

  #giveUpOldest(turn: Turn): void {
    for (const [node, retrieval] of this.#retrievals) {
      this.#retrievals.delete(node)
      retrieval.cancel(turn)
      this.#broken.push(node)
      this.#patienceFactor = Math.min(2 * this.#patienceFactor, MAX_PATIENCE_FACTOR)
      this.#parts.state.counters.add('lookup.given-up')
      return
    }
  }

  /** Other lookups have all the slots: look again soon, before the connection id is too old. */
  #awaitRoom(turn: Turn): void {
    const { agenda, counters } = this.#parts.state
    if (this.#room?.job !== undefined) return
    counters.add('limit.fetches')
    this.#room = agenda.set(turn.now + ROOM_MS, later => this.#step(later))
  }

  #retrieve(turn: Turn, { node, version, lead }: Spare): void {
    const { state, retrievals } = this.#parts
    const retrieval = retrievals.start(turn, node, version, this.#name, lead, (later, retrieved) => {
      this.#retrievals.delete(node)
      this.#retrieved(later, node, retrieved)
    })
    this.#retrievals.set(node, retrieval)
    state.agenda.cancel(this.#patience)
    const patienceMs = this.#patienceFactor * state.limits.fetchPatienceMs
    this.#patience = state.agenda.set(turn.now + patienceMs, later => {
      this.#patience = undefined
      state.counters.add('lookup.impatient')
      this.#step(later)
    })
  }

  #retrieved(turn: Turn, node: NodeRecord, retrieved: Retrieved): void {
    if (this.#over) return
    if (retrieved.ok) {
      const cancelled = [...this.#waiting.values(), ...this.#retrievals.keys()]
      this.#stop(turn)
      const { content, utpTransfer } = retrieved
      this.#trace?.responded(node, [], turn.now)
      const trace = this.#trace?.finish(node, cancelled)
      this.#settle(turn, {
        ok: true,
        content,
        utpTransfer,
        from: node,
        queries: this.#queries,
        trace,
        lacking: this.#lacking,
      })
      return
    }
    // Without the header nobody's content can be judged.
    if (retrieved.code === 'HEADER_UNAVAILABLE') {
      this.#fail(turn, retrieved.code, 'its header is not to be had')
      return
    }
    if (retrieved.code !== 'CONTENT_INVALID') this.#broken.push(node)
    if (this.#retrievals.size === 0) {
      this.#parts.state.agenda.cancel(this.#patience)
      this.#patience = undefined
    }
    this.#step(turn)
  }

  #fail(turn: Turn, code: Failure['code'], detail: string): void {
    if (this.#over) return
    const cancelled = [...this.#waiting.values()]
    this.#stop(turn)
    this.#settle(turn, { ok: false, code, detail, trace: this.#trace?.finish(undefined, cancelled) })
  }

  #stop(turn: Turn): void {
    this.#over = true
    const { agenda } = this.#parts.state
    agenda.cancel(this.#overdue)
    agenda.cancel(this.#patience)
    agenda.cancel(this.#room)
    agenda.cancel(this.#ownTransfers)
    for (const retrieval of this.#retrievals.values()) retrieval.cancel(turn)
    this.#retrievals.clear()
    this.#waiting.clear()
    for (const { node, lead } of this.#spares) decline(turn, node, lead)
    this.#spares = []
  }
}

/** Nothing came back; other failures are an answer, or our own. */
const isSilence = ({ code }: Failure): boolean => code === 'REQUEST_TIMEOUT' || code === 'SESSION_FAILED'

/** Each connection id that is not used holds a slot of the peer until it gives up: a peer out of slots says that it has nothing. */
function decline(turn: Turn, peer: NodeRecord, answer: Content): void {
  if (answer.kind === 'connection-id') turn.emit({ type: 'decline', peer, connectionId: answer.connectionId })
}
