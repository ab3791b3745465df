import { isIP } from 'node:net'
import type { z } from 'zod'
import type { ExecutorName } from '../node/options/executors.ts'
import type { NetworkName } from '../node/options/networks.ts'
import { SpimplError } from '../src/errors.ts'
import type { RadiusSetting } from '../src/store/radius.ts'
import type { NewEnrOptions } from './enr.ts'
import {
  type CommandHead,
  type CommandInput,
  type Environment,
  type Flag,
  type FlagTable,
  type ReadFile,
  readCommand,
} from './flag.ts'
import {
  address,
  type BootnodesSetting,
  bootnodes,
  choice,
  type HeadersSetting,
  headers,
  hostName,
  integer,
  keyInFile,
  type NatSetting,
  nat,
  port,
  privateKey,
  privateKeyText,
  radius,
  recordAddress,
  recordPort,
  text,
  uint64,
  yesOrNo,
} from './flag-values.ts'

export { type Environment, HelpRequested, type ReadFile } from './flag.ts'
export type { BootnodesSetting, HeadersSetting, NatSetting } from './flag-values.ts'

const MEBIBYTE = 1024 * 1024
const MAX_STORAGE_MB = 16 * 1024 * 1024
const MAX_DEVNET_NODES = 64

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** What `spimpl run` does, with nothing left to parse. */
export interface RunOptions {
  /** Undefined: store and key live in memory and go with the process. */
  readonly dataDir: string | undefined
  readonly udp: { readonly host: string; readonly port: number }
  readonly rpc: { readonly host: string; readonly port: number }
  readonly bootnodes: BootnodesSetting
  /** 32 bytes, as `--private-key` gave them. */
  readonly privateKey: Uint8Array | undefined
  readonly network: NetworkName
  readonly radius: RadiusSetting
  readonly storageBytes: number
  readonly headers: HeadersSetting | undefined
  readonly executor: ExecutorName
  readonly nat: NatSetting
  readonly logLevel: LogLevel
  readonly json: boolean
}

/** What `spimpl devnet` does. */
export interface DevnetOptions {
  readonly nodes: number
  /** A directory of block YAML; undefined: a chain is made. */
  readonly blocks: string | undefined
  readonly once: boolean
  readonly json: boolean
  /** Undefined: 8545, or a free port where it is taken. A port that was asked for must be free. */
  readonly rpcPort: number | undefined
  readonly executor: ExecutorName
  readonly logLevel: LogLevel
}

function flag<T>(
  name: string,
  argument: string | undefined,
  schema: z.ZodType<T, string>,
  description: string,
  fallback: string,
): Flag<T>
function flag<T>(name: string, argument: string, schema: z.ZodType<T, string>, description: string): Flag<T | undefined>
function flag<T>(
  name: string,
  argument: string | undefined,
  schema: z.ZodType<T, string>,
  description: string,
  fallback?: string,
): Flag<T> {
  return { name, argument, schema, description, fallback }
}

const executor = flag(
  'executor',
  'executor',
  choice<ExecutorName>('auto', 'event-loop', 'dispatch'),
  'what runs the queues: auto, event-loop or dispatch',
  'auto',
)
const logLevel = flag(
  'log-level',
  'level',
  choice<LogLevel>('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  'trace, debug, info, warn, error, fatal or silent',
  'info',
)

const RUN_FLAGS = {
  dataDir: flag('data-dir', 'dir', text('a directory'), 'where key and content are kept; without it, in memory'),
  udpHost: flag('udp-host', 'address', address(), 'the address to bind for discovery', '0.0.0.0'),
  udpPort: flag('udp-port', 'port', port(), 'the port for discovery; 0 takes a free one', '9009'),
  rpcHost: flag('rpc-host', 'host', hostName(), 'the address to serve JSON-RPC on', '127.0.0.1'),
  rpcPort: flag('rpc-port', 'port', port(), 'the port to serve JSON-RPC on; 0 takes a free one', '8545'),
  bootnodes: flag('bootnodes', 'enrs', bootnodes(), 'none, default, or records with commas between them', 'default'),
  privateKey: {
    ...flag('private-key', 'hex|@file', privateKey(), 'the key of the node, or a file that holds it'),
    secret: true as const,
  },
  network: flag(
    'network',
    'network',
    choice<NetworkName>('mainnet', 'sepolia', 'hoodi'),
    'the chain: mainnet, sepolia or hoodi',
    'mainnet',
  ),
  radius: flag('radius', 'radius', radius(), 'auto, max, or a distance as 0x and hexadecimal digits', 'auto'),
  storageMb: flag('storage-mb', 'mb', integer(0, MAX_STORAGE_MB), 'how much content to keep, in mebibytes', '1000'),
  headers: flag('headers', 'dir|file|url', headers(), 'block headers: YAML, or the JSON-RPC of an execution client'),
  executor,
  nat: flag('nat', 'nat', nat(), 'none, or extip:ADDRESS to publish in the record', 'none'),
  logLevel,
  json: flag(
    'json',
    undefined,
    yesOrNo(),
    'print one line of JSON when the node serves; log to standard error',
    'false',
  ),
}

const DEVNET_FLAGS = {
  nodes: flag('nodes', 'n', integer(2, MAX_DEVNET_NODES), 'how many nodes', '8'),
  blocks: flag('blocks', 'dir', text('a directory'), 'real blocks as YAML; without it, a chain is made'),
  once: flag(
    'once',
    undefined,
    yesOrNo(),
    'exit when every node has every item, 0 only if all were validated',
    'false',
  ),
  json: flag('json', undefined, yesOrNo(), 'print one report as a line of JSON', 'false'),
  rpcPort: flag('rpc-port', 'port', port(), 'JSON-RPC of node 0; 8545 or a free one unless said otherwise'),
  executor,
  logLevel,
}

const JSON_FLAGS = { json: flag('json', undefined, yesOrNo(), 'print one line of JSON', 'false') }

const COMPOSITION_FLAGS = {
  mermaid: flag('mermaid', undefined, yesOrNo(), 'print a Mermaid flowchart instead of a table', 'false'),
  ...JSON_FLAGS,
}

const NEW_ENR_FLAGS = {
  privateKey: {
    ...flag('private-key', 'hex|@file', privateKeyText(), 'the key to sign with; without it, one is made and printed'),
    secret: true as const,
  },
  seq: flag('seq', 'n', uint64(), 'the sequence number'),
  ip: flag('ip', 'address', recordAddress(4), 'IPv4 address'),
  udp: flag('udp', 'port', recordPort(), 'UDP port'),
  tcp: flag('tcp', 'port', recordPort(), 'TCP port'),
  ip6: flag('ip6', 'address', recordAddress(16), 'IPv6 address'),
  udp6: flag('udp6', 'port', recordPort(), 'UDP port for IPv6'),
  tcp6: flag('tcp6', 'port', recordPort(), 'TCP port for IPv6'),
  network: flag(
    'network',
    'network',
    choice<NetworkName>('mainnet', 'sepolia', 'hoodi'),
    'announce the Portal Network of mainnet, sepolia or hoodi',
  ),
  ...JSON_FLAGS,
}

const TABLES: readonly FlagTable[] = [RUN_FLAGS, DEVNET_FLAGS, COMPOSITION_FLAGS, NEW_ENR_FLAGS]
const ALL_NAMES: ReadonlySet<string> = new Set(TABLES.flatMap(table => Object.values(table).map(flag => flag.name)))

const readKnown = <F extends FlagTable>(head: CommandHead, table: F, input: CommandInput) =>
  readCommand({ ...head, elsewhere: ALL_NAMES }, table, input)

/**
 * @param argv what follows `run`
 * @throws HelpRequested for --help; SpimplError USAGE or CONFIG_INVALID, which mean exit code 2
 */
export function parseRunOptions(argv: readonly string[], env: Environment, readFile: ReadFile): RunOptions {
  const description = 'Runs a Portal history node'
  const { flags: given } = readKnown({ name: 'spimpl run', description }, RUN_FLAGS, { argv, env, readFile })
  const { dataDir, udpHost, udpPort, rpcHost, rpcPort, storageMb, privateKey, ...rest } = given
  checkNat(rest.nat, udpHost)
  return {
    ...rest,
    dataDir,
    headers: rest.headers,
    udp: { host: udpHost, port: udpPort },
    rpc: { host: rpcHost, port: rpcPort },
    storageBytes: storageMb * MEBIBYTE,
    privateKey: privateKey?.type === 'file' ? readKeyFile(privateKey.path, readFile) : privateKey?.bytes,
  }
}

/** As `parseRunOptions`, for what follows `devnet`. */
export function parseDevnetOptions(argv: readonly string[], env: Environment, readFile: ReadFile): DevnetOptions {
  const description = 'Runs a network of nodes in this process and moves blocks through it'
  const { flags: given } = readKnown({ name: 'spimpl devnet', description }, DEVNET_FLAGS, { argv, env, readFile })
  return { ...given, blocks: given.blocks, rpcPort: given.rpcPort }
}

/** As `parseRunOptions`, for what follows `enr new`. */
export function parseNewEnrOptions(
  argv: readonly string[],
  env: Environment,
  readFile: ReadFile,
): NewEnrOptions & { readonly json: boolean } {
  const description = 'Makes and signs a node record (EIP-778)'
  return readKnown({ name: 'spimpl enr new', description }, NEW_ENR_FLAGS, { argv, env, readFile }).flags
}

/** As `parseRunOptions`, for what follows `enr decode`. */
export function parseDecodeEnrOptions(
  argv: readonly string[],
  env: Environment,
  readFile: ReadFile,
): { readonly enr: string; readonly json: boolean } {
  const head = {
    name: 'spimpl enr decode',
    description: 'Says what is in a node record (EIP-778), and whether its signature is right',
    argument: { name: '<enr>', description: 'the record as text (enr:...)' },
  }
  const { flags, argument } = readKnown(head, JSON_FLAGS, { argv, env, readFile })
  return { enr: argument ?? '', json: flags.json }
}

/** As `parseRunOptions`, for what follows `machines`. */
export function parseMachinesOptions(
  argv: readonly string[],
  env: Environment,
  readFile: ReadFile,
): { readonly name: string | undefined; readonly json: boolean } {
  const head = {
    name: 'spimpl machines',
    description: 'Draws the lifecycles as Mermaid state diagrams, from the machines that run',
    argument: { name: '[name]', description: 'session, stream or child; all of them without it' },
  }
  const { flags, argument } = readKnown(head, JSON_FLAGS, { argv, env, readFile })
  return { name: argument, json: flags.json }
}

/** As `parseRunOptions`, for what follows `composition`. */
export function parseCompositionOptions(
  argv: readonly string[],
  env: Environment,
  readFile: ReadFile,
): { readonly mermaid: boolean; readonly json: boolean } {
  const description =
    'Prints the actors of a node: supervisors, rows in the order of their start, and what each row needs'
  return readKnown({ name: 'spimpl composition', description }, COMPOSITION_FLAGS, { argv, env, readFile }).flags
}

/** An address of a family that the socket does not have would be published, and nobody would reach the node. */
function checkNat(nat: NatSetting, udpHost: string): void {
  if (nat.type === 'none' || udpHost === '::' || isIP(nat.address) === isIP(udpHost)) return
  throw new SpimplError(
    'USAGE',
    `--nat: expected an IPv${isIP(udpHost)} address, as --udp-host ${udpHost} is one, got "extip:${nat.address}"; --udp-host :: has both`,
  )
}

function readKeyFile(file: string, readFile: ReadFile): Uint8Array {
  let content: string
  try {
    content = readFile(file)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SpimplError('USAGE', `--private-key: expected a readable file, got @${file}: ${reason}`, { cause })
  }
  const key = keyInFile(content)
  if (key !== undefined) return key
  // Not the content: it may be most of a key.
  throw new SpimplError(
    'USAGE',
    `--private-key: expected 64 hexadecimal digits in ${file}, got ${content.trim().length} characters`,
  )
}
