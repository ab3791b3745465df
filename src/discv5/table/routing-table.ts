import { compareDistance, logDistance } from '../../identity/distances.ts'
import { addressScope, subnetKey } from '../wire/address.ts'
import { Bucket, type Slot, type TableEntry } from './bucket.ts'
import { Tally } from './tally.ts'

export type { Slot, TableEntry, TableRecord } from './bucket.ts'

const BUCKETS = 257

/** How many nodes of one /24 (IPv4) or /64 (IPv6) a table takes. Loopback and private addresses are not limited. */
export interface IpLimits {
  readonly perBucket: number
  readonly perTable: number
}

/** As go-ethereum and nim-eth have it. */
export const DEFAULT_IP_LIMITS: IpLimits = { perBucket: 2, perTable: 10 }

export interface RoutingTableOptions {
  /** 32 bytes. */
  readonly localId: Uint8Array
  /** Members of a bucket, 16 unless told. */
  readonly bucketSize?: number
  /** Nodes in reserve for a bucket, 10 unless told. */
  readonly replacementSize?: number
  /** No limit unless told. */
  readonly ipLimits?: IpLimits | undefined
}

/** What became of a node that was offered to the table. */
export type Insertion =
  /** It is a new member. */
  | 'added'
  /** It was a member already, and its record is newer or as new. */
  | 'updated'
  /** Its bucket is full: it stands in reserve. */
  | 'reserved'
  /** Its record is older than the one the table has. */
  | 'outdated'
  /** Too many nodes of its subnet are there. */
  | 'ip-limit'
  /** It is the owner of the table. */
  | 'self'

/** What became of a node that did not answer. */
export interface Removal<Entry extends TableEntry> {
  readonly removed: Entry | undefined
  /** The node of the reserve that took the place; nobody has proven it yet. */
  readonly successor: Entry | undefined
}

const KEPT = { removed: undefined, successor: undefined } as const

/**
 * The node table (discv5-theory.md, Node Table): a k-bucket for every log distance, each with a replacement cache.
 * Generic over its entries, so that an overlay keeps its own nodes, with their radii, in one of these too.
 *
 * @example
 * const table = new RoutingTable<{ record: NodeRecord }>({ localId: record.nodeId, ipLimits: DEFAULT_IP_LIMITS })
 * table.insert({ record: peer }, now)          // 'added'
 * table.markLive(peer.nodeIdHex, now)          // it answered: it may be told to others
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
  /** Members and reserves of each limited subnet, in the whole table. */
  readonly #subnets = new Tally()

  constructor(options: RoutingTableOptions) {
    this.localId = options.localId
    this.bucketSize = options.bucketSize ?? 16
    this.#replacementSize = options.replacementSize ?? 10
    this.#ipLimits = options.ipLimits
  }

  /** Members, without reserves. */
  get size(): number {
    return this.#members.size
  }

  get(nodeIdHex: string): Entry | undefined {
    return this.#members.get(nodeIdHex)?.slot.entry
  }

  /** The place of a member, with what is known of its liveness. */
  slot(nodeIdHex: string): Readonly<Slot<Entry>> | undefined {
    return this.#members.get(nodeIdHex)?.slot
  }

  /** Offers a node. A member's entry is replaced where the record is not older; its liveness stays. */
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
    const slot: Slot<Entry> = { entry, live: false, lastSeen: now, failures: 0, answers: 0 }
    this.#countSubnet(entry, 1)
    if (bucket.members.length < this.bucketSize) {
      bucket.members.push(slot)
      this.#members.set(record.nodeIdHex, { slot, distance })
      return 'added'
    }
    const displaced = bucket.reserve(slot, this.#replacementSize)
    if (displaced !== undefined) this.#countSubnet(displaced.entry, -1)
    return 'reserved'
  }

  /** It answered: it is live, and the most recently seen of its bucket. Returns whether it is a member. */
  markLive(nodeIdHex: string, now: number): boolean {
    const known = this.#members.get(nodeIdHex)
    if (known === undefined) return false
    known.slot.live = true
    known.slot.lastSeen = now
    known.slot.failures = 0
    known.slot.answers++
    this.#buckets[known.distance]!.touch(known.slot)
    return true
  }

  /**
   * It did not answer. It is removed after `tolerated` failures in a row more than allowed, and at once where it never
   * answered; a node of the reserve then takes the place.
   */
  markFailed(nodeIdHex: string, tolerated = 2): Removal<Entry> {
    const slot = this.#members.get(nodeIdHex)?.slot
    if (slot === undefined) return KEPT
    slot.failures++
    return slot.live && slot.failures <= tolerated ? KEPT : this.remove(nodeIdHex)
  }

  /** Takes a member out; a node of the reserve takes the place. */
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

  /** The `count` members that are closest to `target` (32 bytes) and pass the filter, the closest first. */
  closest(target: Uint8Array, count: number, accept?: (slot: Readonly<Slot<Entry>>) => boolean): Entry[] {
    const near: Slot<Entry>[] = []
    const distance = logDistance(this.localId, target)
    // Nodes of the target's own bucket are nearer to it than all others; then come all the buckets below it, which lie
    // at one and the same log distance from the target, then those above, one by one (XOR keeps the common prefix).
    this.#collect(near, target, distance, distance, accept)
    if (near.length < count) this.#collect(near, target, 0, distance - 1, accept)
    for (let above = distance + 1; above < BUCKETS && near.length < count; above++) {
      this.#collect(near, target, above, above, accept)
    }
    return near.slice(0, count).map(slot => slot.entry)
  }

  /** Members at any of the log distances, at most `limit`, the most recently seen of each bucket first. */
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

  /** Every member, bucket by bucket from the nearest. */
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
   * The log distance whose bucket was refreshed longest ago, of those that can hold anybody: from the nearest
   * occupied bucket to the furthest. Marks it as refreshed.
   */
  nextToRefresh(now: number): number {
    const nearest = this.#buckets.findIndex(bucket => bucket.members.length > 0)
    let chosen = BUCKETS - 1
    // One below the nearest: that is where a neighbour we do not know yet would stand.
    for (let distance = BUCKETS - 1; distance >= Math.max(1, nearest < 0 ? BUCKETS - 1 : nearest - 1); distance--) {
      if (this.#buckets[distance]!.refreshedAt < this.#buckets[chosen]!.refreshedAt) chosen = distance
    }
    this.#buckets[chosen]!.refreshedAt = now
    return chosen
  }

  #update(slot: Slot<Entry>, entry: Entry, distance: number): Insertion {
    const before = slot.entry
    if (entry.record.seq < before.record.seq) return 'outdated'
    const moved =
      before.record.endpoint?.host !== entry.record.endpoint?.host ||
      before.record.endpoint?.port !== entry.record.endpoint?.port
    if (moved) {
      this.#countSubnet(before, -1)
      slot.entry = entry
      if (!this.#subnetHasRoom(entry, this.#buckets[distance]!, slot)) {
        slot.entry = before
        this.#countSubnet(before, 1)
        return 'ip-limit'
      }
      this.#countSubnet(entry, 1)
      // It proved itself at another address, not at this one.
      slot.live = false
    } else slot.entry = entry
    return 'updated'
  }

  #collect(
    near: Slot<Entry>[],
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

  /** The subnet that a limit applies to, or undefined where none does. */
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
