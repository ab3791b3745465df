import type { Randomness } from 'spimpl-runtime'
import type { Cryptography } from '../crypto/cryptography.ts'
import type { PublishableRecord } from '../identity/publishable-record.ts'
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

/**
 * One call of `handle`: its moment, and what it says. Outputs leave when all state is consistent, so that whoever hears one may
 * call `handle` again at once.
 */
export class Turn {
  now = Number.NEGATIVE_INFINITY
  #said: DiscoveryOutput[] = []

  begin(now: number): void {
    this.now = now
  }

  emit(output: DiscoveryOutput): void {
    this.#said.push(output)
  }

  /** What was said, in order. */
  end(): readonly DiscoveryOutput[] {
    if (this.#said.length === 0) return NOTHING
    const said = this.#said
    this.#said = []
    return said
  }
}

const NOTHING: readonly DiscoveryOutput[] = []
