import { ComputePool } from 'spimpl-runtime/compute-pool'
import { type RunningNode, startNode } from '../node/node.ts'
import { chooseExecutor, type ExecutorChoice } from '../node/options/executors.ts'
import { SpimplError } from '../src/errors.ts'
import { makeChain } from '../src/history/chain-maker/chain-maker.ts'
import type { HistoryContentType } from '../src/history/content/content-key.ts'
import { type Block, loadBlocks } from '../src/history/headers/block-file.ts'
import { type Delivery, type Item, Progress, reportOf, retrievalTable } from './devnet-report.ts'
import { actorLog, openLog } from './logging.ts'
import type { DevnetOptions } from './options.ts'
import { EXIT_CODES, untilStopped } from './until-stopped.ts'

const MADE_BLOCKS = 8
const CHAIN_SEED = 1
const DEFAULT_RPC_PORT = 8545
/** Retrievals of one node in flight. */
const RETRIEVALS_AT_A_TIME = 4
const JOIN_TIMEOUT_MS = 20_000
const JOIN_POLL_MS = 50
const RETRIEVAL_TIMEOUT_MS = 120_000

/** `spimpl devnet`: a network in one process, each node a supervision tree of its own. Returns the exit code. */
export async function devnet(options: DevnetOptions): Promise<number> {
  const stopped = untilStopped()
  const begin = performance.now()
  const progress = new Progress(options.json ? undefined : process.stderr)
  const blocks =
    options.blocks === undefined
      ? makeChain({ seed: CHAIN_SEED, blocks: MADE_BLOCKS })
      : await loadBlocks(options.blocks)
  if (blocks.length === 0)
    throw new SpimplError('FILE_INVALID', `--blocks: expected files of blocks, found none in ${options.blocks}`)
  const items = itemsOf(blocks)
  const executor = await chooseExecutor(options.executor)
  if (executor.notice !== undefined) console.error(`spimpl: ${executor.notice}`)
  await using compute = new ComputePool()
  const nodes: RunningNode[] = []
  const stop = async (): Promise<void> => {
    progress.done()
    await Promise.all(nodes.map(node => node.stop()))
  }
  try {
    progress.say(`starting ${options.nodes} nodes`)
    for (let index = 0; index < options.nodes; index++) {
      nodes.push(await startOne(index, options, { blocks, executor, compute, first: nodes[0]?.enr }))
    }
    const work = (async () => {
      await joined(nodes, progress)
      await putAll(nodes[0]!, items, progress)
      return retrieveAll(nodes, items, progress)
    })()
    const deliveries = await Promise.race([work, stopped])
    if (typeof deliveries === 'string') {
      await stop()
      return EXIT_CODES[deliveries]
    }
    progress.done()
    const seconds = (performance.now() - begin) / 1000
    const report = reportOf({ nodes: nodes.length, items, deliveries, seconds, executor: executor.name })
    console.log(options.json ? JSON.stringify(report) : retrievalTable(items, deliveries, report))
    if (options.once) {
      await stop()
      return report.failed === 0 ? 0 : 1
    }
    console.error(`node 0 serves JSON-RPC at ${nodes[0]!.rpcUrl} (Ctrl-C ends the network)`)
    await stopped
    await stop()
    return 0
  } catch (error) {
    await stop()
    throw error
  }
}

async function startOne(
  index: number,
  options: DevnetOptions,
  shared: {
    readonly blocks: readonly Block[]
    readonly executor: ExecutorChoice
    readonly compute: ComputePool
    readonly first: string | undefined
  },
): Promise<RunningNode> {
  const { blocks, executor, compute, first } = shared
  const start = (rpcPort: number): Promise<RunningNode> =>
    startNode({
      name: `node-${index}`,
      udp: { host: '127.0.0.1' },
      headers: blocks,
      radius: { type: 'max' },
      bootnodes: first === undefined ? [] : [first],
      rpc: index === 0 ? { port: rpcPort } : undefined,
      compute,
      executor: executor.make(`node-${index}`),
      log: actorLog(openLog(options.logLevel)),
    })
  if (options.rpcPort !== undefined) return start(options.rpcPort)
  return start(DEFAULT_RPC_PORT).catch(error => {
    if (error instanceof SpimplError && error.code === 'ADDRESS_IN_USE') return start(0)
    throw error
  })
}

function itemsOf(blocks: readonly Block[]): Item[] {
  const item = (type: HistoryContentType, { number }: Block, bytes: Uint8Array): Item => ({
    name: `${type} of block ${number}`,
    key: { type, number },
    bytes,
  })
  return blocks.flatMap(block => [item('body', block, block.body), item('receipts', block, block.receipts)])
}

/** Waits until every node knows another one in the overlay. */
async function joined(nodes: readonly RunningNode[], progress: Progress): Promise<void> {
  const until = performance.now() + JOIN_TIMEOUT_MS
  for (;;) {
    const healths = await Promise.all(nodes.map(node => node.health({ timeoutMs: JOIN_TIMEOUT_MS })))
    const met = healths.map(health => Number(health.peers))
    progress.say(`nodes met by each: ${met.join(' ')}`)
    if (met.every(count => count > 0) && met[0]! >= Math.min(nodes.length - 1, 8)) return
    if (performance.now() > until) {
      throw new SpimplError(
        'REQUEST_TIMEOUT',
        `expected every node to meet another within ${JOIN_TIMEOUT_MS} ms, met: ${met.join(' ')}`,
      )
    }
    await new Promise(resolve => setTimeout(resolve, JOIN_POLL_MS))
  }
}

async function putAll(node: RunningNode, items: readonly Item[], progress: Progress): Promise<void> {
  for (const [index, item] of items.entries()) {
    const call = { timeoutMs: RETRIEVAL_TIMEOUT_MS }
    const { peerCount } = await node.history.put(item.key, item.bytes.slice(), call).catch(cause => {
      // The content of a file contradicts its header.
      if (!(cause instanceof SpimplError) || cause.code !== 'CONTENT_INVALID') throw cause
      throw new SpimplError('FILE_INVALID', `${item.name}: ${cause.message}`, { cause })
    })
    progress.say(`put ${index + 1} of ${items.length}: ${item.name}, offered to ${peerCount}`)
  }
}

/** Every node retrieves every item from the network. Node 0, which had them all from the start, comes last. */
async function retrieveAll(
  nodes: readonly RunningNode[],
  items: readonly Item[],
  progress: Progress,
): Promise<Delivery[]> {
  const deliveries: Delivery[] = []
  const total = nodes.length * items.length
  const work = async (node: RunningNode, index: number): Promise<void> => {
    const queue = [...items]
    const worker = async (): Promise<void> => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        const delivery = await retrieve(node, index, item)
        deliveries.push(delivery)
        const failed = deliveries.filter(({ failure }) => failure !== undefined).length
        progress.say(`retrieved ${deliveries.length} of ${total}, ${failed} failed: node ${index}, ${item.name}`)
      }
    }
    await Promise.all(Array.from({ length: RETRIEVALS_AT_A_TIME }, worker))
  }
  await Promise.all(nodes.slice(1).map((node, index) => work(node, index + 1)))
  await work(nodes[0]!, 0)
  return deliveries
}

/**
 * One retrieval from the network, even if the own store has the item. The content is validated, and compared with what
 * was put.
 */
async function retrieve(node: RunningNode, index: number, item: Item): Promise<Delivery> {
  const begin = performance.now()
  try {
    const found = await node.history.retrieve(item.key, { timeoutMs: RETRIEVAL_TIMEOUT_MS })
    const milliseconds = performance.now() - begin
    const same = Buffer.compare(found.content, item.bytes) === 0
    const { utpTransfer, queries } = found
    return {
      node: index,
      item,
      milliseconds,
      utpTransfer,
      hops: queries,
      failure: same ? undefined : 'different bytes',
    }
  } catch (error) {
    const failure = error instanceof SpimplError ? error.code : String(error)
    return { node: index, item, milliseconds: performance.now() - begin, utpTransfer: false, hops: 0, failure }
  }
}
