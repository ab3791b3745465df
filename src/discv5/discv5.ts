/**
 * Node Discovery v5.1 (devp2p, discv5/) as a core: datagrams and requests in, datagrams and outcomes out. The core
 * itself is `core.ts`; its inputs and outputs are `messages.ts`; everything that it waits for is in `deadlines.ts`.
 *
 *     wire      packets, messages, the bytes of a handshake, addresses
 *     sessions  keys, challenges and handshakes; packets are opened and sealed here
 *     asking    requests and their answers, lookups, rate limits
 *     table     the routing table, liveness checks, bootstrap, the vote on our own address
 */
export { Discv5 } from './core.ts'
export type { DiscoveryCounter } from './counters.ts'
export type { DiscoveryLimits } from './limits.ts'
export type { DiscoveryInput, DiscoveryOutput, TalkToken } from './messages.ts'
export type { DiscoveryOptions } from './options.ts'
export type { DiscoverySnapshot, SessionSnapshot } from './snapshot.ts'
