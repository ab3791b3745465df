import { behavior, type Ref, type ReplyTo } from 'spimpl-runtime'
import type {
  Datagram,
  DatagramCounters,
  DatagramOptions,
  Endpoint,
  OpenDatagramSocket,
} from '../src/transport/datagram.ts'
import { type Open, onceOpen, Resource } from './resource.ts'

/** The datagrams that arrived in one turn of the event loop. */
export interface DatagramsArrived {
  readonly type: 'datagrams'
  readonly batch: readonly Datagram[]
}

export interface TransportSnapshot extends DatagramCounters {
  readonly local: Endpoint
  /** Datagrams dropped because the subscriber's mailbox was full. */
  readonly mailboxDrops: number
}

/** What the owner of a socket is told and asked. */
export type TransportMessage =
  | { readonly type: 'subscribe'; readonly subscriber: Ref<DatagramsArrived> }
  | { readonly type: 'send'; readonly batch: readonly Datagram[] }
  | { readonly type: 'snapshot'; readonly replyTo: ReplyTo<TransportSnapshot> }
  | { readonly type: 'socket-failed'; readonly error: Error }

export interface TransportOptions {
  readonly open: OpenDatagramSocket
  readonly host: string
  readonly port: number
  readonly receiveBufferBytes: number
}

/**
 * Owns one socket. Only this actor may drop a datagram, as UDP does, and it counts the drops. A restart binds the
 * previous port again, so that our own record stays correct.
 */
export function transport(options: TransportOptions) {
  let { port } = options
  let mailboxDrops = 0
  let arrived: DatagramOptions['onDatagrams'] = () => {}
  let failed: DatagramOptions['onError'] = () => {}
  const socket = new Resource(async () => {
    const { open, host, receiveBufferBytes } = options
    const opened = await open({
      host,
      port,
      receiveBufferBytes,
      onDatagrams: batch => arrived(batch),
      onError: error => failed(error),
    })
    port = opened.local.port
    return opened
  })

  return behavior<TransportMessage | Open>(context => {
    let subscriber: Ref<DatagramsArrived> | undefined

    arrived = batch => {
      if (subscriber?.tell({ type: 'datagrams', batch }) !== true) mailboxDrops += batch.length
    }
    failed = error => {
      context.self.tell({ type: 'socket-failed', error })
    }
    context.onStop(() => socket.take()?.close())

    return onceOpen<TransportMessage>(context, socket, {
      subscribe(message) {
        subscriber = message.subscriber
      },
      send({ batch }) {
        socket.current?.send(batch)
      },
      snapshot({ replyTo }) {
        socket.answer(replyTo, open => ({ ...open.counters(), local: open.local, mailboxDrops }))
      },
      // The supervisor restarts the actor, which opens a new socket.
      'socket-failed'({ error }) {
        throw error
      },
    })
  })
}
