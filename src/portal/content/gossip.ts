import type { Lookup } from '../../discv5/asking/lookup.ts'
import type { NodeRecord } from '../../identity/node-record.ts'
import type { ContentName } from '../messages.ts'
import type { NodeLookups } from '../network/node-lookups.ts'
import type { Pings } from '../network/pings.ts'
import { GossipJob, type GossipOrder, type GossipParts } from './gossip-job.ts'

/**
 * Neighbourhood gossip (portal-wire-protocol.md): an item is offered to `gossipPeers` nodes whose radius covers it.
 * They are drawn from the closest that are known, without the node that sent the item.
 */
export class Gossip {
  readonly #parts: GossipParts
  readonly #pings: Pings
  readonly #lookups: NodeLookups
  #items = 0
  #bytes = 0

  constructor(parts: GossipParts, pings: Pings, lookups: NodeLookups) {
    this.#parts = parts
    this.#pings = pings
    this.#lookups = lookups
  }

  /** Items in gossip, and the bytes that they hold. */
  get load(): { readonly items: number; readonly bytes: number } {
    return { items: this.#items, bytes: this.#bytes }
  }

  /** Passes on content that a peer sent. It is dropped and counted if too much is in gossip. */
  pass(name: ContentName, content: Uint8Array | undefined, from: NodeRecord): void {
    const { limits } = this.#parts.state
    this.#run({ name, content, wanted: limits.gossipPeers }, this.#interested(name, from.nodeIdHex))
  }

  /** Offers content that a lookup found to nodes that should have had it (POKE). */
  poke(name: ContentName, content: Uint8Array, targets: readonly NodeRecord[]): void {
    if (targets.length === 0) return
    const { counters, limits } = this.#parts.state
    counters.add('poke')
    const nodes = targets.slice(0, limits.pokePeers)
    this.#run({ name, content, wanted: nodes.length }, nodes)
  }

  /**
   * Gossips content that a user puts.
   *
   * @param lookup search the network for interested nodes first, if the table knows too few
   * @returns false if too much is in gossip; `settle` is not called then
   */
  put(order: Omit<GossipOrder, 'wanted'>, lookup: boolean): boolean {
    const { gossipPeers } = this.#parts.state.limits
    const whole = { ...order, wanted: gossipPeers }
    const known = this.#interested(order.name, undefined)
    if (!this.#hasRoom(order.content)) return false
    this.#hold(order.content, 1)
    const search = (found: Lookup<NodeRecord>): void => {
      this.#askRadii(found.closest(), () => this.#launch(whole, this.#withInterested(known, found, order.name)))
    }
    const isEnough = known.length >= gossipPeers || !lookup
    if (isEnough || this.#lookups.start(order.name.contentId, search) === undefined) this.#launch(whole, known)
    return true
  }

  /** The known nodes and those that the lookup found, each once. */
  #withInterested(known: readonly NodeRecord[], found: Lookup<NodeRecord>, name: ContentName): NodeRecord[] {
    const candidates = new Map(known.map(node => [node.nodeIdHex, node]))
    for (const node of found.closest()) {
      if (this.#parts.state.isInterested(node, name.contentId)) candidates.set(node.nodeIdHex, node)
    }
    return [...candidates.values()]
  }

  /** Pings the nodes whose radius is unknown. `done` is called once, when all have answered or failed. */
  #askRadii(nodes: readonly NodeRecord[], done: () => void): void {
    const { profiles } = this.#parts.state
    let awaited = 1
    const settle = (): void => {
      awaited -= 1
      if (awaited === 0) done()
    }
    for (const node of nodes) {
      if (profiles.peek(node.nodeIdHex)?.hasRadius === true) continue
      if (this.#pings.send(node, undefined, settle) === undefined) awaited += 1
    }
    settle()
  }

  /** The closest nodes of the table whose radius covers the item, shuffled; those that lately had no room come last. */
  #interested(name: ContentName, except: string | undefined): NodeRecord[] {
    const { members, state } = this.#parts
    const near = state.table
      .closest(name.contentId, state.limits.bucketSize, slot => {
        const { record } = slot.entry
        return record.nodeIdHex !== except && members.isAdvertised(slot) && state.isInterested(record, name.contentId)
      })
      .map(member => member.record)
    for (let left = near.length; left > 1; left--) {
      const drawn = state.randomness.below(left)
      const last = near[left - 1]!
      near[left - 1] = near[drawn]!
      near[drawn] = last
    }
    const isBusy = (node: NodeRecord): boolean => state.profiles.peek(node.nodeIdHex)?.isBusy(state.turn.now) === true
    return [...near.filter(node => !isBusy(node)), ...near.filter(isBusy)]
  }

  #run(order: GossipOrder, candidates: readonly NodeRecord[]): void {
    if (!this.#hasRoom(order.content)) return
    this.#hold(order.content, 1)
    this.#launch(order, candidates)
  }

  /** Starts an item that `#hold` has counted. */
  #launch(order: GossipOrder, candidates: readonly NodeRecord[]): void {
    new GossipJob(this.#parts, order, candidates, () => this.#hold(order.content, -1)).step()
  }

  #hasRoom(content: Uint8Array | undefined): boolean {
    const { limits, counters } = this.#parts.state
    // A single item always fits, however large: otherwise it could never be gossiped.
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
