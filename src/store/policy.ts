import { SpimplError } from '../errors.ts'
import type { PutOutcome, RefusalReason } from './content-store.ts'

/** The radius of a node that wants everything, 2^256 - 1. */
export const MAX_RADIUS = (1n << 256n) - 1n

/**
 * What an item costs beside its bytes: two tree entries, with the distance (32 bytes) and a header in each, at the
 * fill of a tree whose keys come in random order. 20,000 items of 200 bytes in LMDB took 326 bytes more than theirs.
 */
export const ITEM_OVERHEAD_BYTES = 320

/**
 * In `auto` the radius starts at the maximum, and when the store is full it shrinks to the furthest item kept.
 * `max` and `fixed` announce what the user said, whatever the store holds; a full store still lets the furthest go.
 * Items that a smaller radius leaves outside stay until their room is wanted: nothing is deleted for a flag.
 */
export type RadiusSetting =
  | { readonly type: 'auto' }
  | { readonly type: 'max' }
  | { readonly type: 'fixed'; readonly radius: bigint }

/** The bytes that an item takes of the capacity. */
export const itemCost = (keyBytes: number, valueBytes: number): number => keyBytes + valueBytes + ITEM_OVERHEAD_BYTES

/** What the policy keeps between two decisions; an implementation commits it together with the items. */
export interface PolicyState {
  readonly usedBytes: number
  readonly count: number
  readonly radius: bigint
}

/** An item as the policy sees it. */
export interface Placed {
  /** 32 bytes, big-endian. */
  readonly distance: Uint8Array
  readonly cost: number
}

export interface PutQuestion extends Placed {
  /** The cost of the item that this one replaces. */
  readonly replacedCost: number | undefined
}

export interface PutDecision {
  readonly refused: RefusalReason | undefined
  /** Distances to remove, the furthest first. It has the item's own distance where an older version of it goes too. */
  readonly evict: readonly Uint8Array[]
  readonly state: PolicyState
}

/**
 * Decides what is kept. Pure: it holds two numbers that never change, and is told everything else.
 *
 * The rule: an item is added, then the furthest goes until all fit. So after any sequence of puts in `auto` the store
 * holds exactly those items that were ever put (and alone fit) whose distance is at most the radius: the radius that
 * peers are told is the truth.
 */
export class StoragePolicy {
  readonly capacityBytes: number
  readonly setting: RadiusSetting

  constructor(setting: RadiusSetting, capacityBytes: number) {
    this.setting = setting
    this.capacityBytes = capacityBytes
  }

  /** The radius of a store that was never full. */
  get widestRadius(): bigint {
    if (this.setting.type === 'fixed') return this.setting.radius
    return this.setting.type === 'auto' && this.capacityBytes === 0 ? 0n : MAX_RADIUS
  }

  /** @param furthestFirst the items as they are now, read only as far as needed */
  decidePut(question: PutQuestion, state: PolicyState, furthestFirst: Iterable<Placed>): PutDecision {
    const { distance, cost, replacedCost } = question
    const keep = (refused: RefusalReason): PutDecision => ({ refused, evict: [], state })
    if (cost > this.capacityBytes) return keep('too-large')
    if (toBigInt(distance) > state.radius) return keep('out-of-radius')

    let usedBytes = state.usedBytes - (replacedCost ?? 0) + cost
    let count = state.count + (replacedCost === undefined ? 1 : 0)
    if (usedBytes <= this.capacityBytes) return { refused: undefined, evict: [], state: { ...state, usedBytes, count } }

    const evict: Uint8Array[] = []
    let kept = true
    let furthestKept: Uint8Array = distance
    for (const item of furthestFirst) {
      const order = Buffer.compare(item.distance, distance)
      if (order === 0) continue
      if (kept && order < 0 && usedBytes > this.capacityBytes) {
        kept = false
        usedBytes -= cost
        count--
        if (replacedCost !== undefined) evict.push(distance)
      }
      if (usedBytes <= this.capacityBytes) {
        furthestKept = kept && order < 0 ? distance : item.distance
        break
      }
      evict.push(item.distance)
      usedBytes -= item.cost
      count--
    }
    const radius = this.setting.type === 'auto' ? toBigInt(furthestKept) : state.radius
    const refused = kept ? undefined : this.setting.type === 'auto' ? 'out-of-radius' : 'full'
    return { refused, evict, state: { usedBytes, count, radius } }
  }

  decideDelete(cost: number, state: PolicyState): PolicyState {
    return { ...state, usedBytes: state.usedBytes - cost, count: state.count - 1 }
  }

  /**
   * What to start with when a store is opened again, perhaps with another capacity or another setting.
   * The radius grows only where there is room for what it newly admits: the capacity was raised, or less than half of
   * it is in use. Otherwise a full node would ask for everything after each restart, and throw it away again.
   */
  decideOpen(
    stored: PolicyState & { readonly capacityBytes: number; readonly setting: RadiusSetting['type'] },
    furthestFirst: Iterable<Placed>,
  ): { readonly evict: readonly Uint8Array[]; readonly state: PolicyState } {
    let { usedBytes, count } = stored
    const evict: Uint8Array[] = []
    let furthestKept: Uint8Array | undefined
    if (usedBytes > this.capacityBytes) {
      for (const item of furthestFirst) {
        if (usedBytes <= this.capacityBytes) {
          furthestKept = item.distance
          break
        }
        evict.push(item.distance)
        usedBytes -= item.cost
        count--
      }
    }
    let radius = this.widestRadius
    if (this.setting.type === 'auto') {
      const roomier = this.capacityBytes > stored.capacityBytes || usedBytes * 2 < this.capacityBytes
      if (evict.length > 0 && furthestKept !== undefined) radius = toBigInt(furthestKept)
      else if (evict.length === 0 && !roomier && stored.setting === 'auto' && stored.radius < radius)
        radius = stored.radius
    }
    return { evict, state: { usedBytes, count, radius } }
  }
}

/** What the one who put is told; `evicted` are the content ids at `decision.evict`. */
export function outcomeOf(decision: PutDecision, evicted: readonly Uint8Array[]): PutOutcome {
  const { refused, state } = decision
  const { radius } = state
  return refused === undefined ? { stored: true, evicted, radius } : { stored: false, reason: refused, evicted, radius }
}

/** The distance as a number: 32 bytes, big-endian. */
export function toBigInt(distance: Uint8Array): bigint {
  const view = new DataView(distance.buffer, distance.byteOffset, distance.byteLength)
  return (
    (view.getBigUint64(0) << 192n) |
    (view.getBigUint64(8) << 128n) |
    (view.getBigUint64(16) << 64n) |
    view.getBigUint64(24)
  )
}

/** The metric of the Portal network: xor of two ids of 32 bytes. Throws USAGE for other lengths: the order of all keys stands on it. */
export function distanceBetween(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length !== 32 || b.length !== 32) {
    throw new SpimplError('USAGE', `expected two ids of 32 bytes, got ${a.length} and ${b.length}`)
  }
  const out = new Uint8Array(32)
  for (let at = 0; at < 32; at++) out[at] = a[at]! ^ b[at]!
  return out
}
