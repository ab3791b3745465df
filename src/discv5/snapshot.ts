import type { Endpoint } from '../transport/datagram.ts'
import type { DiscoveryCounter } from './counters.ts'
import type { SessionState } from './sessions/session-machine.ts'

/** One session in `inspect`. */
export interface SessionSnapshot {
  readonly nodeIdHex: string
  readonly endpoint: Endpoint
  readonly state: SessionState
  readonly requestsInFlight: number
  /** Messages that wait for the handshake. */
  readonly queued: number
}

/** What `inspect` shows of discovery. */
export interface DiscoverySnapshot {
  readonly nodeIdHex: string
  readonly enr: string
  /** Nodes in the routing table. */
  readonly nodes: number
  readonly buckets: readonly {
    readonly distance: number
    readonly nodes: readonly { readonly nodeIdHex: string; readonly live: boolean; readonly failures: number }[]
  }[]
  readonly sessions: readonly SessionSnapshot[]
  readonly challenges: number
  readonly requestsInFlight: number
  readonly lookups: number
  readonly counters: Readonly<Record<DiscoveryCounter, number>>
}
