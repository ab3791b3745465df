import { Deadline, invariant } from 'spimpl-runtime/core'
import type { Result } from '../../errors.ts'
import type { HistoryKey } from '../content/content-key.ts'
import type { BlockHeader } from '../headers/header.ts'

/** A refusal by a kept header, while the header source is asked whether that is still the header of the block. */
export interface Doubt {
  readonly header: BlockHeader
  readonly result: Result<never>
}

/**
 * One item that awaits its verdict.
 *
 *     waits for its header ---> verdict, or ---> waits for the compute pool ---> verdict
 *              ^----------- in doubt ------------------'
 */
export class PendingItem {
  readonly ref: number
  readonly key: HistoryKey
  readonly bytes: Uint8Array
  readonly headerDeadline = new Deadline('header', this as PendingItem)
  readonly computeDeadline = new Deadline('compute', this as PendingItem)
  #computingBy: BlockHeader | undefined
  #doubt: Doubt | undefined

  constructor(ref: number, key: HistoryKey, bytes: Uint8Array) {
    this.ref = ref
    this.key = key
    this.bytes = bytes
  }

  /** The header that the compute pool compares the item with; undefined while the item waits for a header. */
  get computingBy(): BlockHeader | undefined {
    return this.#computingBy
  }

  get doubt(): Doubt | undefined {
    return this.#doubt
  }

  sendToPool(header: BlockHeader): void {
    invariant(this.#computingBy === undefined, 'an item that is on the compute pool once')
    this.#computingBy = header
  }

  returnFromPool(): void {
    this.#computingBy = undefined
  }

  doubtBy(doubt: Doubt): void {
    invariant(this.#doubt === undefined, 'an item that is in doubt once')
    this.#doubt = doubt
  }
}
