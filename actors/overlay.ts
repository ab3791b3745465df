import { behavior, lend, type Ref, type ReplyTo } from 'spimpl-runtime'
import { PendingCalls } from 'spimpl-runtime/core'
import { SpimplError } from '../src/errors.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import {
  type CallResult,
  Overlay,
  type OverlayCall,
  type OverlayInput,
  type OverlayOptions,
  type OverlayOutput,
  type OverlaySnapshot,
  type TransferEvent,
  type TransferOrder,
} from '../src/portal/portal.ts'
import { driveCore, type Timeout } from './core-driver.ts'
import type { DiscoveryMessage, NetworkEvent, TalkOutcome, TalkRequested } from './discovery-messages.ts'
import type { RadiusChanged, StorageAnswer, StorageMessage } from './storage.ts'
import type { StreamsMessage } from './streams.ts'
import { type TransferMessage, transfer } from './transfer.ts'
import type { ValidationRequest, Verdict } from './validation.ts'

/** What the overlay of a sub-network is told and asked. */
export type OverlayMessage =
  | Timeout
  | TalkRequested
  | TalkOutcome
  | NetworkEvent
  | RadiusChanged
  | StorageAnswer
  | Verdict
  | TransferEvent
  | Extract<OverlayInput, { readonly type: 'bootstrap' | 'cancel' }>
  /**
   * Answered with the result, or with the failure as a value, because it may carry a trace. The caller numbers its call
   * (`ref`, messages.ts of src/portal), and may cancel it by that number.
   */
  | { readonly type: 'call'; readonly call: OverlayCall; readonly replyTo: ReplyTo<CallResult> }
  | { readonly type: 'transfer-gone'; readonly ref: number }
  | { readonly type: 'known-record'; readonly nodeIdHex: string; readonly replyTo: ReplyTo<NodeRecord | undefined> }
  /** Node ids of the routing table, a list for each log distance from 1 to 256. */
  | { readonly type: 'buckets'; readonly replyTo: ReplyTo<readonly (readonly string[])[]> }
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<OverlaySnapshot> }

export interface OverlaySettings {
  readonly options: Omit<OverlayOptions, 'record' | 'radius' | 'randomness'>
  /** Our own record and radius at composition. Discovery and storage send the current ones, also after a restart. */
  readonly record: NodeRecord
  readonly radius: bigint
  readonly bootstrap: readonly NodeRecord[]
  readonly maxItemBytes: number
  readonly discovery: Ref<DiscoveryMessage>
  readonly streams: Ref<StreamsMessage>
  readonly storage: Ref<StorageMessage>
  readonly validation: Ref<ValidationRequest>
}

/** A node that does not send its newer record within this time stays known by the older one. */
const REFETCH_TIMEOUT_MS = 10_000

/**
 * Owns one sub-network: membership, requests from peers and our own requests to them; starts a transfer for each item.
 */
export function overlay(settings: OverlaySettings) {
  return behavior<OverlayMessage>(context => {
    const { discovery, streams, storage, validation, maxItemBytes, options } = settings
    const { self, randomness } = context
    const core = new Overlay({ ...options, record: settings.record, radius: settings.radius, randomness })
    /** The core bounds them (`calls` of its limits). */
    const calls = new PendingCalls<ReplyTo<CallResult>>(Number.POSITIVE_INFINITY)
    const transfers = new Map<number, Ref<TransferMessage>>()

    const carry = (output: OverlayOutput): void => {
      switch (output.type) {
        case 'talk':
          discovery.tell({ ...output, client: self })
          break
        case 'answer-talk':
          discovery.tell(output)
          break
        case 'fetch-record':
          fetchRecord(output.known)
          break
        case 'want-content':
          storage.tell({ type: 'read', ref: output.ref, contentId: output.contentId, client: self })
          break
        case 'want-presence':
          storage.tell({
            type: 'holds',
            ref: output.ref,
            contentIds: output.items.map(item => item.contentId),
            client: self,
          })
          break
        case 'validate': {
          const { ref, key, content } = output
          validation.tell({ type: 'validate', ref, key, bytes: lend(content), client: self })
          break
        }
        case 'keep': {
          const { ref, key, contentId, content } = output
          storage.tell({ type: 'keep', ref, key, contentId, value: lend(content), client: self })
          break
        }
        case 'fetch':
        case 'serve':
        case 'send':
        case 'receive':
          startTransfer(output)
          break
        case 'decline':
          streams.tell(output)
          break
        case 'give-room':
          transfers.get(output.ref)?.tell({ type: 'room' })
          break
        case 'cancel-transfer':
          transfers.get(output.ref)?.tell({ type: 'cancel' })
          break
        default:
          if (output.type === 'failed') context.log.debug('a call failed', { code: output.code, detail: output.detail })
          calls.take(output.ref)?.tell(output)
      }
    }
    const feed = driveCore<OverlayInput, OverlayOutput, OverlayMessage>(context, core, carry)

    /** Asks only the node itself: a peer that announces ever higher numbers must not make us search the network. */
    const fetchRecord = (known: NodeRecord): void => {
      discovery
        .ask(replyTo => ({ type: 'find-nodes', to: known, distances: [0], replyTo }), {
          timeoutMs: REFETCH_TIMEOUT_MS,
        })
        .then(
          ([record]) => record !== undefined && record.seq > known.seq && self.tell({ type: 'node-met', record }),
          () => {},
        )
    }

    const startTransfer = (order: TransferOrder): void => {
      const { type, ref } = order
      const child = transfer(order, { streams, storage, validation, overlay: self, maxItemBytes })
      const name = ref < 0 ? `${type}-own-${-ref}` : `${type}-${ref}`
      const actor = context.spawn(child, { name, restart: 'temporary' })
      transfers.set(ref, actor)
      context.watch(actor, { type: 'transfer-gone', ref })
    }

    context.onStop(() => {
      const error = new SpimplError('ACTOR_STOPPED', `${context.path} stopped before the answer`)
      for (const replyTo of calls.takeAll()) replyTo.fail(error)
    })
    discovery.tell({ type: 'serve-talks', protocol: options.protocol, handler: self })
    discovery.tell({ type: 'watch-network', watcher: self })
    storage.tell({ type: 'watch-radius', watcher: self })
    if (settings.bootstrap.length > 0) feed({ type: 'bootstrap', records: settings.bootstrap })

    return {
      timeout: feed,
      'talk-requested': feed,
      'talk-answered': feed,
      'talk-failed': feed,
      'node-met': feed,
      'record-changed': feed,
      'radius-changed': feed,
      'transfer-begun': feed,
      'transfer-item': feed,
      'transfer-size': feed,
      'transfer-done': feed,
      'transfer-failed': feed,
      'content-read': feed,
      presence: feed,
      verdict: feed,
      'content-kept': feed,
      'keep-failed': feed,
      bootstrap: feed,
      call({ call, replyTo }) {
        if (calls.peek(call.ref) !== undefined) {
          replyTo.fail(new SpimplError('USAGE', `expected a new ref, got ${call.ref} of a call that is not settled`))
          return
        }
        calls.addAs(call.ref, replyTo)
        feed(call)
      },
      cancel({ ref }) {
        calls.take(ref)
        feed({ type: 'cancel', ref })
      },
      'transfer-gone'({ ref }) {
        // The core ignores this for a transfer that has reported its end; otherwise the actor of the transfer failed.
        transfers.delete(ref)
        feed({ type: 'transfer-failed', ref, code: 'ACTOR_FAILED', blamesContent: false })
      },
      'known-record': ({ nodeIdHex, replyTo }) => {
        replyTo.tell(core.record(nodeIdHex))
      },
      buckets: ({ replyTo }) => void replyTo.tell(core.buckets()),
      snapshot: ({ replyTo }) => void replyTo.tell(core.snapshot()),
    }
  })
}
