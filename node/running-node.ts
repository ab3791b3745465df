import type { ActorSystem, Ref, ShutdownReport, System } from 'spimpl-runtime'
import type { ActorsEvent } from '../actors/events.ts'
import type { StreamsMessage } from '../actors/streams.ts'
import type { TransportMessage } from '../actors/transport.ts'
import type { HeaderSource } from '../src/history/headers/header-source.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import type { NodeApi } from '../src/rpc/rpc.ts'
import type { Endpoint } from '../src/transport/datagram.ts'
import type { NodeRefs } from './api/node-asks.ts'
import type { EventsDropped } from './event-feed.ts'

/** What a node tells the program around it. */
export type NodeEvent = ActorsEvent | EventsDropped

/** The inside of a node: its actor system, and the references of its actors. */
export interface NodeParts {
  readonly system: ActorSystem
  readonly api: NodeApi
  readonly refs: NodeRefs & { readonly transport: Ref<TransportMessage>; readonly streams: Ref<StreamsMessage> }
}

/**
 * A node whose actors have all started.
 *
 * @example
 * const node = await startNode({ headers: 'http://127.0.0.1:8545' })
 * const body = await node.history.get({ type: 'body', number: 22_431_084n })
 * await node.stop()
 */
export interface RunningNode extends NodeApi, AsyncDisposable {
  /** The own record as it is now, as text: what another node takes as a bootnode. */
  readonly enr: string
  /** `0x` and 64 hexadecimal digits. */
  readonly nodeId: string
  /** The own record as it is now. */
  readonly record: NodeRecord
  /** The endpoint that the UDP socket is bound to. */
  readonly udp: Endpoint
  /** Where JSON-RPC is served; undefined without the option `rpc`. */
  readonly rpcUrl: string | undefined
  /** Where its headers come from. */
  readonly headers: HeaderSource
  /**
   * Events from the beginning of each `for await` on. A loop that is more than 1,024 events behind loses the oldest and
   * sees `events-dropped` in their place. Loops end when the node has stopped.
   */
  readonly events: AsyncIterable<NodeEvent>
  /** The inside: for inspection, drills, and programs that talk to the actors themselves. */
  readonly parts: NodeParts & { readonly system: System }
  /**
   * Settles when the node has stopped and closed what it opened, by `stop` or because its supervision gave up
   * (`failure`).
   */
  readonly terminated: Promise<ShutdownReport>
  /**
   * Stops the actors in the order of their phases, within 2 s, and closes what the node opened itself. A second call
   * waits for the same end.
   */
  stop(): Promise<ShutdownReport>
}
