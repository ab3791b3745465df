import type { Randomness, Turn } from 'spimpl-runtime/core'
import type { Cryptography } from '../crypto/cryptography.ts'
import type { PublishableRecord } from '../identity/publishable-record.ts'
import type { DiscoveryCounters } from './counters.ts'
import type { DiscoveryDeadlines } from './deadlines.ts'
import type { DiscoveryLimits } from './limits.ts'
import type { DiscoveryOutput } from './messages.ts'

/** What every part of one discovery core works with. */
export interface Context {
  readonly own: PublishableRecord
  /** Our node id: 32 bytes. */
  readonly localId: Uint8Array
  readonly localIdHex: string
  readonly crypto: Cryptography
  readonly randomness: Randomness
  readonly limits: DiscoveryLimits
  readonly counters: DiscoveryCounters
  readonly deadlines: DiscoveryDeadlines
  readonly turn: Turn<DiscoveryOutput>
}
