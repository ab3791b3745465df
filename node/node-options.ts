import type { Executor, LogSink, Ref, ShutdownReport, System } from 'spimpl-runtime'
import type { StreamsMessage } from '../actors/streams.ts'
import type { TransportMessage } from '../actors/transport.ts'
import type { Cryptography } from '../src/crypto/cryptography.ts'
import type { Result } from '../src/errors.ts'
import type { ContentSummary } from '../src/history/content/content.ts'
import type { HeaderSource } from '../src/history/headers/header-source.ts'
import type { ValidationJob } from '../src/history/validation/validation-task.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import type { CallResult } from '../src/portal/portal.ts'
import type { Method, NodeApi } from '../src/rpc/rpc.ts'
import type { ContentStore, ContentStoreOptions } from '../src/store/content-store.ts'
import type { Endpoint, OpenDatagramSocket } from '../src/transport/datagram.ts'
import type { NodeRefs } from './api/node-asks.ts'

/**
 * What a node is composed of: its key, its ports (socket, store, header source, compute) and whom it knows. Nothing
 * has a default here; the command line has.
 */
export interface NodeOptions {
  readonly name: string
  /** 32 bytes. */
  readonly privateKey: Uint8Array
  readonly crypto: Cryptography
  readonly chainId: bigint
  readonly udp: Endpoint
  /** The endpoint that the first record says, by the one that is bound. */
  readonly publish: (local: Endpoint) => Endpoint | Promise<Endpoint>
  /** Whether the address that peers see replaces it. */
  readonly adoptAddress: boolean
  readonly openSocket: OpenDatagramSocket
  readonly openStore: (options: ContentStoreOptions) => Promise<ContentStore>
  readonly storage: Pick<ContentStoreOptions, 'capacityBytes' | 'radius'>
  readonly headers: HeaderSource
  readonly compute: (job: ValidationJob) => Promise<Result<ContentSummary>>
  readonly bootstrap: readonly NodeRecord[]
  /** Left out: no JSON-RPC. */
  readonly rpc:
    | { readonly host: string; readonly port: number; readonly methods?: (node: NodeParts) => readonly Method[] }
    | undefined
  readonly clientVersion: string
  readonly executor?: Executor
  readonly log?: LogSink
}

/** What a method that looks inside gets. */
export interface NodeParts {
  readonly system: System
  readonly api: NodeApi
  readonly refs: NodeRefs & { readonly transport: Ref<TransportMessage>; readonly streams: Ref<StreamsMessage> }
}

/** A node whose actors have all started. `stop` ends it in the order of its phases and closes the header source. */
export interface RunningNode extends NodeParts {
  readonly record: () => NodeRecord
  readonly udp: Endpoint
  /** The URL of JSON-RPC. */
  readonly rpcUrl: string | undefined
  /** Finds content in the network, whether the own store has it or not. Rejects with CONTENT_NOT_FOUND and its like. */
  lookup(key: Uint8Array, timeoutMs: number): Promise<Found>
  stop(): Promise<ShutdownReport>
}

/** Content that the network had, by whom, and what it took to find it. */
export type Found = Extract<CallResult, { readonly type: 'found' }>
