import type { Ref, ReplyTo } from 'spimpl-runtime'
import { behavior } from 'spimpl-runtime'
import { PendingCalls } from 'spimpl-runtime/core'
import type { Cryptography } from '../src/crypto/cryptography.ts'
import { type DiscoveryInput, type DiscoveryOutput, Discv5 } from '../src/discv5/discv5.ts'
import { type ErrorCode, SpimplError } from '../src/errors.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import type { PublishableRecord } from '../src/identity/publishable-record.ts'
import { driveCore } from './core-driver.ts'
import type { DiscoveryMessage, NetworkEvent, TalkRequested, TalksReceived } from './discovery-messages.ts'
import type { TransportMessage } from './transport.ts'

export interface DiscoveryOptions {
  readonly record: PublishableRecord
  readonly crypto: Cryptography
  readonly transport: Ref<TransportMessage>
  /** Whether the address that a majority of peers sees replaces the one in the own record. */
  readonly adoptAddress: boolean
  /** The socket is bound to a single address, which is one of IPv6. Default: false. */
  readonly hasIpv6Alone?: boolean
  readonly bootstrap: readonly NodeRecord[]
}

/** What ends a call: an output of the core with a `ref`, or a refusal or the stop of this actor. */
type Outcome =
  | Extract<DiscoveryOutput, { readonly ref: number }>
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly detail: string }

/** An input of the core that has an outcome, before it is numbered. */
type Call = WithoutRef<Extract<DiscoveryInput, { readonly ref: number }>>
type WithoutRef<Input> = Input extends unknown ? Omit<Input, 'ref'> : never

/** Calls in flight: more than the core has requests and lookups, which are bounded by `DiscoveryLimits`. */
const MAX_CALLS = 16_384

/** Owns discovery v5: sessions, the routing table, lookups and the own record. */
export function discovery(options: DiscoveryOptions) {
  return behavior<DiscoveryMessage>(context => {
    const { transport, record, crypto, adoptAddress, hasIpv6Alone = false } = options
    const { randomness } = context
    const core = new Discv5({ record, crypto, randomness, oneWayProtocols: ['utp'], adoptAddress, hasIpv6Alone })
    const calls = new PendingCalls<(outcome: Outcome) => void>(MAX_CALLS)
    const talkHandlers = new Map<string, Ref<TalkRequested>>()
    const packetHandlers = new Map<string, Ref<TalksReceived>>()
    let watchers: readonly Ref<NetworkEvent>[] = []

    const carry = (output: DiscoveryOutput): void => {
      switch (output.type) {
        case 'send':
          transport.tell(output)
          break
        case 'talks-received':
          packetHandlers.get(protocolName(output.protocol))?.tell(output)
          break
        case 'talk-requested': {
          const handler = talkHandlers.get(protocolName(output.protocol))
          if (handler?.tell(output) !== true) feed({ type: 'answer-talk', request: output.token, payload: NOTHING })
          break
        }
        case 'node-met':
        case 'record-changed':
          for (const watcher of watchers) watcher.tell(output)
          break
        case 'node-lost':
          break
        default:
          calls.take(output.ref)?.(output)
      }
    }
    const feed = driveCore<DiscoveryInput, DiscoveryOutput, DiscoveryMessage>(context, core, carry)

    /** Hands a call to the core under a number, unless there are too many; `settle` is given its outcome. */
    const call = (request: Call, settle: (outcome: Outcome) => void): void => {
      if (calls.hasRoom) feed({ ...request, ref: calls.add(settle) })
      else settle({ type: 'refused', code: 'REQUEST_LIMIT', detail: `expected at most ${MAX_CALLS} calls in flight` })
    }

    /** A call whose outcome of this type is answered to `replyTo`; any other outcome is an error. */
    const ask = <Type extends Outcome['type'], R>(
      request: Call,
      replyTo: ReplyTo<R>,
      type: Type,
      answer: (outcome: Extract<Outcome, { readonly type: Type }>) => R,
    ): void =>
      call(request, outcome => {
        if (outcome.type === type) replyTo.tell(answer(outcome as Extract<Outcome, { readonly type: Type }>))
        else if (outcome.type === 'record-refused') replyTo.fail(outcome.error)
        else if (outcome.type === 'request-failed' || outcome.type === 'refused') {
          replyTo.fail(new SpimplError(outcome.code, outcome.detail))
        }
      })

    context.onStop(() => {
      const detail = `${context.path} stopped before the answer`
      for (const settle of calls) settle({ type: 'refused', code: 'ACTOR_STOPPED', detail })
    })

    transport.tell({ type: 'subscribe', subscriber: context.self })
    if (options.bootstrap.length > 0) feed({ type: 'bootstrap', records: options.bootstrap })

    return {
      datagrams: feed,
      timeout: feed,
      'send-talks': feed,
      'add-record': feed,
      bootstrap: feed,
      'set-record': ({ entries, replyTo }) =>
        ask({ type: 'set-record', entries }, replyTo, 'record-set', ({ record }) => record),
      'answer-talk': feed,
      'serve-talks': ({ protocol, handler }) => {
        talkHandlers.set(protocolName(protocol), handler)
      },
      'serve-packets': ({ protocol, handler }) => {
        packetHandlers.set(protocolName(protocol), handler)
      },
      'watch-network': ({ watcher }) => {
        watchers = [...watchers.filter(known => known.path !== watcher.path), watcher]
        watcher.tell({ type: 'record-changed', record: record.current })
      },
      talk: ({ ref, to, protocol, payload, client }) =>
        call({ type: 'talk', to, protocol, payload, timeoutMs: TALK_TIMEOUT_MS }, outcome => {
          if (outcome.type === 'talk-answered') client.tell({ type: 'talk-answered', ref, payload: outcome.payload })
          else if (outcome.type === 'request-failed' || outcome.type === 'refused') {
            client.tell({ type: 'talk-failed', ref, code: outcome.code })
          }
        }),
      'ask-talk': ({ to, protocol, payload, replyTo }) =>
        ask({ type: 'talk', to, protocol, payload }, replyTo, 'talk-answered', answer => answer.payload),
      ping: ({ to, replyTo }) => ask({ type: 'ping', to }, replyTo, 'pong', pong => pong),
      'find-nodes': ({ to, distances, replyTo }) =>
        ask({ type: 'find-nodes', to, distances }, replyTo, 'nodes', ({ records }) => records),
      lookup: ({ target, replyTo }) =>
        ask({ type: 'lookup', target }, replyTo, 'lookup-done', ({ records }) => records),
      resolve: ({ nodeId, replyTo }) => ask({ type: 'resolve', nodeId }, replyTo, 'resolved', ({ record }) => record),
      'known-record': ({ nodeIdHex, replyTo }) => {
        replyTo.tell(core.table.get(nodeIdHex)?.record)
      },
      'remove-record': ({ nodeIdHex, replyTo }) =>
        ask({ type: 'remove-record', nodeIdHex }, replyTo, 'record-removed', ({ removed }) => removed),
      buckets: ({ replyTo }) => {
        const buckets: string[][] = Array.from({ length: 256 }, () => [])
        for (const { distance, members } of core.table.buckets()) {
          buckets[distance - 1] = members.map(member => member.record.nodeIdHex)
        }
        replyTo.tell(buckets)
      },
      'own-record': ({ replyTo }) => {
        replyTo.tell(record.current)
      },
      snapshot: ({ replyTo }) => {
        replyTo.tell(core.snapshot())
      },
    }
  })
}

/** Longer than for our own requests: the peer may have to ask its store, behind other work on a busy machine. */
const TALK_TIMEOUT_MS = 2500

const NOTHING = new Uint8Array(0)

/** The few bytes of a TALKREQ protocol as a map key. */
const protocolName = (protocol: Uint8Array): string => String.fromCharCode(...protocol)
