import { invariant } from 'spimpl-runtime/core'
import type { PutOutcome, RefusalReason } from './content-store.ts'
import { capacityLimits } from './limits.ts'
import { MAX_RADIUS, type RadiusSetting, toBigInt } from './radius.ts'

/**
 * The overhead of an item: two tree entries, each with the distance (32 bytes) and a header, at the fill of a tree
 * whose keys come in random order. 20,000 items of 200 bytes in LMDB took 326 bytes more for each item.
 */
export const ITEM_OVERHEAD_BYTES = 320

/** The bytes that an item takes of the capacity. */
export const itemCost = (keyBytes: number, valueBytes: number): number => keyBytes + valueBytes + ITEM_OVERHEAD_BYTES

/** The state of the policy. An implementation commits it together with the items. */
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
  /** The cost of the item that is replaced; undefined for none. */
  readonly replacedCost: number | undefined
}

export interface PutDecision {
  readonly refused: RefusalReason | undefined
  /**
   * Distances to remove, the furthest first. It includes the item's own distance if an older version of it is evicted
   * too.
   */
  readonly evict: readonly Uint8Array[]
  readonly state: PolicyState
}

/**
 * Decides which items are kept. Pure: the capacity and the setting never change, and all else is an argument.
 *
 * The rule: the item is added, then the furthest item is evicted until all fit. After any sequence of puts in `auto`,
 * the store therefore holds exactly the items within the radius that were ever put (and fit alone): the announced
 * radius is the truth.
 *
 * Its state is an argument and a result, because an implementation commits it together with the items.
 */
export class StoragePolicy {
  readonly capacityBytes: number
  readonly setting: RadiusSetting

  /** @throws SpimplError `CONFIG_INVALID` for a capacity that is no number of bytes */
  constructor(setting: RadiusSetting, capacityBytes: number) {
    this.setting = setting
    this.capacityBytes = capacityLimits(capacityBytes).capacityBytes
  }

  /** The radius of a store that was never full. */
  get widestRadius(): bigint {
    if (this.setting.type === 'fixed') return this.setting.radius
    return this.setting.type === 'auto' && this.capacityBytes === 0 ? 0n : MAX_RADIUS
  }

  /** @param furthestFirst the present items, of which only as many are read as needed */
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
    invariant(state.count > 0 && state.usedBytes >= cost, 'a deleted item to be a part of the account')
    return { ...state, usedBytes: state.usedBytes - cost, count: state.count - 1 }
  }

  /**
   * The state of a reopened store, perhaps with another capacity or setting. The radius grows only if there is room for
   * the items that it newly admits: the capacity was raised, or less than half of it is in use. Otherwise a full node
   * would fetch everything after each restart, and evict it again.
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

/** The outcome of a put, for its caller; `evicted` are the content ids at `decision.evict`. */
export function outcomeOf(decision: PutDecision, evicted: readonly Uint8Array[]): PutOutcome {
  const { refused, state } = decision
  const { radius } = state
  return refused === undefined ? { stored: true, evicted, radius } : { stored: false, reason: refused, evicted, radius }
}
