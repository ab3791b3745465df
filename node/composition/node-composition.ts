import { composition, type SupervisorOptions } from 'spimpl-runtime'
import type { NodeOptions } from '../options/node-options.ts'
import { nodeRows, PHASES } from './node-rows.ts'

const SUPERVISION = {
  intensity: { restarts: 10, withinMs: 60_000 },
  backoff: { minMs: 50, maxMs: 5_000, jitter: 0.2 },
} as const satisfies SupervisorOptions

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
export function nodeComposition(options: NodeOptions = {}) {
  const rows = nodeRows(options)
  return composition('node')
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
}
