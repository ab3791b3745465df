import { checkedLimits } from 'spimpl-runtime/core'

/** The bounds of validation: what it keeps, and what may wait for a header or for the compute pool. */
export interface ValidationLimits {
  /** Content up to this size is validated inside `handle`, larger content on the compute pool. */
  readonly inlineBytes: number
  /** Headers that are kept, the most recently used ones. */
  readonly headers: number
  /** Content that contradicts a kept header of this age makes the core ask for the header again. */
  readonly headerTrustMs: number
  /** Items that wait for a header or for the pool. */
  readonly pendingItems: number
  /** Their bytes. */
  readonly pendingBytes: number
  /** How long an item waits for its header. */
  readonly headerTimeoutMs: number
  /** How long an item waits for the pool. */
  readonly computeTimeoutMs: number
}

/**
 * Honest content of 32 kB takes 0.3 ms to validate (bench/validation.ts): less than the turns of two event loops that a
 * worker costs. The worst content of that size, thousands of empty receipts with a bloom each to hash, takes 13 ms.
 */
export const INLINE_CONTENT_BYTES = 32 * 1024

const defaultValidationLimits: ValidationLimits = {
  inlineBytes: INLINE_CONTENT_BYTES,
  headers: 1024,
  headerTrustMs: 12_000,
  pendingItems: 512,
  pendingBytes: 256 * 1024 * 1024,
  headerTimeoutMs: 20_000,
  computeTimeoutMs: 30_000,
}

/** @throws SpimplError `CONFIG_INVALID` */
export function validationLimits(changes?: Partial<ValidationLimits>): ValidationLimits {
  return checkedLimits('validation', defaultValidationLimits, changes)
}
