import { isIPv6 } from 'node:net'
import { type ShutdownReport, System } from 'spimpl-runtime'
import { discovery } from '../actors/discovery.ts'
import { type ActorsEvent, events } from '../actors/events.ts'
import { overlay } from '../actors/overlay.ts'
import { rpc } from '../actors/rpc.ts'
import { storage } from '../actors/storage.ts'
import { streams } from '../actors/streams.ts'
import { transport } from '../actors/transport.ts'
import { validation } from '../actors/validation.ts'
import { contentIdOfKey } from '../src/history/content/content-id.ts'
import { MAX_CONTENT_BYTES } from '../src/history/content/refusal.ts'
import { HISTORY_PROTOCOL } from '../src/history/history.ts'
import { endpointEntries } from '../src/identity/publishable-record.ts'
import { RecordDecoder } from '../src/identity/record-decoder.ts'
import { Arguments } from './api/arguments.ts'
import { nodeApi } from './api/node-api.ts'
import { EventFeed } from './event-feed.ts'
import type { NodeOptions } from './node-options.ts'
import { type NodeSettings, settingsOf } from './node-settings.ts'
import { Opened } from './opened.ts'
import { ownRecord } from './own-record.ts'
import type { NodeParts, RunningNode } from './running-node.ts'
import { startUnder, supervisor } from './supervisor.ts'

/** The kernel's default (208 KiB) overflows under one fast stream. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024

const START_TIMEOUT_MS = 10_000

/** A store whose capacity shrank evicts the excess before it is open: some 10 us for each item. */
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
 * Starts a Portal history node. Every option has a default (`NodeOptions`); the node closes what it opened itself.
 *
 * @throws SpimplError `CONFIG_INVALID` naming the option, `KEY_INVALID`, `FILE_INVALID`, `STORE_LOCKED`, `ADDRESS_IN_USE`,
 * `ADDRESS_INVALID`; nothing is left running then
 * @example
 * const node = await startNode({ dataDir: 'portal', headers: 'http://127.0.0.1:8545' })
 * console.log(node.enr)
 * const found = await node.history.get({ type: 'receipts', number: 15_537_394n })
 * await node.stop()
 */
export async function startNode(options: NodeOptions = {}): Promise<RunningNode> {
  const opened = new Opened()
  try {
    return await started(await settingsOf(options, opened), opened)
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function started(settings: NodeSettings, opened: Opened): Promise<RunningNode> {
  const { crypto, headers, bootnodes } = settings
  const system = new System({
    name: settings.name,
    // A supervisor fails when its children fail too often: then nothing is left but to end, and say so.
    supervision: { intensity: { restarts: 0, withinMs: 1 } },
    phases: PHASES,
    executor: settings.executor,
    randomness: settings.randomness,
    ...(settings.log === undefined ? {} : { log: settings.log }),
  })
  try {
    const { privateKey, network: chain } = settings
    const record = ownRecord({ privateKey, crypto, chainId: chain.chainId, wallTimeMs: system.wallTime() })
    const { nodeId, nodeIdHex } = record.current
    const records = new RecordDecoder({ crypto })
    const feed = new EventFeed<ActorsEvent>()

    const network = system.spawn(supervisor({ strategy: 'rest-for-one', ...SUPERVISION }), {
      name: 'network',
      phase: 'network',
    })
    const doors = system.spawn(supervisor({ strategy: 'one-for-one', ...SUPERVISION }), {
      name: 'doors',
      phase: 'doors',
    })

    const open = () => settings.openStore({ ...settings.storage, nodeId })
    const storageRef = await startUnder(network, 'storage', storage({ open }))
    const validationRef = await startUnder(
      network,
      'validation',
      validation({ headers, storage: storageRef, compute: settings.validate }),
    )

    const socket = { open: settings.openSocket, ...settings.udp, receiveBufferBytes: RECEIVE_BUFFER_BYTES }
    const { radius } = await storageRef.ask(replyTo => ({ type: 'snapshot', replyTo }), {
      timeoutMs: OPEN_STORE_TIMEOUT_MS,
    })
    const transportRef = await startUnder(network, 'transport', transport(socket))
    const { local } = await transportRef.ask(replyTo => ({ type: 'snapshot', replyTo }), {
      timeoutMs: START_TIMEOUT_MS,
    })
    record.set(endpointEntries(await settings.publish(local)))
    record.publish()

    const discoveryRef = await startUnder(
      network,
      'discovery',
      discovery({
        record,
        crypto,
        transport: transportRef,
        adoptAddress: settings.adoptAddress,
        hasIpv6Alone: isIPv6(local.host) && local.host !== '::',
        bootstrap: bootnodes,
      }),
    )
    const streamsRef = await startUnder(network, 'streams', streams({ discovery: discoveryRef }))
    const overlayRef = await startUnder(
      network,
      'overlay',
      overlay({
        options: { protocol: HISTORY_PROTOCOL, contentId, records, clientInfo: settings.clientVersion },
        record: record.current,
        radius,
        bootstrap: bootnodes,
        maxItemBytes: MAX_CONTENT_BYTES,
        discovery: discoveryRef,
        streams: streamsRef,
        storage: storageRef,
        validation: validationRef,
      }),
    )
    const publish = (event: ActorsEvent): void => feed.publish(event)
    const watched = { discovery: discoveryRef, storage: storageRef, record: record.current, radius, publish }
    await startUnder(network, 'events', events(watched))

    const refs = {
      storage: storageRef,
      validation: validationRef,
      transport: transportRef,
      discovery: discoveryRef,
      streams: streamsRef,
      overlay: overlayRef,
    }
    const api = nodeApi({
      refs,
      clientVersion: settings.clientVersion,
      localNodeId: nodeIdHex,
      args: new Arguments(records),
      wallTime: () => system.wallTime(),
    })
    const parts: NodeParts = { system, api, refs }
    let rpcUrl: string | undefined
    if (settings.rpc !== undefined) {
      const { host, port, methods } = settings.rpc
      const shutdownMs = PHASES[0].deadlineMs - 100
      const server = rpc({ api, records, host, port, methods: methods?.(parts) ?? [], shutdownMs })
      const rpcRef = await startUnder(doors, 'rpc', server)
      rpcUrl = await rpcRef.ask(replyTo => ({ type: 'address', replyTo }), { timeoutMs: START_TIMEOUT_MS })
    }

    const terminated = system.terminated.then(async (report): Promise<ShutdownReport> => {
      feed.end()
      await opened.close()
      return report
    })
    const stop = (): Promise<ShutdownReport> => {
      void system.stop()
      return terminated
    }
    return {
      ...api,
      get enr() {
        return record.current.text
      },
      get record() {
        return record.current
      },
      nodeId: nodeIdHex,
      udp: local,
      rpcUrl,
      headers,
      events: feed,
      parts,
      terminated,
      stop,
      async [Symbol.asyncDispose]() {
        await stop()
      },
    }
  } catch (error) {
    await system.stop()
    throw error
  }
}

function contentId(key: Uint8Array): Uint8Array | undefined {
  const id = contentIdOfKey(key)
  return id.ok ? id.value : undefined
}
