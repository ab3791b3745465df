import { isIPv6 } from 'node:net'
import { type ShutdownReport, System } from 'spimpl-runtime'
import { discovery } from '../actors/discovery.ts'
import { overlay } from '../actors/overlay.ts'
import { rpc } from '../actors/rpc.ts'
import { storage } from '../actors/storage.ts'
import { streams } from '../actors/streams.ts'
import { startUnder, supervisor } from '../actors/supervisor.ts'
import { transport } from '../actors/transport.ts'
import { validation } from '../actors/validation.ts'
import { contentIdOfKey } from '../src/history/content/content-id.ts'
import { MAX_CONTENT_BYTES } from '../src/history/content/refusal.ts'
import { endpointEntries } from '../src/identity/publishable-record.ts'
import { RecordDecoder } from '../src/identity/record-decoder.ts'
import { nodeApi } from './api/node-api.ts'
import { overlayCall } from './api/overlay-call.ts'
import type { Found, NodeOptions, RunningNode } from './node-options.ts'
import { ownRecord } from './own-record.ts'

export type { Found, NodeOptions, NodeParts, RunningNode } from './node-options.ts'

/** The TALKREQ protocol of the history network (portal-wire-protocol.md, Protocol identifiers). */
const HISTORY_PROTOCOL = Uint8Array.of(0x50, 0x00)

/** The kernel's default (208 KiB) overflows under one fast stream. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024

const START_TIMEOUT_MS = 10_000

/** Where the capacity is smaller than before, a store lets go of what is too much before it is open: some 10 us for each item. */
const OPEN_STORE_TIMEOUT_MS = 600_000

/** First calls in flight may end, then the network says good-bye and the store becomes durable: within 2 s together. */
const PHASES = [
  { name: 'doors', deadlineMs: 600 },
  { name: 'network', deadlineMs: 1300 },
] as const

const SUPERVISION = {
  intensity: { restarts: 10, withinMs: 60_000 },
  backoff: { minMs: 50, maxMs: 5_000, jitter: 0.2 },
} as const

/**
 * A Portal history node: the supervision tree, in the order in which its actors start and stand on each other. When one of `network`
 * fails, it and those below it restart (rest-for-one), and tell those above them again that they are there. `rpc` stands on references
 * alone, which outlive restarts: no failure below closes its connections.
 *
 *     api  what JSON-RPC and programs call
 *
 * | supervisor | actor | owns |
 * |---|---|---|
 * | network | storage | the content store, the radius |
 * | | validation | headers, what waits to be judged |
 * | | transport | the socket |
 * | | discovery | sessions, the routing table, the own record |
 * | | streams | which stream a packet belongs to; one `stream` actor each |
 * | | overlay | radii, offers, content lookups; one `transfer` actor each |
 * | doors | rpc | the HTTP and WebSocket listeners |
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { crypto, chainId, headers, compute, clientVersion } = options
  const system = new System({
    name: options.name,
    // A supervisor fails when its children fail too often: then nothing is left but to end, and say so.
    supervision: { intensity: { restarts: 0, withinMs: 1 } },
    phases: PHASES,
    ...(options.executor === undefined ? {} : { executor: options.executor }),
    ...(options.log === undefined ? {} : { log: options.log }),
  })
  try {
    const record = ownRecord({ privateKey: options.privateKey, crypto, chainId, wallTimeMs: system.wallTime() })
    const { nodeId } = record.current
    const records = new RecordDecoder({ crypto })

    const network = system.spawn(supervisor({ strategy: 'rest-for-one', ...SUPERVISION }), {
      name: 'network',
      phase: 'network',
    })
    const doors = system.spawn(supervisor({ strategy: 'one-for-one', ...SUPERVISION }), {
      name: 'doors',
      phase: 'doors',
    })

    const open = () => options.openStore({ ...options.storage, nodeId })
    const storageRef = await startUnder(network, 'storage', storage({ open }))
    const validationRef = await startUnder(network, 'validation', validation({ headers, storage: storageRef, compute }))

    const socket = { open: options.openSocket, ...options.udp, receiveBufferBytes: RECEIVE_BUFFER_BYTES }
    const { radius } = await storageRef.ask(replyTo => ({ type: 'snapshot', replyTo }), {
      timeoutMs: OPEN_STORE_TIMEOUT_MS,
    })
    const transportRef = await startUnder(network, 'transport', transport(socket))
    const { local } = await transportRef.ask(replyTo => ({ type: 'snapshot', replyTo }), {
      timeoutMs: START_TIMEOUT_MS,
    })
    record.set(endpointEntries(await options.publish(local)))
    record.publish()

    const discoveryRef = await startUnder(
      network,
      'discovery',
      discovery({
        record,
        crypto,
        transport: transportRef,
        adoptAddress: options.adoptAddress,
        hasIpv6Alone: isIPv6(local.host) && local.host !== '::',
        bootstrap: options.bootstrap,
      }),
    )
    const streamsRef = await startUnder(network, 'streams', streams({ discovery: discoveryRef }))
    const overlayRef = await startUnder(
      network,
      'overlay',
      overlay({
        options: { protocol: HISTORY_PROTOCOL, contentId, records, clientInfo: clientVersion },
        record: record.current,
        radius,
        bootstrap: options.bootstrap,
        maxItemBytes: MAX_CONTENT_BYTES,
        discovery: discoveryRef,
        streams: streamsRef,
        storage: storageRef,
        validation: validationRef,
      }),
    )

    const refs = {
      storage: storageRef,
      validation: validationRef,
      transport: transportRef,
      discovery: discoveryRef,
      streams: streamsRef,
      overlay: overlayRef,
    }
    const api = nodeApi({ refs, clientVersion, localNodeId: nodeId, contentId, wallTime: () => system.wallTime() })
    const parts = { system, api, refs }
    let rpcUrl: string | undefined
    if (options.rpc !== undefined) {
      const { host, port, methods } = options.rpc
      const shutdownMs = PHASES[0].deadlineMs - 100
      const server = rpc({ api, records, host, port, methods: methods?.(parts) ?? [], shutdownMs })
      const rpcRef = await startUnder(doors, 'rpc', server)
      rpcUrl = await rpcRef.ask(replyTo => ({ type: 'address', replyTo }), { timeoutMs: START_TIMEOUT_MS })
    }

    const lookup = (key: Uint8Array, timeoutMs: number): Promise<Found> =>
      overlayCall(overlayRef, { type: 'lookup-content', key }, { timeoutMs, signal: AbortSignal.timeout(timeoutMs) }, [
        'found',
      ])
    const stop = async (): Promise<ShutdownReport> => {
      const report = await system.stop()
      await headers.close()
      return report
    }
    return { ...parts, record: () => record.current, udp: local, rpcUrl, lookup, stop }
  } catch (error) {
    await system.stop()
    await headers.close()
    throw error
  }
}

function contentId(key: Uint8Array): Uint8Array | undefined {
  const id = contentIdOfKey(key)
  return id.ok ? id.value : undefined
}
