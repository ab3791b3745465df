import type { Cryptography } from '../crypto/cryptography.ts'
import type { PublishableRecord } from '../identity/publishable-record.ts'
import type { Randomness } from '../runtime/randomness.ts'
import type { DiscoveryCounters } from './counters.ts'
import type { DiscoveryOutput } from './interface.ts'
import type { DiscoveryLimits } from './limits.ts'

/** What every part of one discovery core works with. */
export interface Context {
  readonly own: PublishableRecord
  /** 32 bytes. */
  readonly localId: Uint8Array
  readonly localIdHex: string
  readonly crypto: Cryptography
  readonly randomness: Randomness
  readonly limits: DiscoveryLimits
  readonly counters: DiscoveryCounters
  readonly turn: Turn
}

/** One call of `handle`: its moment, and where outputs go. */
export class Turn {
  now = Number.NEGATIVE_INFINITY
  #emit: ((output: DiscoveryOutput) => void) | undefined

  begin(now: number, emit: (output: DiscoveryOutput) => void): void {
    this.now = now
    this.#emit = emit
  }

  emit(output: DiscoveryOutput): void {
    this.#emit?.(output)
  }

  end(): void {
    this.#emit = undefined
  }
}
