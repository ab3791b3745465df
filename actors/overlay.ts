import { behavior, type Ref, type ReplyTo } from 'spimpl-runtime'
import { SpimplError } from '../src/errors.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import {
  type CallResult,
  Overlay,
  type OverlayInput,
  type OverlayOptions,
  type OverlayOutput,
  type TransferOrder,
} from '../src/portal/portal.ts'
import { driveCore } from './core-driver.ts'
import type { DiscoveryMessage } from './discovery-messages.ts'
import { inboundTransfer } from './inbound-transfer.ts'
import { outboundTransfer } from './outbound-transfer.ts'
import type { OverlayMessage } from './overlay-messages.ts'
import type { StorageMessage } from './storage.ts'
import { storeQuestions } from './store-questions.ts'
import type { StreamsMessage } from './streams.ts'
import type { TransferMessage } from './transfer.ts'
import type { ValidationRequest } from './validation.ts'

export interface OverlaySettings {
  readonly options: Omit<OverlayOptions, 'record' | 'radius' | 'randomness'>
  /** The own record and radius when the node was composed; discovery and storage tell what they are now, after a restart too. */
  readonly record: NodeRecord
  readonly radius: bigint
  readonly bootstrap: readonly NodeRecord[]
  readonly maxItemBytes: number
  readonly discovery: Ref<DiscoveryMessage>
  readonly streams: Ref<StreamsMessage>
  readonly storage: Ref<StorageMessage>
  readonly validation: Ref<ValidationRequest>
}

/** Owns one sub-network: who is in it, what they want, and what of theirs we want; starts a transfer for every item on its way. */
export function overlay(settings: OverlaySettings) {
  return behavior<OverlayMessage>(context => {
    const { discovery, streams, storage, validation, maxItemBytes, options } = settings
    const { self, randomness } = context
    const core = new Overlay({ ...options, record: settings.record, radius: settings.radius, randomness })
    const calls = new Map<number, ReplyTo<CallResult>>()
    const transfers = new Map<number, Ref<TransferMessage>>()
    const transferOptions = { streams, storage, validation, overlay: self, maxItemBytes }

    const carry = (output: OverlayOutput): void => {
      switch (output.type) {
        case 'talk':
          discovery.tell({ ...output, client: self })
          break
        case 'answer-talk':
          discovery.tell(output)
          break
        case 'fetch-record':
          refetch(output.known)
          break
        case 'want-content':
        case 'judge-offer':
        case 'validate':
          questions.ask(output)
          break
        case 'fetch':
        case 'serve':
        case 'send':
        case 'receive':
          transfer(output)
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
        default: {
          const replyTo = calls.get(output.ref)
          if (replyTo === undefined) break
          calls.delete(output.ref)
          if (output.type === 'failed') context.log.debug('a call failed', { code: output.code, detail: output.detail })
          replyTo.tell(output)
        }
      }
    }
    const feed = driveCore<OverlayInput, OverlayOutput, OverlayMessage>(context, core, carry)
    const questions = storeQuestions({ storage, validation, client: self, settle: feed })

    /** Asks the node itself and nobody else: who names ever higher numbers must not make us search the network for each. */
    const refetch = (known: NodeRecord): void => {
      discovery
        .ask(replyTo => ({ type: 'find-nodes', to: known, distances: [0], replyTo }), {
          timeoutMs: REFETCH_TIMEOUT_MS,
        })
        .then(
          ([record]) => record !== undefined && record.seq > known.seq && self.tell({ type: 'node-met', record }),
          () => {}, // it stays known by its older record
        )
    }

    const transfer = (request: TransferOrder): void => {
      const { ref } = request
      const child =
        request.type === 'fetch' || request.type === 'receive'
          ? inboundTransfer(request, transferOptions)
          : outboundTransfer(request, transferOptions)
      const actor = context.spawn(child, { name: `${request.type}-${ref}`, restart: 'temporary' })
      transfers.set(ref, actor)
      context.watch(actor, { type: 'transfer-gone', ref })
    }

    context.onStop(() => {
      const error = new SpimplError('ACTOR_STOPPED', `${context.path} stopped before the answer`)
      for (const replyTo of calls.values()) replyTo.fail(error)
      calls.clear()
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
      bootstrap: feed,
      call({ ref, call, replyTo }) {
        if (calls.has(ref)) {
          replyTo.fail(new SpimplError('USAGE', `expected a ref that no call in flight has, got ${ref}`))
          return
        }
        calls.set(ref, replyTo)
        feed({ ...call, ref })
      },
      abandon({ ref }) {
        if (calls.delete(ref)) feed({ type: 'cancel', ref })
      },
      'transfer-gone'({ ref }) {
        // Reported before, unless its actor failed: the core passes over what it knows to have ended.
        transfers.delete(ref)
        feed({ type: 'transfer-failed', ref, code: 'ACTOR_FAILED' })
      },
      'content-read': questions.answered,
      presence: questions.answered,
      verdict: questions.answered,
      'content-kept': questions.answered,
      'keep-failed': questions.answered,
      'known-record': ({ nodeIdHex, replyTo }) => {
        replyTo.tell(core.record(nodeIdHex))
      },
      buckets: ({ replyTo }) => {
        replyTo.tell(core.buckets())
      },
      snapshot: ({ replyTo }) => {
        replyTo.tell(core.snapshot())
      },
    }
  })
}

const REFETCH_TIMEOUT_MS = 10_000
