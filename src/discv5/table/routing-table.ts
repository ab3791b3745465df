import { compareDistance, logDistance } from '../../identity/distances.ts'
import { addressScope, subnetKey } from '../wire/address.ts'
import { Bucket, Slot, type TableEntry } from './bucket.ts'
import { Tally } from './tally.ts'

export type { Slot, TableEntry, TableRecord } from './bucket.ts'

const BUCKETS = 257

/** How many nodes of one /24 (IPv4) or /64 (IPv6) a table accepts. Loopback and private addresses are not limited. */
export interface IpLimits {
  readonly perBucket: number
  readonly perTable: number
}

/** The limits of go-ethereum and nim-eth. */
export const DEFAULT_IP_LIMITS: IpLimits = { perBucket: 2, perTable: 10 }

export interface RoutingTableOptions {
  /** 32 bytes. */
  readonly localId: Uint8Array
  /** Members of a bucket. Default: 16. */
  readonly bucketSize?: number
  /** Replacements for a bucket. Default: 10. */
  readonly replacementSize?: number
  /** Default: no limit. */
  readonly ipLimits?: IpLimits | undefined
}

/** What became of a node that was offered to the table. */
export type Insertion =
  /** The node is a new member. */
  | 'added'
  /** The node was a member already; its record is newer or the same. */
  | 'updated'
  /** The bucket is full: the node is a replacement. */
  | 'reserved'
  /** The record is older than that of the member. */
  | 'outdated'
  /** The subnet of the node has its share of the bucket or the table. */
  | 'ip-limit'
  /** The node is our own. */
  | 'self'

/** Which node left the table, and which took its place. */
export interface Removal<Entry extends TableEntry> {
  readonly removed: Entry | undefined
  /** The replacement that took the place; it is still unproven. */
  readonly successor: Entry | undefined
}

const KEPT = { removed: undefined, successor: undefined } as const

/**
 * The node table (discv5-theory.md, Node Table): a k-bucket for every log distance, each with a replacement cache. It
 * is generic over its entries, so that an overlay can keep its own nodes, with their radii, in one as well.
 *
 * @example
 * const table = new RoutingTable<{ record: NodeRecord }>({ localId: record.nodeId, ipLimits: DEFAULT_IP_LIMITS })
 * table.insert({ record: peer }, now)          // 'added'
 * table.markLive(peer.nodeIdHex, now)          // it answered: it may be advertised
 * table.closest(target, 16).map(entry => entry.record)
 */
export class RoutingTable<Entry extends TableEntry> {
  readonly localId: Uint8Array
  readonly bucketSize: number
  readonly #replacementSize: number
  readonly #ipLimits: IpLimits | undefined
  readonly #buckets: Bucket<Entry>[] = Array.from({ length: BUCKETS }, () => new Bucket<Entry>())
  /** Bucket number of every member. */
  readonly #members = new Map<string, { readonly slot: Slot<Entry>; readonly distance: number }>()
  /** Members and replacements of each limited subnet, in the whole table. */
  readonly #subnets = new Tally()

  constructor(options: RoutingTableOptions) {
    this.localId = options.localId
    this.bucketSize = options.bucketSize ?? 16
    this.#replacementSize = options.replacementSize ?? 10
    this.#ipLimits = options.ipLimits
  }

  /** Members, without replacements. */
  get size(): number {
    return this.#members.size
  }

  get(nodeIdHex: string): Entry | undefined {
    return this.#members.get(nodeIdHex)?.slot.entry
  }

  /** The slot of a member, with what is known of its liveness. */
  slot(nodeIdHex: string): Readonly<Slot<Entry>> | undefined {
    return this.#members.get(nodeIdHex)?.slot
  }

  /** Offers a node. The entry of a member is replaced unless its record is older; its liveness stays. */
  insert(entry: Entry, now: number): Insertion {
    const { record } = entry
    const known = this.#members.get(record.nodeIdHex)
    if (known !== undefined) return this.#update(known.slot, entry, known.distance)
    const distance = logDistance(this.localId, record.nodeId)
    if (distance === 0) return 'self'
    const bucket = this.#buckets[distance]!
    const reserved = bucket.dropReplacement(record.nodeIdHex)
    if (reserved !== undefined) this.#countSubnet(reserved.entry, -1)
    if (!this.#subnetHasRoom(entry, bucket)) {
      if (reserved === undefined) return 'ip-limit'
      bucket.reserve(reserved, this.#replacementSize)
      this.#countSubnet(reserved.entry, 1)
      return 'ip-limit'
    }
    const slot = new Slot(entry, now)
    this.#countSubnet(entry, 1)
    if (bucket.members.length < this.bucketSize) {
      bucket.add(slot)
      this.#members.set(record.nodeIdHex, { slot, distance })
      return 'added'
    }
    const displaced = bucket.reserve(slot, this.#replacementSize)
    if (displaced !== undefined) this.#countSubnet(displaced.entry, -1)
    return 'reserved'
  }

  /** A node answered: it is live, and the most recently seen of its bucket. @returns whether it is a member */
  markLive(nodeIdHex: string, now: number): boolean {
    const known = this.#members.get(nodeIdHex)
    if (known === undefined) return false
    known.slot.answered(now)
    this.#buckets[known.distance]!.touch(known.slot)
    return true
  }

  /**
   * A node did not answer. It is removed after more than `tolerated` failures in a row, and at once if it has never
   * answered; a replacement then takes its place.
   */
  markFailed(nodeIdHex: string, tolerated = 2): Removal<Entry> {
    const slot = this.#members.get(nodeIdHex)?.slot
    if (slot === undefined) return KEPT
    slot.missed()
    return slot.isLive && slot.failures <= tolerated ? KEPT : this.remove(nodeIdHex)
  }

  /** Removes a member; a replacement takes its place. */
  remove(nodeIdHex: string): Removal<Entry> {
    const known = this.#members.get(nodeIdHex)
    if (known === undefined) return KEPT
    this.#members.delete(nodeIdHex)
    this.#countSubnet(known.slot.entry, -1)
    const successor = this.#buckets[known.distance]!.remove(known.slot)
    if (successor !== undefined) {
      this.#members.set(successor.entry.record.nodeIdHex, { slot: successor, distance: known.distance })
    }
    return { removed: known.slot.entry, successor: successor?.entry }
  }

  /** The `count` members closest to `target` (32 bytes) that `accept` admits, the closest first. */
  closest(target: Uint8Array, count: number, accept?: (slot: Readonly<Slot<Entry>>) => boolean): Entry[] {
    const near: Readonly<Slot<Entry>>[] = []
    const distance = logDistance(this.localId, target)
    // XOR keeps the common prefix: nodes in the target's own bucket are the closest to it, then those of all buckets
    // below, which have one and the same log distance from the target, then those of the buckets above, one by one.
    this.#collect(near, target, distance, distance, accept)
    if (near.length < count) this.#collect(near, target, 0, distance - 1, accept)
    for (let above = distance + 1; above < BUCKETS && near.length < count; above++) {
      this.#collect(near, target, above, above, accept)
    }
    return near.slice(0, count).map(slot => slot.entry)
  }

  /** At most `limit` members at any of the log distances, the most recently seen of each bucket first. */
  atDistances(distances: readonly number[], limit: number, accept?: (slot: Readonly<Slot<Entry>>) => boolean): Entry[] {
    const found: Entry[] = []
    for (const distance of new Set(distances)) {
      const members = this.#buckets[distance]?.members ?? []
      for (let at = members.length - 1; at >= 0 && found.length < limit; at--) {
        const slot = members[at]!
        if (accept === undefined || accept(slot)) found.push(slot.entry)
      }
    }
    return found
  }

  /** All members, bucket by bucket from the nearest. */
  *entries(): IterableIterator<Entry> {
    for (const slot of this.slots()) yield slot.entry
  }

  *slots(): IterableIterator<Readonly<Slot<Entry>>> {
    for (const bucket of this.#buckets) yield* bucket.members
  }

  /** Members of each bucket, by log distance; empty buckets are left out. */
  buckets(): { readonly distance: number; readonly members: Entry[] }[] {
    const listed: { distance: number; members: Entry[] }[] = []
    for (const [distance, bucket] of this.#buckets.entries()) {
      if (bucket.members.length > 0) listed.push({ distance, members: bucket.members.map(slot => slot.entry) })
    }
    return listed
  }

  /**
   * The log distance of the bucket that was refreshed longest ago, among those that may hold nodes: from the nearest
   * occupied bucket to the furthest. Marks it as refreshed.
   */
  nextToRefresh(now: number): number {
    const nearest = this.#buckets.findIndex(bucket => bucket.members.length > 0)
    let chosen = BUCKETS - 1
    // One below the nearest: a neighbour that we do not know yet would be there.
    for (let distance = BUCKETS - 1; distance >= Math.max(1, nearest < 0 ? BUCKETS - 1 : nearest - 1); distance--) {
      if (this.#buckets[distance]!.refreshedAt < this.#buckets[chosen]!.refreshedAt) chosen = distance
    }
    this.#buckets[chosen]!.refreshed(now)
    return chosen
  }

  #update(slot: Slot<Entry>, entry: Entry, distance: number): Insertion {
    const before = slot.entry
    if (entry.record.seq < before.record.seq) return 'outdated'
    const hasMoved =
      before.record.endpoint?.host !== entry.record.endpoint?.host ||
      before.record.endpoint?.port !== entry.record.endpoint?.port
    if (hasMoved) {
      this.#countSubnet(before, -1)
      if (!this.#subnetHasRoom(entry, this.#buckets[distance]!, slot)) {
        this.#countSubnet(before, 1)
        return 'ip-limit'
      }
      this.#countSubnet(entry, 1)
    }
    slot.replace(entry, hasMoved)
    return 'updated'
  }

  #collect(
    near: Readonly<Slot<Entry>>[],
    target: Uint8Array,
    from: number,
    to: number,
    accept: ((slot: Readonly<Slot<Entry>>) => boolean) | undefined,
  ): void {
    const part: Slot<Entry>[] = []
    for (let distance = from; distance <= to; distance++) {
      for (const slot of this.#buckets[distance]!.members) if (accept === undefined || accept(slot)) part.push(slot)
    }
    part.sort((a, b) => compareDistance(target, a.entry.record.nodeId, b.entry.record.nodeId))
    near.push(...part)
  }

  /** The subnet of an entry; undefined if no limit applies to it. */
  #limitedSubnet(entry: Entry): string | undefined {
    const host = entry.record.endpoint?.host
    if (this.#ipLimits === undefined || host === undefined) return undefined
    return addressScope(host) === 'global' ? subnetKey(host) : undefined
  }

  #subnetHasRoom(entry: Entry, bucket: Bucket<Entry>, except?: Slot<Entry>): boolean {
    const subnet = this.#limitedSubnet(entry)
    if (subnet === undefined || this.#ipLimits === undefined) return true
    if (this.#subnets.of(subnet) >= this.#ipLimits.perTable) return false
    let inBucket = 0
    for (const slot of bucket.members) {
      if (slot !== except && this.#limitedSubnet(slot.entry) === subnet) inBucket++
    }
    for (const slot of bucket.replacements) if (this.#limitedSubnet(slot.entry) === subnet) inBucket++
    return inBucket < this.#ipLimits.perBucket
  }

  #countSubnet(entry: Entry, by: number): void {
    const subnet = this.#limitedSubnet(entry)
    if (subnet === undefined) return
    this.#subnets.add(subnet, by)
  }
}
