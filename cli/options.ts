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

/** The options of `spimpl run`, parsed. */
export interface RunOptions {
  /** Undefined: key and content are kept in memory, and lost when the process ends. */
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

/** The options of `spimpl devnet`, parsed. */
export interface DevnetOptions {
  readonly nodes: number
  /** A directory of block files (YAML). Undefined: a chain is generated. */
  readonly blocks: string | undefined
  readonly once: boolean
  readonly json: boolean
  /** Undefined: 8545, or a free port if 8545 is taken. A port that the user gives must be free. */
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
  dataDir: flag(
    'data-dir',
    'dir',
    text('a directory'),
    'where to keep key and content; without it, both are in memory',
  ),
  udpHost: flag('udp-host', 'address', address(), 'the address to bind for UDP', '0.0.0.0'),
  udpPort: flag('udp-port', 'port', port(), 'the UDP port; 0 picks a free one', '9009'),
  rpcHost: flag('rpc-host', 'host', hostName(), 'the address to serve JSON-RPC on', '127.0.0.1'),
  rpcPort: flag('rpc-port', 'port', port(), 'the port to serve JSON-RPC on; 0 picks a free one', '8545'),
  bootnodes: flag(
    'bootnodes',
    'enrs',
    bootnodes(),
    'none, default, or node records (enr:...) separated by commas',
    'default',
  ),
  privateKey: {
    ...flag(
      'private-key',
      'hex|@file',
      privateKey(),
      'the private key: 64 hexadecimal digits, or @ and a file that holds them',
    ),
    secret: true as const,
  },
  network: flag(
    'network',
    'network',
    choice<NetworkName>('mainnet', 'sepolia', 'hoodi'),
    'the chain: mainnet, sepolia or hoodi',
    'mainnet',
  ),
  radius: flag('radius', 'radius', radius(), 'which content to keep: auto, max, or a distance (0x...)', 'auto'),
  storageMb: flag('storage-mb', 'mb', integer(0, MAX_STORAGE_MB), 'how much content to keep, in mebibytes', '1000'),
  headers: flag(
    'headers',
    'dir|file|url',
    headers(),
    'where block headers come from: YAML files, or the URL of an execution client',
  ),
  executor,
  nat: flag('nat', 'nat', nat(), 'none, or extip:ADDRESS, the address that the node record publishes', 'none'),
  logLevel,
  json: flag('json', undefined, yesOrNo(), 'print one line of JSON when the node is ready', 'false'),
}

const DEVNET_FLAGS = {
  nodes: flag('nodes', 'n', integer(2, MAX_DEVNET_NODES), 'how many nodes to run', '8'),
  blocks: flag('blocks', 'dir', text('a directory'), 'real blocks (YAML files); without it, a chain is generated'),
  once: flag(
    'once',
    undefined,
    yesOrNo(),
    'exit when every node has retrieved every item; 0 only if all were valid',
    'false',
  ),
  json: flag('json', undefined, yesOrNo(), 'print the report as one line of JSON', 'false'),
  rpcPort: flag(
    'rpc-port',
    'port',
    port(),
    'the JSON-RPC port of node 0 (default: 8545, or a free port if it is taken)',
  ),
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
    ...flag(
      'private-key',
      'hex|@file',
      privateKeyText(),
      'the key to sign with; without it, a new key is made and printed',
    ),
    secret: true as const,
  },
  seq: flag('seq', 'n', uint64(), 'the sequence number (default: 1)'),
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
  const description = 'Runs a network of nodes in one process and moves blocks through it'
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
    description: 'Shows the content of a node record (EIP-778), and whether its signature is valid',
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
    description: 'Prints the lifecycles of sessions, streams and actors as Mermaid state diagrams',
    argument: { name: '[name]', description: 'session, stream or child; without it, all of them' },
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

/** Peers could not reach a node whose record has an address of a family that its socket does not bind. */
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
  // The error does not show the content: it may be most of a key.
  throw new SpimplError(
    'USAGE',
    `--private-key: expected 64 hexadecimal digits in ${file}, got ${content.trim().length} characters`,
  )
}
