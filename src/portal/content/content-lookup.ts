import { Deadline } from 'spimpl-runtime/core'
import { Lookup } from '../../discv5/asking/lookup.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { Members } from '../knowledge/members.ts'
import { relayedRecords } from '../knowledge/relayed-records.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { ContentName, ContentTrace, Failure } from '../messages.ts'
import { type Answer, isSilence, type Requests } from '../waiting/requests.ts'
import type { Content } from '../wire/message.ts'
import type { TraceBuilder } from './content-trace.ts'
import type { Retrieval, Retrievals, Retrieved, Source } from './retrievals.ts'
import { Sources } from './sources.ts'

/** How a content lookup ended. */
export type ContentLookupResult =
  | {
      readonly ok: true
      readonly content: Uint8Array
      readonly utpTransfer: boolean
      readonly from: NodeRecord
      readonly queries: number
      readonly trace: ContentTrace | undefined
      /** Nodes that did not have the content although their radius covers it. */
      readonly pokeTargets: readonly NodeRecord[]
    }
  | ({ readonly ok: false; readonly trace: ContentTrace | undefined } & Failure)

export interface ContentLookupParts {
  readonly state: OverlayState
  readonly requests: Requests
  readonly members: Members
  readonly retrievals: Retrievals
}

/**
 * How often a lookup queries members again that did not answer. With two time-outs for each query, a member may be busy
 * for a quarter of a minute before the content counts as not found.
 */
const REMINDERS = 2

/** The patience with a transfer at most doubles up to this factor. */
const MAX_PATIENCE_FACTOR = 6

/**
 * One recursive FIND_CONTENT. It queries several nodes at a time and retrieves from the first source; while that
 * transfer is young, nobody else is queried. Content that is invalid or does not come makes the lookup go on.
 *
 * If all transfers take long and there is one more source, the oldest transfer is cancelled for it: otherwise a peer
 * that trickles bytes could hold the lookup for a stream's whole lifetime. Each time the lookup waits longer, so that
 * it does not go round in circles on a slow link that all transfers share.
 */
export class ContentLookup {
  readonly #parts: ContentLookupParts
  readonly #name: ContentName
  readonly #trace: TraceBuilder | undefined
  readonly #settle: (result: ContentLookupResult) => void
  #lookup: Lookup<NodeRecord>
  #hasEnded = false
  #queries = 0
  /** All nodes that were queried. None is queried twice, unless its transfer failed or it did not answer. */
  readonly #queried = new Set<string>()
  /** Nodes whose answer is awaited. */
  readonly #awaited = new Map<string, NodeRecord>()
  readonly #sources = new Sources()
  /** Transfers under way, the oldest first. */
  readonly #retrievals = new Map<NodeRecord, Retrieval>()
  /** Nodes that have the content, but whose connection id became too old before its turn. */
  readonly #expiredSources: NodeRecord[] = []
  /** Nodes that have the content, but failed to send it. */
  readonly #failedSources: NodeRecord[] = []
  /** Members that answered before this lookup, and not this time. */
  #unanswered: NodeRecord[] = []
  /** Interested nodes whose first answer was lost, and whose second said that they do not have the content. */
  readonly #maybeAwaitUs: NodeRecord[] = []
  #pokeTargets: NodeRecord[] = []
  #reminders = 0
  #patienceFactor = 1
  #hasWidened = false
  #hasRetriedExpired = false
  #hasRetriedFailed = false
  #hasAskedAfterOwnTransfer = false
  readonly #timeout = new Deadline('content-lookup-timeout', this)
  /** Set while the newest transfer is young. */
  readonly #slowFetch = new Deadline('slow-fetch', this)
  readonly #fetchSlot = new Deadline('fetch-slot', this)
  readonly #ownTransfer = new Deadline('own-transfer', this)

  /** @param settle is called once: in a later turn, or in `start` if there is nobody to query */
  constructor(
    parts: ContentLookupParts,
    name: ContentName,
    trace: TraceBuilder | undefined,
    settle: (result: ContentLookupResult) => void,
  ) {
    this.#parts = parts
    this.#name = name
    this.#trace = trace
    this.#settle = settle
    const { limits, record, table, turn } = parts.state
    const seeds = table.closest(name.contentId, limits.bucketSize).map(member => member.record)
    trace?.responded(record, seeds, turn.now)
    this.#lookup = this.#lookupFrom(seeds)
    this.#wait(this.#timeout, limits.lookupTimeoutMs)
  }

  start(): void {
    this.#step()
  }

  /** The caller is gone. `settle` is not called any more. */
  cancel(): void {
    this.#stop()
  }

  /** The time of the lookup is up. Content in transit is waited for: transfers have limits of their own. */
  expire(): void {
    const { lookupTimeoutMs } = this.#parts.state.limits
    if (this.#retrievals.size > 0) this.#wait(this.#timeout, lookupTimeoutMs)
    else this.#fail('CONTENT_NOT_FOUND', `not found within ${lookupTimeoutMs} ms`)
  }

  /** The newest transfer is not young any more. */
  askBesideSlowFetch(): void {
    this.#parts.state.counters.add('lookup.impatient')
    this.#step()
  }

  /** There may be a slot for a transfer. */
  tryAgainForSlot(): void {
    this.#step()
  }

  /** Peers whose first answer was lost have stopped waiting for our connection. */
  askAfterOwnTransfer(): void {
    const nodes = this.#maybeAwaitUs
    this.#parts.state.counters.add('lookup.own-transfer')
    this.#hasAskedAfterOwnTransfer = true
    this.#pokeTargets = this.#pokeTargets.filter(node => !nodes.includes(node))
    this.#queryAgain(nodes)
    this.#step()
  }

  #wait(deadline: Parameters<OverlayState['deadlines']['set']>[0], delayMs: number): void {
    this.#parts.state.deadlines.set(deadline, this.#parts.state.turn.now + delayMs)
  }

  #lookupFrom(seeds: readonly NodeRecord[]): Lookup<NodeRecord> {
    const { limits, record } = this.#parts.state
    return new Lookup<NodeRecord>({
      target: this.#name.contentId,
      localIdHex: record.nodeIdHex,
      seeds,
      k: limits.bucketSize,
      alpha: limits.lookupConcurrency,
      maxQueries: limits.lookupQueries,
    })
  }

  #step(): void {
    if (this.#hasEnded) return
    this.#retrieveFromSources()
    // Every source that answers with a connection id holds a stream open for us, so a young transfer is given its time.
    if (this.#retrievals.size > 0 && this.#slowFetch.isSet) return
    if (!this.#sources.isEmpty) return
    const lookup = this.#lookup
    for (let nodes = lookup.next(); nodes.length > 0; nodes = lookup.next()) {
      for (const node of nodes) if (!this.#query(node)) lookup.failed(node.nodeIdHex)
    }
    if (!lookup.done || this.#retrievals.size > 0) return
    if (this.#widen() || this.#retryExpired() || this.#retryFailed() || this.#remind()) this.#step()
    else if (!this.#awaitOwnTransfer()) {
      const unanswered = this.#unanswered.length === 0 ? '' : `, ${this.#unanswered.length} of them did not answer`
      this.#fail('CONTENT_NOT_FOUND', `not found with ${this.#queries} queries${unanswered}`)
    }
  }

  /** The closest nodes do not have it: once, nodes further away whose radius covers it are queried. */
  #widen(): boolean {
    if (this.#hasWidened) return false
    this.#hasWidened = true
    const { state } = this.#parts
    const { contentId } = this.#name
    const further = state.table.closest(contentId, state.limits.bucketSize, ({ entry: { record } }) => {
      return !this.#queried.has(record.nodeIdHex) && state.isInterested(record, contentId)
    })
    if (further.length === 0) return false
    this.#lookup = this.#lookupFrom(further.map(member => member.record))
    return true
  }

  /** Sources whose turn never came are queried again, once, before those that failed. */
  #retryExpired(): boolean {
    if (this.#expiredSources.length === 0 || this.#hasRetriedExpired) return false
    this.#hasRetriedExpired = true
    this.#queryAgain(this.#expiredSources)
    return true
  }

  /** Nobody else is left: once, sources that failed to send it are queried again. */
  #retryFailed(): boolean {
    if (this.#failedSources.length === 0 || this.#hasRetriedFailed) return false
    this.#hasRetriedFailed = true
    this.#queryAgain(this.#failedSources)
    return true
  }

  /** A member that did not answer may be busy, or the packets of one moment may all be lost. */
  #remind(): boolean {
    const { counters, table } = this.#parts.state
    const nodes = this.#unanswered.filter(({ nodeIdHex }) => table.get(nodeIdHex) !== undefined)
    if (nodes.length === 0 || this.#reminders === REMINDERS) return false
    this.#reminders += 1
    this.#unanswered = []
    counters.add('lookup.reminded')
    this.#queryAgain(nodes)
    return true
  }

  #queryAgain(nodes: readonly NodeRecord[]): void {
    for (const { nodeIdHex } of nodes) this.#queried.delete(nodeIdHex)
    this.#lookup = this.#lookupFrom(nodes)
  }

  /** Only peers are left that may still await our lost connection: they are queried again when they have given up. */
  #awaitOwnTransfer(): boolean {
    if (this.#maybeAwaitUs.length === 0 || this.#hasAskedAfterOwnTransfer) return false
    if (!this.#ownTransfer.isSet) this.#wait(this.#ownTransfer, this.#parts.state.limits.ownTransferMs)
    return true
  }

  /** @returns whether the query was sent */
  #query(node: NodeRecord): boolean {
    if (this.#queried.has(node.nodeIdHex)) return false
    const lookup = this.#lookup
    const { members, requests, state } = this.#parts
    const slot = state.table.slot(node.nodeIdHex)
    // A member that was silent before this lookup is not reminded.
    const isRemindable = this.#reminders > 0 || (slot !== undefined && members.isAdvertised(slot))
    const failure = requests.send(
      node,
      { type: 'find-content', key: this.#name.key },
      answer => this.#answered(node, lookup, answer, isRemindable),
      { isWanted: () => !this.#hasEnded },
    )
    if (failure !== undefined) return false
    this.#queried.add(node.nodeIdHex)
    this.#queries += 1
    this.#awaited.set(node.nodeIdHex, node)
    return true
  }

  #answered(node: NodeRecord, lookup: Lookup<NodeRecord>, answer: Answer<'find-content'>, isRemindable: boolean): void {
    const { state } = this.#parts
    if (this.#hasEnded) {
      if (answer.ok) this.#decline(node, answer.message)
      return
    }
    this.#awaited.delete(node.nodeIdHex)
    if (!answer.ok) {
      lookup.failed(node.nodeIdHex)
      if (isRemindable && isSilence(answer)) this.#unanswered.push(node)
    } else if (answer.message.kind === 'records') {
      this.#redirected(lookup, node, answer.message.records)
      if (answer.isRepeated && state.isInterested(node, this.#name.contentId)) this.#maybeAwaitUs.push(node)
    } else {
      lookup.answered(node.nodeIdHex, [])
      this.#trace?.responded(node, [], state.turn.now)
      const source = { node, version: answer.version, answer: answer.message }
      this.#sources.add(source, state.turn.now + state.limits.connectionIdLifeMs)
    }
    this.#step()
  }

  #redirected(lookup: Lookup<NodeRecord>, node: NodeRecord, encoded: readonly Uint8Array[]): void {
    const { state, members } = this.#parts
    const records = relayedRecords(state, node, encoded)
    this.#trace?.responded(node, records, state.turn.now)
    const fit = records.filter(record => members.isFit(record))
    lookup.answered(node.nodeIdHex, fit)
    if (state.isInterested(node, this.#name.contentId)) this.#pokeTargets.push(node)
  }

  #retrieveFromSources(): void {
    const { state, retrievals } = this.#parts
    const expired = this.#hasRetriedExpired ? this.#failedSources : this.#expiredSources
    expired.push(...this.#sources.takeExpired(state.turn.now))
    for (let source = this.#sources.next; source !== undefined; source = this.#sources.next) {
      if (this.#retrievals.size > 0 && this.#slowFetch.isSet) return
      if (!retrievals.hasRoom(source)) {
        this.#awaitSlot()
        return
      }
      this.#sources.remove(source)
      if (this.#retrievals.size >= state.limits.fetchesOfLookup) this.#cancelOldest()
      this.#retrieve(source)
    }
  }

  #cancelOldest(): void {
    const oldest = this.#retrievals.entries().next().value
    if (oldest === undefined) return
    const [node, retrieval] = oldest
    this.#retrievals.delete(node)
    retrieval.cancel()
    this.#failedSources.push(node)
    this.#patienceFactor = Math.min(2 * this.#patienceFactor, MAX_PATIENCE_FACTOR)
    this.#parts.state.counters.add('lookup.given-up')
  }

  /** Other lookups have all transfer slots: look again soon, before the connection id is too old. */
  #awaitSlot(): void {
    if (this.#fetchSlot.isSet) return
    this.#parts.state.counters.add('limit.fetches')
    this.#wait(this.#fetchSlot, this.#parts.state.limits.fetchSlotRetryMs)
  }

  #retrieve(source: Source): void {
    const { state, retrievals } = this.#parts
    const { node } = source
    const retrieval = retrievals.start(state.ownRef(), source, this.#name, retrieved => {
      this.#retrievals.delete(node)
      this.#retrieved(node, retrieved)
    })
    this.#retrievals.set(node, retrieval)
    this.#wait(this.#slowFetch, this.#patienceFactor * state.limits.fetchPatienceMs)
  }

  #retrieved(node: NodeRecord, retrieved: Retrieved): void {
    if (this.#hasEnded) return
    const { deadlines, turn } = this.#parts.state
    if (retrieved.ok) {
      const cancelled = [...this.#awaited.values(), ...this.#retrievals.keys()]
      this.#stop()
      const { content, utpTransfer } = retrieved
      this.#trace?.responded(node, [], turn.now)
      const trace = this.#trace?.finish(node, cancelled)
      const queries = this.#queries
      this.#settle({ ok: true, content, utpTransfer, from: node, queries, trace, pokeTargets: this.#pokeTargets })
      return
    }
    // Without the header nobody's content can be validated.
    if (retrieved.code === 'HEADER_UNAVAILABLE') {
      this.#fail(retrieved.code, 'the block header is unavailable')
      return
    }
    // A source that sent wrong content is not asked again.
    if (!retrieved.blamesContent) this.#failedSources.push(node)
    if (this.#retrievals.size === 0) deadlines.clear(this.#slowFetch)
    this.#step()
  }

  #fail(code: Failure['code'], detail: string): void {
    if (this.#hasEnded) return
    const cancelled = [...this.#awaited.values()]
    this.#stop()
    this.#settle({ ok: false, code, detail, trace: this.#trace?.finish(undefined, cancelled) })
  }

  #stop(): void {
    this.#hasEnded = true
    const { deadlines } = this.#parts.state
    for (const each of [this.#timeout, this.#slowFetch, this.#fetchSlot, this.#ownTransfer]) deadlines.clear(each)
    for (const retrieval of this.#retrievals.values()) retrieval.cancel()
    this.#retrievals.clear()
    this.#awaited.clear()
    for (const { node, answer } of this.#sources.takeAll()) this.#decline(node, answer)
  }

  /**
   * An unused connection id occupies a slot of the peer, which answers others as if it had nothing when it has none.
   */
  #decline(peer: NodeRecord, answer: Content): void {
    if (answer.kind !== 'connection-id') return
    this.#parts.state.turn.emit({ type: 'decline', peer, connectionId: answer.connectionId })
  }
}
