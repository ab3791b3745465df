import type { Ref, ReplyTo } from 'spimpl-runtime'
import { behavior } from 'spimpl-runtime'
import type { StreamErrorCode } from '../src/errors.ts'
import type { NodeRecord } from '../src/identity/node-record.ts'
import {
  type StreamId,
  type StreamInput,
  type StreamLimits,
  type StreamOutput,
  type StreamStats,
  UtpConnection,
} from '../src/utp/utp.ts'
import { driveCore, type Timeout } from './core-driver.ts'
import type { DiscoveryMessage } from './discovery-messages.ts'
import type { StreamsMessage } from './streams.ts'

/** What a stream tells the one who opened it. */
export type StreamEvent =
  | { readonly type: 'stream-opened'; readonly stream: Ref<StreamMessage> }
  /** Bytes in order; the receiver gives them back with `read` when it has taken them. */
  | { readonly type: 'stream-data'; readonly chunks: readonly Uint8Array[]; readonly bytes: number }
  | { readonly type: 'stream-writable'; readonly bytes: number }
  /** The peer has sent its last byte. */
  | { readonly type: 'stream-ended' }
  /** The peer has everything that was written. */
  | { readonly type: 'stream-delivered' }
  /** The last event. Also when no stream came about. */
  | {
      readonly type: 'stream-closed'
      readonly reason: 'finished' | StreamErrorCode
      /** Of STREAM_RESET: why the peer gave up, where it said so. */
      readonly peerReason?: StreamErrorCode | undefined
      readonly detail: string
      readonly stats: StreamStats | undefined
    }

export type StreamMessage =
  | Exclude<StreamInput, { readonly type: 'open' }>
  | Timeout
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<ReturnType<UtpConnection['snapshot']>> }

export interface StreamOptions {
  readonly id: StreamId
  readonly peer: NodeRecord
  readonly connectionId: number
  readonly initiated: boolean
  readonly owner: Ref<StreamEvent>
  readonly streams: Ref<StreamsMessage>
  readonly discovery: Ref<DiscoveryMessage>
  readonly limits: Partial<StreamLimits>
}

export const UTP_PROTOCOL = Uint8Array.of(0x75, 0x74, 0x70)

/** Owns one uTP stream: its windows, buffers and timers. Packets leave as one message a turn. */
export function stream(options: StreamOptions) {
  return behavior<StreamMessage>(context => {
    const { id, peer, connectionId, initiated, owner, streams, discovery, limits } = options
    const open = initiated ? UtpConnection.initiate : UtpConnection.accept
    const core = open({ connectionId, randomness: context.randomness, limits })
    let closed = false

    const carry = (output: StreamOutput): void => {
      switch (output.type) {
        case 'send':
          discovery.tell({ type: 'send-talks', to: peer, protocol: UTP_PROTOCOL, payloads: output.packets })
          break
        case 'connected':
          break
        case 'data':
          owner.tell({ type: 'stream-data', chunks: output.chunks, bytes: output.bytes })
          break
        case 'writable':
          owner.tell({ type: 'stream-writable', bytes: output.bytes })
          break
        case 'peer-finished':
          owner.tell({ type: 'stream-ended' })
          break
        case 'delivered':
          owner.tell({ type: 'stream-delivered' })
          break
        case 'closed': {
          const { reason, peerReason, detail, stats, farewell } = output
          closed = true
          owner.tell({ type: 'stream-closed', reason, peerReason, detail, stats })
          streams.tell({ type: 'closed', stream: id, farewell })
          context.stop()
        }
      }
    }
    const drive = driveCore<StreamInput, StreamOutput, StreamMessage>(context, core, carry)
    /** What still waits in the mailbox of a closed stream is passed over. */
    const feed = (input: StreamInput): void => {
      if (!closed) drive(input)
    }
    // The peer need not wait for its time-out when we leave.
    context.onStop(() => feed({ type: 'reset', reason: 'STREAM_CLOSED' }))
    feed({ type: 'open' })

    return {
      packets: feed,
      write: feed,
      finish: feed,
      read: feed,
      reset: feed,
      timeout: feed,
      snapshot: ({ replyTo }) => {
        replyTo.tell(core.snapshot())
      },
    }
  })
}
