import type { ContentStoreOptions } from '../../src/store/store.ts'
import type { Endpoint, OpenDatagramSocket } from '../../src/transport/datagram.ts'
import { openDatagramSocket } from '../../src/transport/node-dgram.ts'
import { clientVersion } from './client-version.ts'
import { NETWORKS, type PortalNetwork } from './networks.ts'
import type { NodeOptions } from './node-options.ts'
import { checkOptions, DEFAULT_UDP_HOST } from './option-checks.ts'

const DEFAULT_STORAGE_BYTES = 1000 * 1024 * 1024
const DEFAULT_RPC = { host: '127.0.0.1', port: 8545 } as const

/** `NodeOptions` with the defaults in place. Nothing is open yet. */
export interface NodeSettings
  extends Pick<NodeOptions, 'headers' | 'dataDir' | 'privateKey' | 'crypto' | 'openStore' | 'compute'> {
  readonly network: PortalNetwork
  readonly bootnodes: NonNullable<NodeOptions['bootnodes']>
  readonly udp: Endpoint
  readonly publish: (local: Endpoint) => Endpoint | Promise<Endpoint>
  readonly adoptAddress: boolean
  readonly openSocket: OpenDatagramSocket
  readonly storage: Pick<ContentStoreOptions, 'capacityBytes' | 'radius'>
  readonly rpc: Endpoint & Pick<NonNullable<NodeOptions['rpc']>, 'methods'>
  readonly clientVersion: string
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws SpimplError `CONFIG_INVALID` naming the option, what was expected and what was received
 */
export function settingsOf(options: NodeOptions): NodeSettings {
  checkOptions(options)
  const { publish, udp, rpc, headers, dataDir, privateKey, crypto, openStore, compute } = options
  const network = typeof options.network === 'object' ? options.network : NETWORKS[options.network ?? 'mainnet']
  const host = udp?.host ?? DEFAULT_UDP_HOST
  return {
    headers,
    dataDir,
    privateKey,
    crypto,
    openStore,
    compute,
    network,
    bootnodes: options.bootnodes ?? network.bootnodes,
    udp: { host, port: udp?.port ?? 0 },
    publish: typeof publish === 'function' ? publish : local => endpointToPublish(publish, local),
    adoptAddress: options.adoptAddress ?? (publish === undefined && isEveryAddress(host)),
    openSocket: options.openSocket ?? openDatagramSocket,
    storage: {
      capacityBytes: options.storageBytes ?? DEFAULT_STORAGE_BYTES,
      radius: options.radius ?? { type: 'auto' },
    },
    rpc: { host: rpc?.host ?? DEFAULT_RPC.host, port: rpc?.port ?? DEFAULT_RPC.port, methods: rpc?.methods },
    clientVersion: options.clientVersion ?? clientVersion(),
  }
}

const isEveryAddress = (host: string): boolean => host === '0.0.0.0' || host === '::'

/**
 * If all addresses are bound, loopback stands in the record until peers say what they see: nodes of one machine meet at
 * once.
 */
function endpointToPublish(address: string | undefined, { host, port }: Endpoint): Endpoint {
  if (address !== undefined) return { host: address, port }
  if (host === '0.0.0.0') return { host: '127.0.0.1', port }
  return { host: host === '::' ? '::1' : host, port }
}
