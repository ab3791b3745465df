import type { RadiusSetting } from './radius.ts'

/** One stored item. The buffers are copies that belong to the caller. */
export interface StoredContent {
  /** The content key as it was put. */
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** One stored item without its value, as `entries` yields it. */
export interface StoredEntry {
  /** 32 bytes. */
  readonly contentId: Uint8Array
  /** xor of content id and node id, 32 bytes, big-endian: byte order is distance order. */
  readonly distance: Uint8Array
  readonly key: Uint8Array
  readonly valueBytes: number
}

/**
 * Why an item was not kept: its distance is above the radius; it alone exceeds the capacity; or the radius is fixed,
 * the store is full, and all its items are closer.
 */
export type RefusalReason = 'out-of-radius' | 'too-large' | 'full'

/** The outcome of one put, once its commit is durable. */
export type PutOutcome =
  | { readonly stored: true; readonly evicted: readonly Uint8Array[]; readonly radius: bigint }
  | {
      readonly stored: false
      readonly reason: RefusalReason
      readonly evicted: readonly Uint8Array[]
      readonly radius: bigint
    }

/** The owner of a store, and how much it may hold. */
export interface ContentStoreOptions {
  /** 32 bytes: items are ordered by their distance to it. */
  readonly nodeId: Uint8Array
  /** The most that `usedBytes` may reach. */
  readonly capacityBytes: number
  readonly radius: RadiusSetting
}

/**
 * The content store port. The memory store and the LMDB store implement it; one conformance suite runs on both.
 *
 * Reads are synchronous and see every acknowledged write: both implementations read from memory (LMDB from its map),
 * which is faster than a hop to a thread. Writes resolve when they are durable. Concurrent writes share a transaction,
 * and are applied in the order of the calls.
 */
export interface ContentStore {
  /** Bytes of all items, by `itemCost`. */
  readonly usedBytes: number
  readonly capacityBytes: number
  /** Number of items. */
  readonly count: number
  /**
   * The largest distance of an item that the store accepts: 0 to 2^256 - 1, inclusive (portal-wire-protocol, data
   * radius).
   */
  readonly radius: bigint
  /** The item at the greatest distance. */
  readonly furthest: StoredEntry | undefined

  get(contentId: Uint8Array): StoredContent | undefined
  has(contentId: Uint8Array): boolean
  /**
   * `key` and `value` change owner. Evicts the furthest items if there is no room. An item outside the radius is
   * refused, which is an outcome and not an error. Rejects with STORE_FAILED (nothing was written), STORE_BUSY (too
   * many puts wait) or STORE_CLOSED.
   */
  put(contentId: Uint8Array, key: Uint8Array, value: Uint8Array): Promise<PutOutcome>
  /** Resolves to whether there was such an item. The radius stays the same: a gap does not admit new items. */
  delete(contentId: Uint8Array): Promise<boolean>
  /** The present items, from the closest to the furthest. The store must not be written to during the walk. */
  entries(): IterableIterator<StoredEntry>
  /** Finishes pending writes, then closes the files. */
  close(): Promise<void>
}
