import { fileURLToPath } from 'node:url'
import { type Executor, type LogSink, type Randomness, systemRandomness } from 'spimpl-runtime'
import type { Cryptography } from '../src/crypto/cryptography.ts'
import { nodeCryptography } from '../src/crypto/node-cryptography.ts'
import { SpimplError } from '../src/errors.ts'
import { HeaderTable } from '../src/history/headers/header-directory.ts'
import type { HeaderSource } from '../src/history/headers/header-source.ts'
import { openHeaderSource } from '../src/history/headers/open-header-source.ts'
import { isPrivateKey, newPrivateKey } from '../src/identity/keys.ts'
import { type NodeRecord, parseRecord } from '../src/identity/node-record.ts'
import {
  type ContentStore,
  type ContentStoreOptions,
  DataDirectory,
  openContentStore,
  type RadiusSetting,
} from '../src/store/store.ts'
import type { Endpoint, OpenDatagramSocket } from '../src/transport/datagram.ts'
import { openDatagramSocket } from '../src/transport/node-dgram.ts'
import { clientVersion } from './client-version.ts'
import { chooseExecutor, withAddon } from './executors.ts'
import { NETWORKS, type PortalNetwork } from './networks.ts'
import { noHeaders } from './no-headers.ts'
import type { NodeOptions } from './node-options.ts'
import type { Opened } from './opened.ts'
import { checkOptions, DEFAULT_UDP_HOST } from './option-checks.ts'
import { onPool, type ValidateContent, ValidationThreads } from './validation-threads.ts'

const DEFAULT_STORAGE_BYTES = 1000 * 1024 * 1024
const DEFAULT_RPC = { host: '127.0.0.1', port: 8545 } as const

/** `NodeOptions` with every default in place, and everything open that a node must not fail to open later. */
export interface NodeSettings {
  readonly name: string
  readonly network: PortalNetwork
  readonly privateKey: Uint8Array
  readonly crypto: Cryptography
  readonly headers: HeaderSource
  readonly validate: ValidateContent
  readonly bootnodes: readonly NodeRecord[]
  readonly udp: Endpoint
  readonly publish: (local: Endpoint) => Endpoint | Promise<Endpoint>
  readonly adoptAddress: boolean
  readonly openSocket: OpenDatagramSocket
  readonly openStore: (options: ContentStoreOptions) => Promise<ContentStore>
  readonly storage: { readonly capacityBytes: number; readonly radius: RadiusSetting }
  readonly rpc: (Endpoint & Pick<NonNullable<NodeOptions['rpc']>, 'methods'>) | undefined
  readonly clientVersion: string
  readonly executor: Executor
  readonly randomness: Randomness
  readonly log: LogSink | undefined
}

/**
 * Checks the options and fills in the defaults.
 *
 * @param opened gets what is opened here
 * @throws SpimplError `CONFIG_INVALID`, `KEY_INVALID`, `FILE_INVALID`, `STORE_LOCKED`
 */
export async function settingsOf(options: NodeOptions, opened: Opened): Promise<NodeSettings> {
  checkOptions(options)
  const { name = 'node', udp = {}, publish, openSocket = openDatagramSocket } = options
  const { randomness = systemRandomness(), crypto = await defaultCryptography() } = options
  const network = typeof options.network === 'object' ? options.network : NETWORKS[options.network ?? 'mainnet']
  const bootnodes = recordsOf(options.bootnodes ?? network.bootnodes, crypto)
  const directory = await openDirectory(options.dataDir, opened)
  const host = udp.host ?? DEFAULT_UDP_HOST
  return {
    name,
    network,
    privateKey: await keyOf(options.privateKey, directory, crypto, randomness),
    crypto,
    headers: await headersOf(options.headers, opened),
    validate: validatorOf(options.compute, opened),
    bootnodes,
    udp: { host, port: udp.port ?? 0 },
    publish: typeof publish === 'function' ? publish : local => endpointToPublish(publish, local),
    adoptAddress: options.adoptAddress ?? (publish === undefined && isEveryAddress(host)),
    openSocket,
    openStore:
      options.openStore ??
      (store => openContentStore({ ...store, directory: directory?.path, name: storeName(network) })),
    storage: {
      capacityBytes: options.storageBytes ?? DEFAULT_STORAGE_BYTES,
      radius: options.radius ?? { type: 'auto' },
    },
    rpc: options.rpc && { ...DEFAULT_RPC, ...definedOnly(options.rpc) },
    clientVersion: options.clientVersion ?? clientVersion(),
    executor: await executorOf(options.executor ?? 'event-loop', name),
    randomness,
    log: options.log,
  }
}

/** node:crypto, with the ciphers of the addon if it is installed. */
export async function defaultCryptography(): Promise<Cryptography> {
  const native = await withAddon(import('../src/crypto/native-cryptography.ts'))
  return native === undefined ? nodeCryptography : native.nativeCryptography(nodeCryptography)
}

async function executorOf(executor: NonNullable<NodeOptions['executor']>, label: string): Promise<Executor> {
  return typeof executor === 'string' ? (await chooseExecutor(executor)).make(label) : executor
}

function recordsOf(bootnodes: readonly (NodeRecord | string)[], crypto: Cryptography): readonly NodeRecord[] {
  return bootnodes.map(node => {
    if (typeof node !== 'string') return node
    const record = parseRecord(node, crypto)
    if (record.ok) return record.value
    throw new SpimplError('CONFIG_INVALID', `bootnodes: expected node records (enr:...), got ${node}: ${record.detail}`)
  })
}

async function openDirectory(dataDir: NodeOptions['dataDir'], opened: Opened): Promise<DataDirectory | undefined> {
  if (typeof dataDir !== 'string') return dataDir
  const directory = await DataDirectory.open(dataDir)
  opened.add(() => directory.close())
  return directory
}

/** The key that was given, or else that of the data directory, or else a new one. It is judged before it is written. */
async function keyOf(
  given: Uint8Array | undefined,
  directory: DataDirectory | undefined,
  crypto: Cryptography,
  randomness: Randomness,
): Promise<Uint8Array> {
  const expected = 'expected a private key between 1 and the order of secp256k1'
  if (given !== undefined && !isPrivateKey(given, crypto)) {
    throw new SpimplError('KEY_INVALID', `privateKey: ${expected}`)
  }
  const generate = (): Uint8Array => newPrivateKey(randomness, crypto)
  if (directory === undefined) return given ?? generate()
  const key = await directory.loadOrCreateKey(generate, given)
  if (isPrivateKey(key, crypto)) return key
  throw new SpimplError('FILE_INVALID', `${directory.keyFile}: ${expected}`)
}

async function headersOf(headers: NodeOptions['headers'], opened: Opened): Promise<HeaderSource> {
  if (headers === undefined) return noHeaders
  if (typeof headers === 'string' || headers instanceof URL) {
    const isFile = headers instanceof URL && headers.protocol === 'file:'
    const source = await openHeaderSource(isFile ? fileURLToPath(headers) : String(headers))
    opened.add(() => source.close())
    return source
  }
  if ('headerByNumber' in headers) return headers
  return new HeaderTable(
    [...headers].map(block => ('header' in block ? block.header : block)),
    'the option headers',
  )
}

function validatorOf(compute: NodeOptions['compute'], opened: Opened): ValidateContent {
  if (typeof compute === 'function') return compute
  if (compute !== undefined) return onPool(compute)
  const threads = new ValidationThreads()
  opened.add(() => threads.close())
  return threads.validate
}

const isEveryAddress = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** If all addresses are bound, loopback stands in the record until peers say what they see: nodes of one machine meet at once. */
function endpointToPublish(address: string | undefined, { host, port }: Endpoint): Endpoint {
  if (address !== undefined) return { host: address, port }
  if (host === '0.0.0.0') return { host: '127.0.0.1', port }
  return { host: host === '::' ? '::1' : host, port }
}

/** A block number names another block on each chain: what was valid on one must not be served on another. */
const storeName = ({ name }: PortalNetwork): string => (name === 'mainnet' ? 'history' : `history-${name}`)

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> }

/** Without the members that are undefined, which would hide a default. */
function definedOnly<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>
}
