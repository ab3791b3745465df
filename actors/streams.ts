import type { Ref, ReplyTo } from 'spimpl-runtime'
import { behavior } from 'spimpl-runtime'
import type { NodeRecord } from '../src/identity/node-record.ts'
import {
  type StreamId,
  type StreamLimits,
  Streams,
  type StreamsInput,
  type StreamsOutput,
  type StreamsStats,
} from '../src/utp/utp.ts'
import { driveCore, Pending, type Timeout } from './core-driver.ts'
import type { DiscoveryMessage, TalksReceived } from './discovery-messages.ts'
import { type StreamEvent, type StreamMessage, stream, UTP_PROTOCOL } from './stream.ts'

/** A stream with the connection id of a Portal message. `owner` hears the rest. */
export interface StreamRequest {
  readonly peer: NodeRecord
  readonly connectionId: number
  readonly owner: Ref<StreamEvent>
  readonly limits: Partial<StreamLimits>
}

export type StreamsMessage =
  | TalksReceived
  | Timeout
  /** Connect. */
  | ({ readonly type: 'initiate' } & StreamRequest)
  /** Wait for the peer to connect. */
  | ({ readonly type: 'expect' } & StreamRequest)
  | Extract<StreamsInput<NodeRecord>, { readonly type: 'closed' | 'decline' }>
  /** A stream's actor is gone, in whatever way. */
  | { readonly type: 'stream-gone'; readonly stream: StreamId }
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<StreamsStats> }

interface Opening {
  readonly owner: Ref<StreamEvent>
  readonly limits: Partial<StreamLimits>
}

interface OpenStream {
  readonly ref: Ref<StreamMessage>
  readonly owner: Ref<StreamEvent>
}

/** Owns which stream a packet belongs to; starts an actor for every stream and hands it its packets. */
export function streams(options: { readonly discovery: Ref<DiscoveryMessage> }) {
  return behavior<StreamsMessage>(context => {
    const { discovery } = options
    const core = new Streams<NodeRecord>({ randomness: context.randomness })
    const openings = new Pending<Opening>()
    const open = new Map<StreamId, OpenStream>()

    const carry = (output: StreamsOutput<NodeRecord>): void => {
      switch (output.type) {
        case 'deliver':
          open.get(output.stream)?.ref.tell({ type: 'packets', packets: output.packets })
          break
        case 'send':
          discovery.tell({ type: 'send-talks', to: output.peer, protocol: UTP_PROTOCOL, payloads: output.packets })
          break
        case 'opened':
          opened(output)
          break
        case 'refused':
          refuse(output.ref, output.code, output.detail)
          break
        case 'expired':
          refuse(output.ref, 'STREAM_CONNECT_TIMEOUT', 'the peer did not connect')
      }
    }
    const feed = driveCore<StreamsInput<NodeRecord>, StreamsOutput<NodeRecord>, StreamsMessage>(context, core, carry)

    const opened = (output: Extract<StreamsOutput<NodeRecord>, { readonly type: 'opened' }>): void => {
      const opening = openings.take(output.ref)
      if (opening === undefined) return
      const { owner, limits } = opening
      const { stream: id, peer, connectionId, initiated } = output
      const child = stream({ id, peer, connectionId, initiated, owner, streams: context.self, discovery, limits })
      const ref = context.spawn(child, { name: `stream-${id}`, restart: 'temporary' })
      open.set(id, { ref, owner })
      context.watch(ref, { type: 'stream-gone', stream: id })
      owner.tell({ type: 'stream-opened', stream: ref })
    }

    const refuse = (
      ref: number,
      reason: Extract<StreamsOutput<NodeRecord>, { readonly type: 'refused' }>['code'],
      detail: string,
    ): void => {
      openings.take(ref)?.owner.tell({ type: 'stream-closed', reason, detail, stats: undefined })
    }

    discovery.tell({ type: 'serve-packets', protocol: UTP_PROTOCOL, handler: context.self })

    return {
      'talks-received': ({ from, payloads }) => feed({ type: 'packets', peer: from, packets: payloads }),
      timeout: feed,
      initiate: ({ peer, connectionId, owner, limits }) =>
        feed({ type: 'initiate', ref: openings.add({ owner, limits }), peer, connectionId }),
      expect: ({ peer, connectionId, owner, limits }) =>
        feed({ type: 'expect', ref: openings.add({ owner, limits }), peer, connectionId }),
      decline: feed,
      closed(message) {
        open.delete(message.stream)
        feed(message)
      },
      // Nothing to do where the stream said `closed` before; else its actor failed, and its owner must hear of it.
      'stream-gone'({ stream: id }) {
        const gone = open.get(id)
        if (gone === undefined) return
        open.delete(id)
        feed({ type: 'closed', stream: id, farewell: undefined })
        gone.owner.tell({
          type: 'stream-closed',
          reason: 'STREAM_RESET',
          detail: 'the actor of the stream failed',
          stats: undefined,
        })
      },
      snapshot: ({ replyTo }) => {
        replyTo.tell(core.stats())
      },
    }
  })
}
