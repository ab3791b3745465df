import type { Executor, LogSink, Randomness } from 'spimpl-runtime'
import type { ComputePool } from 'spimpl-runtime/compute-pool'
import type { Cryptography } from '../../src/crypto/cryptography.ts'
import type { BlockHeader } from '../../src/history/headers/header.ts'
import type { HeaderSource } from '../../src/history/headers/header-source.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import type { Method } from '../../src/rpc/rpc.ts'
import type { ContentStore, ContentStoreOptions, DataDirectory, RadiusSetting } from '../../src/store/store.ts'
import type { Endpoint, OpenDatagramSocket } from '../../src/transport/datagram.ts'
import type { ValidateContent } from '../ports/validation-threads.ts'
import type { NodeParts } from '../running-node.ts'
import type { ExecutorName } from './executors.ts'
import type { NetworkName, PortalNetwork } from './networks.ts'

/**
 * What a node is made of. Everything has a default: `startNode()` is a mainnet node with its key and its content in
 * memory, on a free UDP port, without JSON-RPC. Without headers it joins the network, but stores and serves nothing.
 *
 * The node closes what it opened itself (data directory, header source, threads). What is passed in stays the caller's
 * to close.
 */
export interface NodeOptions {
  /** The name of its actor system, which logs and system tools show. Default `node`. */
  readonly name?: string | undefined
  /** The chain. Default `mainnet`. */
  readonly network?: NetworkName | PortalNetwork | undefined
  /**
   * Where block headers come from, which content is validated against: the http or https URL of an execution client, a
   * directory of block files (YAML) or one such file, blocks or headers themselves, or a `HeaderSource`. Without
   * headers nothing is stored or served, and `history.put` rejects with HEADER_UNAVAILABLE.
   */
  readonly headers?: string | URL | HeaderSource | Iterable<BlockHeader | { readonly header: BlockHeader }> | undefined
  /**
   * Nodes to join through: records, or their text. Default: those of `network`; an empty list waits for others to come.
   */
  readonly bootnodes?: readonly (NodeRecord | string)[] | undefined
  /**
   * A directory for key and content, locked while the node runs. A directory passed open stays open. Default: both are
   * in memory. Rejects with STORE_LOCKED if another process has it.
   */
  readonly dataDir?: string | DataDirectory | undefined
  /**
   * 32 bytes. Default: the key of the data directory, or a new one. Rejects with KEY_INVALID for a number that is no
   * key, with CONFIG_INVALID for another length.
   */
  readonly privateKey?: Uint8Array | undefined
  /** What the UDP socket binds. Default: host `0.0.0.0`, and port 0, which takes a free one. */
  readonly udp?: { readonly host?: string | undefined; readonly port?: number | undefined } | undefined
  /**
   * The endpoint for the first record: an address at which peers reach this node, or a function of the bound endpoint.
   * Default: the bound address; if that is all addresses, loopback until peers say where they see this node.
   */
  readonly publish?: string | ((local: Endpoint) => Endpoint | Promise<Endpoint>) | undefined
  /**
   * Whether the address that peers see replaces that of the record. Default: only if all addresses are bound and
   * `publish` is left out.
   */
  readonly adoptAddress?: boolean | undefined
  /**
   * Serves JSON-RPC over HTTP and WebSocket. Default: not at all; `{}` is 127.0.0.1, port 8545. Port 0 takes a free
   * one.
   */
  readonly rpc?:
    | {
        readonly host?: string | undefined
        readonly port?: number | undefined
        /** Further methods beside those of the specification. */
        readonly methods?: ((node: NodeParts) => readonly Method[]) | undefined
      }
    | undefined
  /** How much content is kept, in bytes. Default 1,048,576,000 (1,000 MiB). */
  readonly storageBytes?: number | undefined
  /** Which content is wanted. Default `{ type: 'auto' }`: everything until the store is full, then what is closest. */
  readonly radius?: RadiusSetting | undefined
  /** How the node names itself to peers and in JSON-RPC. Default: `spimpl/` version, platform and Node version. */
  readonly clientVersion?: string | undefined
  /** Default: errors go to the console. */
  readonly log?: LogSink | undefined

  /**
   * What runs the queues, and with it the clock. Default `event-loop`. An executor that is passed in serves this node
   * alone.
   */
  readonly executor?: ExecutorName | Executor | undefined
  /** Default: that of the system. */
  readonly randomness?: Randomness | undefined
  /** Default: node:crypto with libsecp256k1 or noble, and the native addon's ciphers if it is installed. */
  readonly crypto?: Cryptography | undefined
  /** Default: node:dgram. */
  readonly openSocket?: OpenDatagramSocket | undefined
  /** Default: LMDB in the data directory, or memory. The node closes the store that this returns. */
  readonly openStore?: ((options: ContentStoreOptions) => Promise<ContentStore>) | undefined
  /** Where large content is validated: a pool, or a function that runs a job. Default: threads of the node's own. */
  readonly compute?: Pick<ComputePool, 'run'> | ValidateContent | undefined
}
