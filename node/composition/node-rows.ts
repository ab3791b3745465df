import { isIPv6 } from 'node:net'
import type { Behavior, Message, Ref, StartLimits } from 'spimpl-runtime'
import { discovery } from '../../actors/discovery.ts'
import type { DiscoveryMessage } from '../../actors/discovery-messages.ts'
import { events } from '../../actors/events.ts'
import { type OverlayMessage, overlay } from '../../actors/overlay.ts'
import type { Open } from '../../actors/resource.ts'
import { type RpcMessage, rpc } from '../../actors/rpc.ts'
import { type StorageMessage, storage } from '../../actors/storage.ts'
import { type StreamsMessage, streams } from '../../actors/streams.ts'
import { type TransportMessage, transport } from '../../actors/transport.ts'
import { type ValidationMessage, type ValidationRequest, validation } from '../../actors/validation.ts'
import { contentIdOfKey } from '../../src/history/content/content-id.ts'
import { MAX_CONTENT_BYTES } from '../../src/history/content/refusal.ts'
import { HISTORY_PROTOCOL } from '../../src/history/history.ts'
import type { Endpoint } from '../../src/transport/datagram.ts'
import { nodeApi } from '../api/node-api.ts'
import type { NodeOptions } from '../options/node-options.ts'
import { settingsOf } from '../options/node-settings.ts'
import { type NodePorts, type PortsMessage, ports } from '../ports/ports.ts'

/** The kernel's default (208 KiB) overflows under one fast stream. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024

/** A store whose capacity shrank evicts the excess before it is open: some 10 us for each item. */
const OPEN_STORE_TIMEOUT_MS = 600_000

/** What a sub-network is: its protocol, its keys and the size of its content. */
export interface Subnetwork {
  /** The `protocol` of its TALKREQ messages, for instance 0x5000. */
  readonly protocol: Uint8Array
  /** The content id of a key; undefined for bytes that are no key of this sub-network. */
  readonly contentId: (key: Uint8Array) => Uint8Array | undefined
  readonly maxItemBytes: number
}

/** The history network (history/history-network.md). */
export const HISTORY_SUBNETWORK: Subnetwork = {
  protocol: HISTORY_PROTOCOL,
  maxItemBytes: MAX_CONTENT_BYTES,
  contentId(key) {
    const id = contentIdOfKey(key)
    return id.ok ? id.value : undefined
  },
}

/** First calls in flight may end, then the network says good-bye and the store becomes durable: within 2 s together. */
export const PHASES = {
  network: { name: 'network', deadlineMs: 1300 },
  doors: { name: 'doors', deadlineMs: 600 },
} as const

/** How long JSON-RPC calls in flight may go on when the node stops. */
const RPC_SHUTDOWN_MS = PHASES.doors.deadlineMs - 100

/** The start values that rows are built from. */
interface AfterPorts {
  readonly ports: NodePorts
}

/**
 * The rows of a node, each by its name in `nodeComposition`: for compositions that take some of them.
 *
 * | row | owns | its start yields |
 * |---|---|---|
 * | ports | what the node opens itself: data directory, header source, threads | `NodePorts` |
 * | storage | the content store, the radius | the radius |
 * | validation | headers that were seen, what waits to be judged | |
 * | transport | the socket | the endpoint it is bound to |
 * | discovery | sessions, the routing table, the own record | |
 * | streams | which stream a packet belongs to; one `stream` actor each | |
 * | overlay | radii, offers, content lookups; one `transfer` actor each | |
 * | events | what programs around the node are told | |
 * | rpc | the HTTP and WebSocket listeners | the URL |
 */
export function nodeRows(options: NodeOptions = {}) {
  const settings = settingsOf(options)
  return {
    ports: {
      behavior: () => ports(settings),
      ready: (ref: Ref<PortsMessage>, within: StartLimits) => ref.ask(replyTo => ({ type: 'ports', replyTo }), within),
    },
    storage: {
      needs: ['ports'] as const,
      behavior: (_: unknown, { ports }: AfterPorts) =>
        closed<StorageMessage>(storage({ open: () => ports.openStore(settings.storage) })),
      timeoutMs: OPEN_STORE_TIMEOUT_MS,
      async ready(ref: Ref<StorageMessage>, within: StartLimits): Promise<bigint> {
        return (await ref.ask(replyTo => ({ type: 'snapshot', replyTo }), within)).radius
      },
    },
    validation: {
      needs: ['ports', 'storage'] as const,
      behavior: ({ storage }: { readonly storage: Ref<StorageMessage> }, { ports }: AfterPorts) =>
        validation({ headers: ports.headers, storage, compute: ports.validate }),
    },
    transport: {
      needs: ['ports'] as const,
      behavior: (_: unknown, { ports }: AfterPorts) =>
        closed<TransportMessage>(
          transport({ open: ports.openSocket, ...settings.udp, receiveBufferBytes: RECEIVE_BUFFER_BYTES }),
        ),
      async ready(ref: Ref<TransportMessage>, within: StartLimits): Promise<Endpoint> {
        return (await ref.ask(replyTo => ({ type: 'snapshot', replyTo }), within)).local
      },
    },
    discovery: {
      needs: ['ports', 'transport'] as const,
      behavior: (
        { transport }: { readonly transport: Ref<TransportMessage> },
        { ports, transport: local }: AfterPorts & { readonly transport: Endpoint },
      ) =>
        discovery({
          record: ports.record,
          crypto: ports.crypto,
          transport,
          adoptAddress: settings.adoptAddress,
          hasIpv6Alone: isIPv6(local.host) && local.host !== '::',
          bootstrap: ports.bootnodes,
        }),
    },
    streams: {
      needs: ['discovery'] as const,
      behavior: ({ discovery }: { readonly discovery: Ref<DiscoveryMessage> }) => streams({ discovery }),
    },
    overlay: subnetworkRow(HISTORY_SUBNETWORK),
    events: {
      needs: ['ports', 'storage', 'discovery'] as const,
      behavior: (
        watched: { readonly storage: Ref<StorageMessage>; readonly discovery: Ref<DiscoveryMessage> },
        { ports, storage: radius }: AfterPorts & { readonly storage: bigint },
      ) => {
        const { record, events: feed } = ports
        return events({ ...watched, record: record.current, radius, publish: event => feed.publish(event) })
      },
    },
    rpc: {
      needs: ['ports', 'storage', 'validation', 'transport', 'discovery', 'streams', 'overlay'] as const,
      behavior: (
        refs: {
          readonly storage: Ref<StorageMessage>
          readonly validation: Ref<ValidationMessage>
          readonly transport: Ref<TransportMessage>
          readonly discovery: Ref<DiscoveryMessage>
          readonly streams: Ref<StreamsMessage>
          readonly overlay: Ref<OverlayMessage>
        },
        { ports }: AfterPorts,
      ) => {
        const { records, listen } = ports
        const { host, port, methods } = settings.rpc
        const api = nodeApi(refs, ports)
        return closed<RpcMessage>(
          rpc({
            api,
            records,
            listen,
            host,
            port,
            methods: system => methods?.({ system, api, refs }) ?? [],
            shutdownMs: RPC_SHUTDOWN_MS,
          }),
        )
      },
      ready: (ref: Ref<RpcMessage>, within: StartLimits) => ref.ask(replyTo => ({ type: 'address', replyTo }), within),
    },
  }
}

/** The row of a sub-network: it shares discovery, streams, storage and validation with others. */
export function subnetworkRow({ protocol, contentId, maxItemBytes }: Subnetwork) {
  return {
    needs: ['ports', 'storage', 'validation', 'discovery', 'streams'] as const,
    behavior: (
      refs: {
        readonly storage: Ref<StorageMessage>
        readonly validation: Ref<ValidationRequest>
        readonly discovery: Ref<DiscoveryMessage>
        readonly streams: Ref<StreamsMessage>
      },
      { ports, storage: radius }: AfterPorts & { readonly storage: bigint },
    ) => {
      const { record, records, bootnodes, clientVersion } = ports
      return overlay({
        options: { protocol, contentId, records, clientInfo: clientVersion },
        record: record.current,
        radius,
        bootstrap: bootnodes,
        maxItemBytes,
        ...refs,
      })
    },
  }
}

/** Hides the message with which an actor opens its resource: only the actor itself sends it. */
const closed = <M extends Message>(behavior: Behavior<M | Open>): Behavior<M> => behavior as unknown as Behavior<M>
