import { type Behavior, type Composition, composition, type RowOf, type SupervisorOptions } from 'spimpl-runtime'
import type { DiscoveryMessage } from '../../actors/discovery-messages.ts'
import type { EventsMessage } from '../../actors/events.ts'
import type { OverlayMessage } from '../../actors/overlay.ts'
import type { RpcMessage } from '../../actors/rpc.ts'
import type { StorageMessage } from '../../actors/storage.ts'
import type { StreamsMessage } from '../../actors/streams.ts'
import type { TransportMessage } from '../../actors/transport.ts'
import type { ValidationMessage } from '../../actors/validation.ts'
import type { Endpoint } from '../../src/transport/datagram.ts'
import type { NodeOptions } from '../options/node-options.ts'
import type { NodePorts, PortsMessage } from '../ports/ports.ts'
import { nodeRows, PHASES } from './node-rows.ts'

const SUPERVISION = {
  intensity: { restarts: 10, withinMs: 60_000 },
  backoff: { minMs: 50, maxMs: 5_000, jitter: 0.2 },
} as const satisfies SupervisorOptions

type Opened = 'ports' | 'storage' | 'validation' | 'transport'

/**
 * What the compiler knows of `nodeComposition`. Written out, because the inferred type repeats itself for each row: its
 * declaration would have 65 kB and name types that no door exports.
 */
export type NodeShape = {
  readonly rows: {
    readonly ports: NetworkRow<never, PortsMessage, NodePorts, never>
    readonly storage: NetworkRow<'ports', StorageMessage, bigint, 'ports'>
    readonly validation: NetworkRow<'ports' | 'storage', ValidationMessage, undefined, 'ports' | 'storage'>
    readonly transport: NetworkRow<'ports', TransportMessage, Endpoint, 'ports' | 'storage' | 'validation'>
    readonly discovery: NetworkRow<'ports' | 'transport', DiscoveryMessage, undefined, Opened>
    readonly streams: NetworkRow<'discovery', StreamsMessage, undefined, Opened | 'discovery'>
    readonly overlay: NetworkRow<
      'ports' | 'storage' | 'validation' | 'discovery' | 'streams',
      OverlayMessage,
      undefined,
      Opened | 'discovery' | 'streams'
    >
    readonly events: NetworkRow<
      'ports' | 'storage' | 'discovery',
      EventsMessage,
      undefined,
      Opened | 'discovery' | 'streams' | 'overlay'
    >
    readonly rpc: RowOf<Opened | 'discovery' | 'streams' | 'overlay', Behavior<RpcMessage>, string, 'doors', never>
  }
  readonly supervisors: { readonly node: never; readonly network: 'node'; readonly doors: 'node' | 'network' }
  readonly current: 'doors'
}

/** The composition of a node, for functions that take or return one. */
export type NodeComposition = Composition<NodeShape>

type NetworkRow<Needs extends string, M extends { readonly type: string }, Started, Elders extends string> = RowOf<
  Needs,
  Behavior<M>,
  Started,
  'network',
  Elders
>

/**
 * A Portal history node as a composition: the rows in the order in which they start and stand on each other. If a row
 * of `network` fails, it and the rows that need it restart, and tell those above them again that they are there. `rpc`
 * stands on references alone, which outlive restarts: no failure below closes its connections.
 *
 * Nothing is opened before it starts. Leave rows out, replace or add some, or place them on a lane, then start it;
 * `startNode` starts it as it is. The options `name`, `executor`, `randomness` and `log` are those of the system: give
 * them to `start`.
 *
 * @throws SpimplError `CONFIG_INVALID` naming the option, what was expected and what was received
 * @example
 * const node = nodeComposition({ dataDir: 'portal', headers: 'http://127.0.0.1:8545' })
 * console.log(`${node}`)
 * const { refs, stop } = await node.without('rpc').start()
 */
export function nodeComposition(options: NodeOptions = {}): NodeComposition {
  const rows = nodeRows(options)
  // Not returned at once: the compiler would infer the supervisor of the last row from the result.
  const node = composition('node')
    .supervisor('network', { strategy: 'rest-for-one', ...SUPERVISION, phase: PHASES.network })
    .with('ports', rows.ports)
    .with('storage', rows.storage)
    .with('validation', rows.validation)
    .with('transport', rows.transport)
    .with('discovery', rows.discovery)
    .with('streams', rows.streams)
    .with('overlay', rows.overlay)
    .with('events', rows.events)
    .supervisor('doors', { strategy: 'one-for-one', ...SUPERVISION, phase: PHASES.doors })
    .with('rpc', rows.rpc)
  return node
}
