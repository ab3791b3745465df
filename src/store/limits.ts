import { checkedLimits } from 'spimpl-runtime/core'

/** What a store may hold. */
export interface CapacityLimits {
  /** The most that `usedBytes` may reach; 0 for a store that keeps nothing. */
  readonly capacityBytes: number
}

/** @throws SpimplError `CONFIG_INVALID` */
export function capacityLimits(capacityBytes: number): CapacityLimits {
  const range = { min: 0, max: Number.MAX_SAFE_INTEGER }
  return checkedLimits('the content store', { capacityBytes: 0 }, { capacityBytes }, { capacityBytes: range })
}

/** Puts and deletes that may wait for their transaction; above it STORE_BUSY. */
export const MAX_WAITING_WRITES = 4096
/** The bytes of their values; above it STORE_BUSY. */
export const MAX_WAITING_BYTES = 256 * 1024 * 1024
/** Writes of one transaction, so that the first of them does not wait for the last. */
export const MAX_WRITES_PER_COMMIT = 512
/** Their bytes. */
export const MAX_BYTES_PER_COMMIT = 32 * 1024 * 1024
