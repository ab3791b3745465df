import { type Behavior, behavior, type Randomness, type ReplyTo } from 'spimpl-runtime'
import type { ActorsEvent } from '../../actors/events.ts'
import { type Open, onceOpen, Resource } from '../../actors/resource.ts'
import type { Cryptography } from '../../src/crypto/cryptography.ts'
import type { BlockHeader } from '../../src/history/headers/header.ts'
import type { HeaderAnswer, HeaderSource } from '../../src/history/headers/header-source.ts'
import type { NodeRecord } from '../../src/identity/node-record.ts'
import { endpointEntries, type PublishableRecord } from '../../src/identity/publishable-record.ts'
import { RecordDecoder } from '../../src/identity/record-decoder.ts'
import { RpcServer, type RpcServerOptions } from '../../src/rpc/rpc.ts'
import { type ContentStore, type ContentStoreOptions, openContentStore } from '../../src/store/store.ts'
import type { OpenDatagramSocket } from '../../src/transport/datagram.ts'
import { EventFeed } from '../event-feed.ts'
import type { NodeSettings } from '../options/node-settings.ts'
import { checkedPort } from '../options/option-checks.ts'
import { bootnodeRecords, cryptographyOf, headersOf, keyOf, openDirectory, validatorOf } from './open-ports.ts'
import { Opened } from './opened.ts'
import { ownRecord } from './own-record.ts'
import { onSamePort } from './same-port.ts'
import type { ValidateContent } from './validation-threads.ts'

/** The edges of a node: what its actors get from the world. Opened before them, closed after them. */
export interface NodePorts {
  readonly crypto: Cryptography
  /** The own record, which discovery keeps up to date. */
  readonly record: PublishableRecord
  /** Verifies records, and remembers what it verified. */
  readonly records: RecordDecoder
  readonly bootnodes: readonly NodeRecord[]
  readonly headers: HeaderSource
  readonly validate: ValidateContent
  readonly openStore: (options: Omit<ContentStoreOptions, 'nodeId'>) => Promise<ContentStore>
  /** Where the content database is kept; undefined: in memory. */
  readonly directory: string | undefined
  /** The name of the content database. */
  readonly database: string
  /** The endpoint of the first socket goes into the own record; later sockets take its port. */
  readonly openSocket: OpenDatagramSocket
  /** Later servers take the port of the first. */
  readonly listen: (options: RpcServerOptions) => Promise<RpcServer>
  readonly events: EventFeed<ActorsEvent>
  readonly clientVersion: string
  /** Milliseconds since the Unix epoch. */
  readonly wallTime: () => number
}

/** What the owner of the ports answers. */
export type PortsMessage =
  /** The ports, or why they could not be opened. */
  | { readonly type: 'ports'; readonly replyTo: ReplyTo<NodePorts> }
  /** A header, for rows on other threads, as `HeaderSource.headerByNumber` gives it. */
  | {
      readonly type: 'header'
      readonly number: bigint
      readonly doubted: BlockHeader | undefined
      readonly replyTo: ReplyTo<HeaderAnswer>
    }

/** Owns what a node opens itself: the lock of its data directory, the header source, the threads. */
export function ports(settings: NodeSettings): Behavior<PortsMessage> {
  const owner = behavior<PortsMessage | Open>(context => {
    const opened = new Opened()
    const { randomness } = context
    const resource = new Resource(() => openPorts(settings, { opened, randomness, wallTime: () => context.wallTime() }))
    context.onStop(async () => {
      resource.take()?.events.end()
      await opened.close()
    })
    return onceOpen<PortsMessage>(context, resource, {
      ports: ({ replyTo }) => resource.answer(replyTo, open => open),
      header({ number, doubted, replyTo }) {
        const { headers } = resource.get()
        headers.headerByNumber(number, undefined, doubted).then(answer => replyTo.tell(answer))
      },
    })
  })
  // The message that opens it is its own.
  return owner as unknown as Behavior<PortsMessage>
}

async function openPorts(
  settings: NodeSettings,
  {
    opened,
    randomness,
    wallTime,
  }: {
    readonly opened: Opened
    readonly randomness: Randomness
    readonly wallTime: () => number
  },
): Promise<NodePorts> {
  const { network } = settings
  const crypto = await cryptographyOf(settings)
  const bootnodes = bootnodeRecords(settings, crypto)
  const directory = await openDirectory(settings, opened)
  const headers = await headersOf(settings, opened)
  const privateKey = await keyOf(settings, { directory, crypto, randomness })
  const record = ownRecord({ privateKey, crypto, chainId: network.chainId, wallTimeMs: wallTime() })
  const { nodeId } = record.current
  // A block number names another block on each chain: what was valid on one must not be served on another.
  const name = network.name === 'mainnet' ? 'history' : `history-${network.name}`
  const place = { directory: directory?.path, name }
  const { openStore = options => openContentStore({ ...options, ...place }) } = settings
  let isPublished = false
  const openSocket: OpenDatagramSocket = async options => {
    const socket = checkedPort('openSocket', 'a DatagramSocket', await settings.openSocket(options), ['send', 'close'])
    if (isPublished) return socket
    try {
      record.set(endpointEntries(await settings.publish(socket.local)))
      record.publish()
      isPublished = true
      return socket
    } catch (error) {
      await socket.close()
      throw error
    }
  }
  return {
    crypto,
    record,
    records: new RecordDecoder({ crypto }),
    bootnodes,
    headers,
    validate: validatorOf(settings, opened),
    openStore: async options =>
      checkedPort('openStore', 'a ContentStore', await openStore({ ...options, nodeId }), ['get', 'put', 'close']),
    directory: place.directory,
    database: name,
    openSocket: onSamePort(openSocket, socket => socket.local.port),
    listen: onSamePort(
      options => RpcServer.listen(options),
      server => server.port,
    ),
    events: new EventFeed<ActorsEvent>(),
    clientVersion: settings.clientVersion,
    wallTime,
  }
}
