import type { Ref, ReplyTo } from 'spimpl-runtime'
import { behavior } from 'spimpl-runtime'
import type { Cryptography } from '../src/crypto/cryptography.ts'
import { type DiscoveryInput, type DiscoveryOutput, Discv5 } from '../src/discv5/discv5.ts'
import { SpimplError } from '../src/errors.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import type { PublishableRecord } from '../src/identity/publishable-record.ts'
import { driveCore, Pending } from './core-driver.ts'
import type { DiscoveryMessage, NetworkEvent, TalkRequested, TalksReceived } from './discovery-messages.ts'
import type { TransportMessage } from './transport.ts'

export interface DiscoveryOptions {
  readonly record: PublishableRecord
  readonly crypto: Cryptography
  readonly transport: Ref<TransportMessage>
  /** Whether the address that peers see replaces the one of the own record. */
  readonly adoptAddress: boolean
  /** The socket is bound to one address, and that of IPv6. False unless told. */
  readonly hasIpv6Alone?: boolean
  readonly bootstrap: readonly NodeRecord[]
}

/** What ends a call: the outputs of the core that carry a `ref`, and the end of the actor. */
type Outcome = Extract<DiscoveryOutput, { readonly ref: number }> | { readonly type: 'stopped' }

/** Owns discovery v5: sessions, the routing table, lookups and the own record. */
export function discovery(options: DiscoveryOptions) {
  return behavior<DiscoveryMessage>(context => {
    const { transport, record, crypto, adoptAddress, hasIpv6Alone = false } = options
    const { randomness } = context
    const core = new Discv5({ record, crypto, randomness, oneWayProtocols: ['utp'], adoptAddress, hasIpv6Alone })
    const calls = new Pending<(outcome: Outcome) => void>()
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

    /** Numbers a call; what the core says of it in the end goes to `replyTo`. */
    const asked = <Type extends Outcome['type'], R>(
      replyTo: ReplyTo<R>,
      type: Type,
      answer: (outcome: Extract<Outcome, { readonly type: Type }>) => R,
    ): number =>
      calls.add(outcome => {
        if (outcome.type === type) replyTo.tell(answer(outcome as Extract<Outcome, { readonly type: Type }>))
        else if (outcome.type === 'record-refused') replyTo.fail(outcome.error)
        else if (outcome.type === 'request-failed') replyTo.fail(new SpimplError(outcome.code, outcome.detail))
        else replyTo.fail(new SpimplError('ACTOR_STOPPED', `${context.path} stopped before the answer`))
      })

    context.onStop(() => {
      for (const settle of calls.takeAll()) settle({ type: 'stopped' })
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
        feed({ type: 'set-record', ref: asked(replyTo, 'record-set', ({ record }) => record), entries }),
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
      talk: ({ ref, to, protocol, payload, client }) => {
        const settled = (outcome: Outcome): void => {
          if (outcome.type === 'talk-answered') client.tell({ type: 'talk-answered', ref, payload: outcome.payload })
          else
            client.tell({
              type: 'talk-failed',
              ref,
              code: outcome.type === 'request-failed' ? outcome.code : 'ACTOR_STOPPED',
            })
        }
        feed({ type: 'talk', ref: calls.add(settled), to, protocol, payload, timeoutMs: TALK_TIMEOUT_MS })
      },
      'ask-talk': ({ to, protocol, payload, replyTo }) =>
        feed({ type: 'talk', ref: asked(replyTo, 'talk-answered', answer => answer.payload), to, protocol, payload }),
      ping: ({ to, replyTo }) => feed({ type: 'ping', ref: asked(replyTo, 'pong', pong => pong), to }),
      'find-nodes': ({ to, distances, replyTo }) =>
        feed({ type: 'find-nodes', ref: asked(replyTo, 'nodes', nodes => nodes.records), to, distances }),
      lookup: ({ target, replyTo }) =>
        feed({ type: 'lookup', ref: asked(replyTo, 'lookup-done', done => done.records), target }),
      resolve: ({ nodeId, replyTo }) =>
        feed({ type: 'resolve', ref: asked(replyTo, 'resolved', found => found.record), nodeId }),
      'known-record': ({ nodeIdHex, replyTo }) => {
        replyTo.tell(core.table.get(nodeIdHex)?.record)
      },
      'remove-record': ({ nodeIdHex, replyTo }) =>
        feed({ type: 'remove-record', ref: asked(replyTo, 'record-removed', ({ removed }) => removed), nodeIdHex }),
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

/** Longer than for discovery's own requests: whoever answers may have to ask its store, on a busy machine behind other work. */
const TALK_TIMEOUT_MS = 2500

const NOTHING = new Uint8Array(0)

/** TALKREQ protocols are a few bytes; as a latin1 text they are a key. */
const protocolName = (protocol: Uint8Array): string => String.fromCharCode(...protocol)
