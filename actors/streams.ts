import type { Ref, ReplyTo } from 'spimpl-runtime'
import { behavior } from 'spimpl-runtime'
import { PendingCalls } from 'spimpl-runtime/core'
import type { NodeRecord } from '../src/identity/node-record.ts'
import {
  defaultStreamsLimits,
  type StreamId,
  type StreamLimits,
  Streams,
  type StreamsInput,
  type StreamsOutput,
  type StreamsStats,
} from '../src/utp/utp.ts'
import { driveCore, type Timeout } from './core-driver.ts'
import type { DiscoveryMessage, TalksReceived } from './discovery-messages.ts'
import { type StreamEvent, type StreamMessage, stream, UTP_PROTOCOL } from './stream.ts'

/** A stream with the connection id of a Portal message. `owner` receives its events. */
export interface StreamRequest {
  readonly peer: NodeRecord
  readonly connectionId: number
  readonly owner: Ref<StreamEvent>
  readonly limits: Partial<StreamLimits>
}

/** What the owner of the uTP streams is told and asked. */
export type StreamsMessage =
  | TalksReceived
  | Timeout
  /** Connect to the peer. */
  | ({ readonly type: 'initiate' } & StreamRequest)
  /** Wait for the peer to connect. */
  | ({ readonly type: 'expect' } & StreamRequest)
  /**
   * From the actor of a stream, when it has closed and when it has stopped; and from a transfer that does not connect.
   */
  | Extract<StreamsInput<NodeRecord>, { readonly type: 'closed' | 'owner-gone' | 'decline' }>
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<StreamsStats> }

type Outcome<Type extends StreamsOutput<NodeRecord>['type']> = Extract<StreamsOutput<NodeRecord>, { type: Type }>
type Opening = Pick<StreamRequest, 'owner' | 'limits'>

interface OpenStream {
  readonly ref: Ref<StreamMessage>
  readonly owner: Ref<StreamEvent>
}

/** Owns the table of streams; starts an actor for every stream and passes it its packets. */
export function streams(options: { readonly discovery: Ref<DiscoveryMessage> }) {
  return behavior<StreamsMessage>(context => {
    const { discovery } = options
    const core = new Streams<NodeRecord>({ randomness: context.randomness })
    // The core refuses an expectation above its limit at once: one more call is pending meanwhile.
    const openings = new PendingCalls<Opening>(defaultStreamsLimits.maxExpectations + 1)
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
          start(output)
          break
        case 'refused':
          tellClosed(openings.take(output.ref)?.owner, output.code, output.detail)
          break
        case 'expired':
          tellClosed(openings.take(output.ref)?.owner, 'STREAM_CONNECT_TIMEOUT', 'the peer did not connect')
          break
        case 'lost':
          tellClosed(open.get(output.stream)?.owner, output.code, output.detail)
      }
    }
    const feed = driveCore<StreamsInput<NodeRecord>, StreamsOutput<NodeRecord>, StreamsMessage>(context, core, carry)

    const start = ({ ref: opening, stream: id, peer, connectionId, initiated }: Outcome<'opened'>): void => {
      const { owner, limits } = openings.take(opening)!
      const child = stream({ id, peer, connectionId, initiated, owner, streams: context.self, discovery, limits })
      const ref = context.spawn(child, { name: `stream-${id}`, restart: 'temporary' })
      open.set(id, { ref, owner })
      context.watch(ref, { type: 'owner-gone', stream: id })
      owner.tell({ type: 'stream-opened', stream: ref })
    }

    const tellClosed = (
      owner: Ref<StreamEvent> | undefined,
      reason: Outcome<'refused'>['code'],
      detail: string,
    ): void => {
      owner?.tell({ type: 'stream-closed', reason, detail, stats: undefined })
    }

    const feedEnd = (message: Extract<StreamsMessage, { readonly type: 'closed' | 'owner-gone' }>): void => {
      feed(message)
      open.delete(message.stream)
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
      closed: feedEnd,
      'owner-gone': feedEnd,
      snapshot: ({ replyTo }) => {
        replyTo.tell(core.stats())
      },
    }
  })
}
