import { SpimplError } from '../errors.ts'
import type { ContentStore, ContentStoreOptions, PutOutcome, StoredContent, StoredEntry } from './content-store.ts'
import { itemCost, outcomeOf, type Placed, type PolicyState, StoragePolicy } from './policy.ts'
import { distanceBetween } from './radius.ts'

interface Item extends Placed {
  readonly contentId: Uint8Array
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** The embedded default, for nodes without a data directory: all content is in memory and lost with the process. */
export class MemoryStore implements ContentStore {
  readonly #nodeId: Uint8Array
  readonly #policy: StoragePolicy
  /** From the closest to the furthest. */
  readonly #byDistance: Item[] = []
  #state: PolicyState
  #closed = false

  constructor(options: ContentStoreOptions) {
    this.#nodeId = options.nodeId
    this.#policy = new StoragePolicy(options.radius, options.capacityBytes)
    this.#state = { usedBytes: 0, count: 0, radius: this.#policy.widestRadius }
  }

  get usedBytes(): number {
    return this.#state.usedBytes
  }

  get capacityBytes(): number {
    return this.#policy.capacityBytes
  }

  get count(): number {
    return this.#state.count
  }

  get radius(): bigint {
    return this.#state.radius
  }

  get furthest(): StoredEntry | undefined {
    const item = this.#byDistance.at(-1)
    return item && entryOf(item)
  }

  get(contentId: Uint8Array): StoredContent | undefined {
    const item = this.#find(contentId)
    return item && { key: item.key.slice(), value: item.value.slice() }
  }

  has(contentId: Uint8Array): boolean {
    return this.#find(contentId) !== undefined
  }

  async put(contentId: Uint8Array, key: Uint8Array, value: Uint8Array): Promise<PutOutcome> {
    this.#assertOpen()
    const distance = distanceBetween(contentId, this.#nodeId)
    const cost = itemCost(key.length, value.length)
    const at = this.#position(distance)
    const replaced = this.#at(at, distance)
    const decision = this.#policy.decidePut(
      { distance, cost, replacedCost: replaced?.cost },
      this.#state,
      this.#furthestFirst(),
    )
    this.#state = decision.state
    if (decision.refused === undefined) {
      const item: Item = { contentId: contentId.slice(), distance, key, value, cost }
      this.#byDistance.splice(at, replaced === undefined ? 0 : 1, item)
    }
    return outcomeOf(
      decision,
      decision.evict.map(evicted => this.#remove(evicted).contentId),
    )
  }

  async delete(contentId: Uint8Array): Promise<boolean> {
    this.#assertOpen()
    const item = this.#find(contentId)
    if (item === undefined) return false
    this.#remove(item.distance)
    this.#state = this.#policy.decideDelete(item.cost, this.#state)
    return true
  }

  *entries(): IterableIterator<StoredEntry> {
    for (const item of this.#byDistance) yield entryOf(item)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#byDistance.length = 0
    this.#state = { ...this.#state, usedBytes: 0, count: 0 }
  }

  #assertOpen(): void {
    if (this.#closed) throw new SpimplError('STORE_CLOSED', 'expected an open store, got a write after close()')
  }

  *#furthestFirst(): IterableIterator<Placed> {
    for (let at = this.#byDistance.length - 1; at >= 0; at--) yield this.#byDistance[at]!
  }

  #remove(distance: Uint8Array): Item {
    return this.#byDistance.splice(this.#position(distance), 1)[0]!
  }

  #find(contentId: Uint8Array): Item | undefined {
    const distance = distanceBetween(contentId, this.#nodeId)
    return this.#at(this.#position(distance), distance)
  }

  #at(position: number, distance: Uint8Array): Item | undefined {
    const item = this.#byDistance[position]
    return item !== undefined && Buffer.compare(item.distance, distance) === 0 ? item : undefined
  }

  /** The first position whose distance is not below the given one. */
  #position(distance: Uint8Array): number {
    let low = 0
    let high = this.#byDistance.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Buffer.compare(this.#byDistance[middle]!.distance, distance) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

const entryOf = (item: Item): StoredEntry => ({
  contentId: item.contentId,
  distance: item.distance,
  key: item.key,
  valueBytes: item.value.length,
})
