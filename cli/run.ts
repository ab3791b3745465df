import type { Logger } from 'pino'
import { systemRandomness } from 'spimpl-runtime'
import { type RunningNode, startNode } from '../node/node.ts'
import { SpimplError } from '../src/errors.ts'
import { HeaderTable } from '../src/history/headers/header-directory.ts'
import type { HeaderSource } from '../src/history/headers/header-source.ts'
import { openHeaderSource } from '../src/history/headers/open-header-source.ts'
import { isPrivateKey, newPrivateKey } from '../src/identity/keys.ts'
import { type NodeRecord, parseRecord } from '../src/identity/node-record.ts'
import { DataDirectory, openContentStore } from '../src/store/store.ts'
import type { Endpoint } from '../src/transport/datagram.ts'
import { CHAIN_IDS, DEFAULT_BOOTNODES } from './bootnodes.ts'
import { ComputeThreads, chooseExecutor, clientVersion, cryptography, openSocket, testHooks } from './composition.ts'
import { checkHeaders } from './header-check.ts'
import { actorLog, openLog } from './logging.ts'
import type { Network, RunOptions } from './options.ts'
import { untilStopped } from './until-stopped.ts'

/** `spimpl run`: a node until a signal. Returns the exit code. */
export async function run(options: RunOptions): Promise<number> {
  const log = openLog(options.logLevel)
  const stopped = untilStopped()
  await using compute = new ComputeThreads()
  const directory = options.dataDir === undefined ? undefined : await DataDirectory.open(options.dataDir)
  const stopping = new AbortController()
  try {
    const headers = await openHeaders(options)
    const node = await start(options, { directory, compute, headers, log })
    ready(options, node, log)
    if (options.headers?.type === 'url') void checkHeaders(headers, options.network, log, stopping.signal)
    const ended = await Promise.race([stopped, node.system.terminated])
    stopping.abort()
    if (typeof ended === 'string') log.info({ signal: ended }, 'stopping')
    else log.fatal({ err: ended.failure }, 'the supervision tree gave up')
    const report = await node.stop()
    for (const path of report.late) log.warn({ actor: path }, 'did not stop in time')
    log.info('stopped')
    return typeof ended === 'string' ? 0 : 1
  } finally {
    await directory?.close()
  }
}

async function start(
  options: RunOptions,
  parts: {
    readonly directory: DataDirectory | undefined
    readonly compute: ComputeThreads
    readonly headers: HeaderSource
    readonly log: Logger
  },
): Promise<RunningNode> {
  const { directory, compute, headers, log } = parts
  const privateKey = await nodeKey(options, directory)
  if (directory === undefined) log.warn('no --data-dir: key and content are in memory and go with this process')
  if (options.headers === undefined) log.warn('no --headers: nothing can be validated, so nothing is stored or served')
  const executor = chooseExecutor(options.executor)
  if (executor.notice !== undefined) log.info(executor.notice)
  log.info({ executor: executor.name, version: clientVersion }, 'starting')
  const node = await startNode({
    name: 'node',
    privateKey,
    crypto: cryptography,
    chainId: CHAIN_IDS[options.network],
    udp: options.udp,
    publish: local => endpointToPublish(options, local),
    adoptAddress: options.nat.type === 'none' && (options.udp.host === '0.0.0.0' || options.udp.host === '::'),
    openSocket,
    openStore: store => openContentStore({ ...store, directory: directory?.path, name: storeName(options.network) }),
    storage: { capacityBytes: options.storageBytes, radius: options.radius },
    headers,
    compute: compute.validate,
    executor: executor.make('node'),
    bootstrap: bootnodesOf(options),
    rpc: { ...options.rpc, methods: testHooks },
    clientVersion,
    log: actorLog(log),
  })
  return node
}

/** A block number names another block on each chain: what was valid on one must not be served on another. */
const storeName = (network: Network): string => (network === 'mainnet' ? 'history' : `history-${network}`)

/** The key that the user gives, else that of the data directory, else a new one. It is judged before it is written. */
async function nodeKey({ privateKey: given }: RunOptions, directory: DataDirectory | undefined): Promise<Uint8Array> {
  const expected = 'expected a private key between 1 and the order of secp256k1'
  if (given !== undefined && !isPrivateKey(given, cryptography)) {
    throw new SpimplError('KEY_INVALID', `--private-key: ${expected}`)
  }
  const generate = (): Uint8Array => newPrivateKey(systemRandomness(), cryptography)
  if (directory === undefined) return given ?? generate()
  const key = await directory.loadOrCreateKey(generate, given)
  if (isPrivateKey(key, cryptography)) return key
  throw new SpimplError('FILE_INVALID', `${directory.keyFile}: ${expected}`)
}

/**
 * What the user says, else the address that is bound. Where that is all of them, loopback stands in the record until peers say what
 * they see: so nodes of one machine find each other at once.
 */
function endpointToPublish({ nat }: RunOptions, { host, port }: Endpoint): Endpoint {
  if (nat.type === 'extip') return { host: nat.address, port }
  if (host === '0.0.0.0') return { host: '127.0.0.1', port }
  return { host: host === '::' ? '::1' : host, port }
}

async function openHeaders({ headers }: RunOptions): Promise<HeaderSource> {
  if (headers === undefined) return new HeaderTable([], 'a node without --headers')
  return openHeaderSource(headers.type === 'url' ? headers.url : headers.path)
}

function bootnodesOf({ bootnodes, network }: RunOptions): readonly NodeRecord[] {
  if (bootnodes === 'none') return []
  const texts = bootnodes === 'default' ? DEFAULT_BOOTNODES[network] : bootnodes
  return texts.map(text => {
    const record = parseRecord(text, cryptography)
    if (record.ok) return record.value
    throw new SpimplError('USAGE', `--bootnodes: expected a node record, got ${text}: ${record.detail}`)
  })
}

function ready(options: RunOptions, node: RunningNode, log: Logger): void {
  const { text, nodeIdHex } = node.record()
  if (options.json) {
    console.log(JSON.stringify({ ready: true, enr: text, nodeId: nodeIdHex, udp: node.udp, rpc: node.rpcUrl }))
    return
  }
  console.log(`enr      ${text}`)
  console.log(`node id  ${nodeIdHex}`)
  console.log(`udp      ${node.udp.host}:${node.udp.port}`)
  console.log(`rpc      ${node.rpcUrl}`)
  log.info('ready')
}
