import type { Logger } from 'pino'
import { type RunningNode, startNode } from '../node/node.ts'
import { clientVersion } from '../node/options/client-version.ts'
import { chooseExecutor } from '../node/options/executors.ts'
import { NETWORKS } from '../node/options/networks.ts'
import { SpimplError } from '../src/errors.ts'
import { checkHeaders } from './header-check.ts'
import { actorLog, openLog } from './logging.ts'
import type { RunOptions } from './options.ts'
import { testHooks } from './test-hooks.ts'
import { untilStopped } from './until-stopped.ts'

/** `spimpl run`: a node until a signal. Returns the exit code. */
export async function run(options: RunOptions): Promise<number> {
  const log = openLog(options.logLevel)
  const stopped = untilStopped()
  const stopping = new AbortController()
  const node = await start(options, log)
  ready(options, node, log)
  if (options.headers?.type === 'url') {
    void checkHeaders(node.headers, NETWORKS[options.network], log, stopping.signal)
  }
  const ended = await Promise.race([stopped, node.terminated])
  stopping.abort()
  if (typeof ended === 'string') log.info({ signal: ended }, 'stopping')
  else log.fatal({ err: ended.failure }, 'stopped: an actor failed too often')
  const report = await node.stop()
  for (const path of report.late) log.warn({ actor: path }, 'an actor did not stop in time')
  log.info('stopped')
  return typeof ended === 'string' ? 0 : 1
}

async function start(options: RunOptions, log: Logger): Promise<RunningNode> {
  const { headers, nat, bootnodes } = options
  if (options.dataDir === undefined)
    log.warn('no --data-dir: key and content are in memory, and lost when this process ends')
  if (headers === undefined) log.warn('no --headers: content cannot be validated, so nothing is stored or served')
  const executor = await chooseExecutor(options.executor)
  if (executor.notice !== undefined) log.info(executor.notice)
  log.info({ executor: executor.name, version: clientVersion() }, 'starting')
  const started = startNode({
    network: options.network,
    dataDir: options.dataDir,
    privateKey: options.privateKey,
    headers: headers?.type === 'url' ? headers.url : headers?.path,
    bootnodes: bootnodes === 'default' ? undefined : bootnodes === 'none' ? [] : bootnodes,
    udp: options.udp,
    publish: nat.type === 'extip' ? nat.address : undefined,
    rpc: { ...options.rpc, methods: testHooks },
    storageBytes: options.storageBytes,
    radius: options.radius,
    executor: executor.make('node'),
    log: actorLog(log),
  })
  return started.catch(error => {
    throw withFlag(error)
  })
}

/** Flags that `startNode` has as options: its errors begin with the name of the option that is wrong. */
const FLAG_OF_OPTION: ReadonlyMap<string, string> = new Map([
  ['privateKey', '--private-key'],
  ['bootnodes', '--bootnodes'],
  ['headers', '--headers'],
  ['dataDir', '--data-dir'],
  ['publish', '--nat'],
])

/** An error about an option of `startNode`, in the words of the command line. */
function withFlag(error: unknown): unknown {
  const [, option, rest] = error instanceof SpimplError ? (/^(\w+): (.*)$/s.exec(error.message) ?? []) : []
  const flag = FLAG_OF_OPTION.get(option ?? '')
  if (flag === undefined) return error
  const { code } = error as SpimplError
  return new SpimplError(code, `${flag}: ${rest}`, { cause: error })
}

function ready(options: RunOptions, node: RunningNode, log: Logger): void {
  const { enr, nodeId, udp, rpcUrl } = node
  if (options.json) {
    console.log(JSON.stringify({ ready: true, enr, nodeId, udp, rpc: rpcUrl }))
    return
  }
  console.log(`enr      ${enr}`)
  console.log(`node id  ${nodeId}`)
  console.log(`udp      ${udp.host}:${udp.port}`)
  console.log(`rpc      ${rpcUrl}`)
  log.info('ready')
}
