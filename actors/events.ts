import { behavior, type Ref } from 'spimpl-runtime'
import { equalBytes } from '../src/codec/bytes.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import type { Endpoint } from '../src/transport/datagram.ts'
import type { DiscoveryMessage, NetworkEvent } from './discovery-messages.ts'
import type { ContentChange, RadiusChanged, StorageMessage } from './storage.ts'

/** What happened in a node, as its callers see it. */
export type ActorsEvent =
  /** A session with this node was established, or a newer record of it arrived. */
  | { readonly type: 'node-met'; readonly record: NodeRecord }
  /** The own record was published anew. */
  | { readonly type: 'record-changed'; readonly record: NodeRecord }
  /** The own record names other UDP endpoints than before, because peers see us there or because somebody set them. */
  | {
      readonly type: 'address-changed'
      readonly endpoint4: Endpoint | undefined
      readonly endpoint6: Endpoint | undefined
    }
  /** An item was stored, durably, or had to make room. */
  | ContentChange
  /** The distance up to which the node wants content: 0 to 2^256 - 1. */
  | RadiusChanged

/** What the watcher of a node is told. */
export type EventsMessage = NetworkEvent | ContentChange | RadiusChanged

export interface EventsOptions {
  readonly discovery: Ref<DiscoveryMessage>
  readonly storage: Ref<StorageMessage>
  /** The own record and the radius at the start: events are changes of these. */
  readonly record: NodeRecord
  readonly radius: bigint
  readonly publish: (event: ActorsEvent) => void
}

/**
 * Watches the other actors for the programs around the node. If one of them restarts, this actor restarts with it and
 * watches again.
 */
export function events(options: EventsOptions) {
  const { discovery, storage, publish } = options
  let { record, radius } = options

  return behavior<EventsMessage>(context => {
    discovery.tell({ type: 'watch-network', watcher: context.self })
    storage.tell({ type: 'watch-radius', watcher: context.self })
    storage.tell({ type: 'watch-content', watcher: context.self })
    return {
      'node-met': publish,
      // Both are told at once when the watch begins: only a change is an event.
      'record-changed'(event) {
        if (equalBytes(event.record.bytes, record.bytes)) return
        const before = record
        record = event.record
        publish(event)
        const { endpoint4, endpoint6 } = record
        if (isSame(endpoint4, before.endpoint4) && isSame(endpoint6, before.endpoint6)) return
        publish({ type: 'address-changed', endpoint4, endpoint6 })
      },
      'radius-changed'(event) {
        if (event.radius === radius) return
        radius = event.radius
        publish(event)
      },
      'content-stored': publish,
      'content-evicted': publish,
    }
  })
}

const isSame = (a: Endpoint | undefined, b: Endpoint | undefined): boolean => a?.host === b?.host && a?.port === b?.port
