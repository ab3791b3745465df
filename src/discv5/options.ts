import type { Randomness } from 'spimpl-runtime/core'
import type { Cryptography } from '../crypto/cryptography.ts'
import type { PublishableRecord } from '../identity/publishable-record.ts'
import type { DiscoveryLimits } from './limits.ts'
import type { IpLimits } from './table/routing-table.ts'

/** What a `Discv5` is constructed from. */
export interface DiscoveryOptions {
  /** The own record. Discovery publishes a new version when its address changes. */
  readonly record: PublishableRecord
  readonly crypto: Cryptography
  readonly randomness: Randomness
  readonly limits?: Partial<DiscoveryLimits>
  /**
   * TALKREQ protocols whose requests are packets of a stream and expect no answer, for instance `['utp']`. They get no
   * TALKRESP, and those that arrive in one turn are emitted together, as `talks-received`.
   */
  readonly oneWayProtocols?: readonly (string | Uint8Array)[]
  /**
   * TALKREQ protocols that are emitted as `talk-requested`; all others get an empty TALKRESP. Default: every protocol.
   * In a string each character stands for one byte: Portal's protocols are `'\x50\x00'` and the like.
   */
  readonly protocols?: readonly (string | Uint8Array)[]
  /** Nodes of one subnet in the routing table; `undefined` for no limit. Default: 2 in a bucket and 10 in the table. */
  readonly ipLimits?: IpLimits | undefined
  /** Whether an address that a majority of PONGs names replaces the one in the own record. Default: true. */
  readonly adoptAddress?: boolean
  /** The socket reaches IPv6 only, so a record with two addresses is used with its IPv6 address. Default: false. */
  readonly hasIpv6Alone?: boolean
}
