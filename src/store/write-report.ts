import type { ErrorCode } from '../errors.ts'

/**
 * What changes for others with a write to a content store: the radius, and whether the store can be written at all. An
 * operator is told when that changes, and not of each failed write on a full disk.
 */
export class WriteReport {
  #radius: bigint
  #isFailing = false

  constructor(radius: bigint) {
    this.#radius = radius
  }

  /** The radius that was last reported. */
  get radius(): bigint {
    return this.#radius
  }

  /** A write succeeded. @returns whether it ended a series of failures, and whether the radius changed */
  succeeded(radius: bigint): { readonly hasRecovered: boolean; readonly isNewRadius: boolean } {
    const report = { hasRecovered: this.#isFailing, isNewRadius: radius !== this.#radius }
    this.#isFailing = false
    this.#radius = radius
    return report
  }

  /** A write failed. @returns whether it begins a series of failures. A store that is busy or closed has not failed */
  failed(code: ErrorCode): boolean {
    if (this.#isFailing || code !== 'STORE_FAILED') return false
    this.#isFailing = true
    return true
  }
}
