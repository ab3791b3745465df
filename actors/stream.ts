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
  type StreamsInput,
  UtpConnection,
} from '../src/utp/utp.ts'
import { driveCore, type Timeout } from './core-driver.ts'
import type { DiscoveryMessage } from './discovery-messages.ts'

/** The events of a stream, for the actor that opened it. */
export type StreamEvent =
  | { readonly type: 'stream-opened'; readonly stream: Ref<StreamMessage> }
  /** Bytes in order. The owner gives them back with `read` when it has consumed them. */
  | { readonly type: 'stream-data'; readonly chunks: readonly Uint8Array[]; readonly bytes: number }
  | { readonly type: 'stream-writable'; readonly bytes: number }
  /** The peer has sent its last byte. */
  | { readonly type: 'stream-ended' }
  /** The peer has acknowledged everything that was written. */
  | { readonly type: 'stream-delivered' }
  /** The last event, also if no stream was opened. */
  | {
      readonly type: 'stream-closed'
      readonly reason: 'finished' | StreamErrorCode
      /** Of STREAM_RESET: why the peer gave up, if it said so. */
      readonly peerReason?: StreamErrorCode | undefined
      readonly detail: string
      readonly stats: StreamStats | undefined
    }

export type StreamMessage =
  | Exclude<StreamInput, { readonly type: 'open' }>
  | Timeout
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<ReturnType<UtpConnection['snapshot']>> }

type StreamClosed = Extract<StreamsInput<NodeRecord>, { readonly type: 'closed' }>

export interface StreamOptions {
  readonly id: StreamId
  readonly peer: NodeRecord
  readonly connectionId: number
  readonly initiated: boolean
  readonly owner: Ref<StreamEvent>
  /** Receives `closed`. */
  readonly streams: Ref<StreamClosed>
  readonly discovery: Ref<DiscoveryMessage>
  readonly limits: Partial<StreamLimits>
}

export const UTP_PROTOCOL = Uint8Array.of(0x75, 0x74, 0x70)

/** Owns one uTP stream: its windows, buffers and timers. Packets leave as one message for each turn. */
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
          const { reason, peerReason, detail, stats, lastAck } = output
          closed = true
          owner.tell({ type: 'stream-closed', reason, peerReason, detail, stats })
          streams.tell({ type: 'closed', stream: id, lastAck })
          context.stop()
        }
      }
    }
    const drive = driveCore<StreamInput, StreamOutput, StreamMessage>(context, core, carry)
    /**
     * Messages that are still in the mailbox of a closed stream are ignored: `streams` answers late packets, at a
     * bounded rate.
     */
    const feed = (input: StreamInput): void => {
      if (!closed) drive(input)
    }
    // A RESET, so that the peer does not wait for its timeout.
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
