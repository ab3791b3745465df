import { type ShutdownReport, SpimplError, type System } from 'spimpl-runtime'
import type { Endpoint } from '../src/transport/datagram.ts'
import { nodeApi } from './api/node-api.ts'
import { nodeComposition } from './composition/node-composition.ts'
import { chooseExecutor } from './options/executors.ts'
import type { NodeOptions } from './options/node-options.ts'
import type { NodePorts } from './ports/ports.ts'
import type { NodeParts, RunningNode } from './running-node.ts'

/**
 * Starts a Portal history node. Every option has a default (`NodeOptions`); the node closes what it opened itself.
 *
 * @throws SpimplError `CONFIG_INVALID` naming the option, `KEY_INVALID`, `FILE_INVALID`, `STORE_LOCKED`,
 * `ADDRESS_IN_USE`, `ADDRESS_INVALID`; nothing is left running then
 * @example
 * const node = await startNode({ dataDir: 'portal', headers: 'http://127.0.0.1:8545' })
 * console.log(node.enr)
 * const found = await node.history.get({ type: 'receipts', number: 15_537_394n })
 * await node.stop()
 */
export async function startNode(options: NodeOptions = {}): Promise<RunningNode> {
  const node = nodeComposition(options)
  const { name = 'node', executor = 'event-loop', randomness, log } = options
  const system = {
    name,
    executor: typeof executor === 'string' ? (await chooseExecutor(executor)).make(name) : executor,
    ...(randomness === undefined ? {} : { randomness }),
    ...(log === undefined ? {} : { log }),
  }
  try {
    if (options.rpc === undefined) return runningNode(await node.without('rpc').start(system), undefined)
    const running = await node.start(system)
    return runningNode(running, running.started.rpc)
  } catch (error) {
    // The caller knows nothing of rows: the port that is taken is the news.
    throw error instanceof SpimplError && error.code === 'START_FAILED' ? (error.cause ?? error) : error
  }
}

/** What `startNode` needs of the rows of a node that runs. */
interface RunningRows {
  readonly system: System
  readonly refs: NodeParts['refs']
  readonly started: { readonly ports: NodePorts; readonly transport: Endpoint }
  readonly terminated: Promise<ShutdownReport>
  stop(): Promise<ShutdownReport>
}

function runningNode(running: RunningRows, rpcUrl: string | undefined): RunningNode {
  const { system, refs, started, terminated } = running
  const { ports, transport: udp } = started
  const { record } = ports
  const api = nodeApi(refs, ports)
  return {
    ...api,
    get enr() {
      return record.current.text
    },
    get record() {
      return record.current
    },
    nodeId: record.current.nodeIdHex,
    udp,
    rpcUrl,
    headers: ports.headers,
    events: ports.events,
    parts: { system, api, refs },
    terminated,
    stop: () => running.stop(),
    async [Symbol.asyncDispose]() {
      await running.stop()
    },
  }
}
