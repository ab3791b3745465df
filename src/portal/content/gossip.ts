import type { Lookup } from '../../discv5/asking/lookup.ts'
import type { ErrorCode } from '../../errors.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { OverlayState } from '../knowledge/state.ts'
import type { Members } from '../network/members.ts'
import type { NodeLookups } from '../network/node-lookups.ts'
import type { AcceptCounts, ContentName, Turn } from '../overlay-messages.ts'
import { acceptCodes } from '../wire/message.ts'
import type { Letter, Outbox } from './outbox.ts'

/** What a gossip came to: how many peers answered, and with what. */
export interface GossipResult {
  readonly peerCount: number
  readonly acceptMetadata: AcceptCounts
}

export interface GossipOrder {
  readonly name: ContentName
  /** Undefined: the store has it. */
  readonly content: Uint8Array | undefined
  /** Peers that are to take it; a gossip goes on past declines until so many have. */
  readonly wanted: number
  /** Called once, when no answer is awaited any more; transfers may still go on. */
  readonly settle?: ((turn: Turn, result: GossipResult) => void) | undefined
}

/** Names of the counts, by code; codes 6 and up count as a generic decline. */
const COUNT_NAMES = [
  'acceptedCount',
  'genericDeclineCount',
  'alreadyStoredCount',
  'notWithinRadiusCount',
  'rateLimitedCount',
  'transferInProgressCount',
] as const

/** How long code 4 is remembered. */
const BUSY_MS = 10_000

/** One item on its way to its neighbourhood. */
class GossipJob implements Letter {
  readonly item: Letter['item']
  readonly #order: GossipOrder
  readonly #outbox: Outbox
  readonly #members: Members
  readonly #state: OverlayState
  readonly #finished: (job: GossipJob) => void
  readonly #counts = new Array<number>(COUNT_NAMES.length).fill(0)
  readonly #retried = new Set<string>()
  #waiting: NodeRecord[]
  #attemptsLeft: number
  #posted = 0
  #taken = 0
  /** Peers that take it, or will be asked again: it is held for them. */
  #sending = 0
  #peers = 0
  #isSettled = false
  #isFinished = false

  constructor(
    parts: { readonly state: OverlayState; readonly members: Members; readonly outbox: Outbox },
    order: GossipOrder,
    candidates: readonly NodeRecord[],
    finished: (job: GossipJob) => void,
  ) {
    this.#state = parts.state
    this.#members = parts.members
    this.#outbox = parts.outbox
    this.#order = order
    this.item = { ...order.name, content: order.content }
    this.#waiting = [...candidates]
    this.#attemptsLeft = Math.max(order.wanted, parts.state.limits.gossipAttempts)
    this.#finished = finished
  }

  /** Offers to as many more as are wanted; settles where nothing is left to wait for. */
  step(turn: Turn): void {
    while (this.#posted + this.#taken < this.#order.wanted && this.#attemptsLeft > 0) {
      const to = this.#waiting.shift()
      if (to === undefined) break
      this.#attemptsLeft -= 1
      this.#posted += 1
      if (!this.#outbox.post(turn, to, this)) {
        this.#posted -= 1
        this.#state.counters.add('limit.outbox')
      }
    }
    if (this.#posted > 0) return
    if (!this.#isSettled) {
      this.#isSettled = true
      this.#order.settle?.(turn, this.#result())
    }
    if (this.#sending > 0 || this.#isFinished) return
    this.#isFinished = true
    this.#finished(this)
  }

  answered(turn: Turn, to: NodeRecord, code: number, isRepeated: boolean): void {
    this.#posted -= 1
    this.#peers += 1
    this.#counts[code < COUNT_NAMES.length ? code : acceptCodes.declined]! += 1
    if (code === acceptCodes.accepted) {
      this.#taken += 1
      this.#sending += 1
    } else if (code === acceptCodes.notWithinRadius) {
      // What we believed of its radius is old.
      this.#state.profiles.of(to.nodeIdHex).radius = undefined
      this.#members.check(turn, to)
    } else if (code === acceptCodes.rateLimited) this.#state.profiles.of(to.nodeIdHex).busyUntil = turn.now + BUSY_MS
    else if (code === acceptCodes.transferInProgress && isRepeated) this.#offerAgainLater(turn, to)
    this.step(turn)
  }

  /** Its answer to the first copy of the offer was lost, and the transfer that it says is in progress is ours: it waits in vain. */
  #offerAgainLater(turn: Turn, to: NodeRecord): void {
    if (this.#retried.has(to.nodeIdHex)) return
    const { agenda, limits } = this.#state
    this.#sending += 1
    agenda.set(turn.now + limits.ownTransferMs, later => {
      this.#sending -= 1
      this.#retry(to)
      this.step(later)
    })
  }

  /** Once more to the same peer, after all others: it did want it, and has told them that it is getting it from us. */
  #retry(to: NodeRecord): void {
    if (this.#retried.has(to.nodeIdHex)) return
    this.#retried.add(to.nodeIdHex)
    this.#attemptsLeft += 1
    this.#waiting.push(to)
  }

  sent(turn: Turn, to: NodeRecord, failure: ErrorCode | undefined): void {
    this.#sending -= 1
    if (failure !== undefined) {
      this.#taken -= 1
      this.#retry(to)
    }
    this.step(turn)
  }

  failed(turn: Turn, _to: NodeRecord): void {
    this.#posted -= 1
    this.step(turn)
  }

  #result(): GossipResult {
    const counts = Object.fromEntries(COUNT_NAMES.map((name, code) => [name, this.#counts[code]!]))
    return { peerCount: this.#peers, acceptMetadata: counts as Record<(typeof COUNT_NAMES)[number], number> }
  }
}

/**
 * Neighbourhood gossip (portal-wire-protocol.md): an item is offered to `gossipPeers` nodes whose radius covers it,
 * drawn from the closest that are known, and not to where it came from.
 */
export class Gossip {
  readonly #parts: { readonly state: OverlayState; readonly members: Members; readonly outbox: Outbox }
  readonly #lookups: NodeLookups
  #items = 0
  #bytes = 0

  constructor(
    parts: { readonly state: OverlayState; readonly members: Members; readonly outbox: Outbox },
    lookups: NodeLookups,
  ) {
    this.#parts = parts
    this.#lookups = lookups
  }

  /** Items on their way, and the bytes that they hold. */
  get load(): { readonly items: number; readonly bytes: number } {
    return { items: this.#items, bytes: this.#bytes }
  }

  /** Content that a peer sent: on to others. Dropped and counted where too much is on its way. */
  pass(turn: Turn, name: ContentName, content: Uint8Array | undefined, from: NodeRecord): void {
    const { limits } = this.#parts.state
    this.#run(turn, { name, content, wanted: limits.gossipPeers }, this.#interested(turn, name, from.nodeIdHex))
  }

  /** Content that a lookup found: to those on its way who should have had it (POKE). */
  poke(turn: Turn, name: ContentName, content: Uint8Array, lacking: readonly NodeRecord[]): void {
    if (lacking.length === 0) return
    this.#parts.state.counters.add('poke')
    const nodes = lacking.slice(0, this.#parts.state.limits.pokePeers)
    this.#run(turn, { name, content, wanted: nodes.length }, nodes)
  }

  /**
   * Content that a user puts. Where the table knows too few interested nodes, the network is searched for more first.
   *
   * @returns false where too much is on its way; `settle` is not called then
   */
  put(turn: Turn, order: Omit<GossipOrder, 'wanted'>, lookup: boolean): boolean {
    const { limits } = this.#parts.state
    const whole = { ...order, wanted: limits.gossipPeers }
    const known = this.#interested(turn, order.name, undefined)
    if (!this.#hasRoom(order.content)) return false
    this.#hold(order.content, 1)
    const isEnough = known.length >= whole.wanted || !lookup
    const search = (turn: Turn, found: Lookup<NodeRecord>) => {
      this.#askRadii(turn, found.closest(), later => {
        const candidates = new Map(known.map(node => [node.nodeIdHex, node]))
        for (const node of found.closest()) {
          if (this.#parts.state.isInterested(node, order.name.contentId)) candidates.set(node.nodeIdHex, node)
        }
        this.#launch(later, whole, [...candidates.values()])
      })
    }
    if (isEnough || this.#lookups.start(turn, order.name.contentId, search) === undefined)
      this.#launch(turn, whole, known)
    return true
  }

  /** Pings those whose radius is not known. `done` is called once, when all have answered or failed. */
  #askRadii(turn: Turn, nodes: readonly NodeRecord[], done: (turn: Turn) => void): void {
    const { state, members } = this.#parts
    let awaited = 1
    const settle = (later: Turn): void => {
      awaited -= 1
      if (awaited === 0) done(later)
    }
    for (const node of nodes) {
      if (state.profiles.peek(node.nodeIdHex)?.radius !== undefined) continue
      if (members.ping(turn, node, undefined, settle) === undefined) awaited += 1
    }
    settle(turn)
  }

  /**
   * Nodes of the table whose radius covers the item: drawn from the closest, in random order, those last that had no
   * room lately.
   */
  #interested(turn: Turn, name: ContentName, except: string | undefined): NodeRecord[] {
    const { state, members } = this.#parts
    const near = state.table
      .closest(name.contentId, state.limits.bucketSize, slot => {
        const { record } = slot.entry
        return record.nodeIdHex !== except && members.isTold(slot) && state.isInterested(record, name.contentId)
      })
      .map(member => member.record)
    for (let left = near.length; left > 1; left--) {
      const drawn = state.randomness.below(left)
      const last = near[left - 1]!
      near[left - 1] = near[drawn]!
      near[drawn] = last
    }
    const isBusy = (node: NodeRecord): boolean => (state.profiles.peek(node.nodeIdHex)?.busyUntil ?? 0) > turn.now
    return [...near.filter(node => !isBusy(node)), ...near.filter(isBusy)]
  }

  #run(turn: Turn, order: GossipOrder, candidates: readonly NodeRecord[]): void {
    if (!this.#hasRoom(order.content)) return
    this.#hold(order.content, 1)
    this.#launch(turn, order, candidates)
  }

  /** The order is counted in `#hold` already. */
  #launch(turn: Turn, order: GossipOrder, candidates: readonly NodeRecord[]): void {
    new GossipJob(this.#parts, order, candidates, () => this.#hold(order.content, -1)).step(turn)
  }

  #hasRoom(content: Uint8Array | undefined): boolean {
    const { limits, counters } = this.#parts.state
    // One item is always taken, however large: else it could never be gossiped at all.
    const fits = content === undefined || this.#bytes === 0 || this.#bytes + content.length <= limits.gossipBytes
    if (fits && this.#items < limits.gossipItems) return true
    counters.add('limit.gossip')
    return false
  }

  #hold(content: Uint8Array | undefined, sign: 1 | -1): void {
    this.#items += sign
    this.#bytes += sign * (content?.length ?? 0)
  }
}
