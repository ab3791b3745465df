import type { ActorContext, Ref, ReplyTo } from '../src/runtime/runtime.ts'
import { behavior } from '../src/runtime/runtime.ts'
import type {
  Datagram,
  DatagramCounters,
  DatagramSocket,
  Endpoint,
  OpenDatagramSocket,
} from '../src/transport/datagram.ts'

/** What arrived in one turn of the event loop. */
export interface DatagramsArrived {
  readonly type: 'datagrams'
  readonly batch: readonly Datagram[]
}

export interface TransportSnapshot extends DatagramCounters {
  readonly local: Endpoint
  /** Datagrams dropped because the subscriber's mailbox was full. */
  readonly mailboxDrops: number
}

export type TransportMessage =
  /** Opens the socket; the actor's first message to itself. */
  | { readonly type: 'open' }
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
 * Owns one socket. It alone may drop a datagram, as UDP does, and counts it. A restart binds the port that the socket had before, so
 * that the own record stays true.
 */
export function transport(options: TransportOptions) {
  let { port } = options
  return behavior<TransportMessage>((context: ActorContext<TransportMessage>) => {
    let socket: DatagramSocket | undefined
    let subscriber: Ref<DatagramsArrived> | undefined
    let mailboxDrops = 0

    const arrived = (batch: readonly Datagram[]): void => {
      if (subscriber?.tell({ type: 'datagrams', batch }) !== true) mailboxDrops += batch.length
    }
    context.onStop(() => socket?.close())
    context.self.tell({ type: 'open' })

    return {
      // A handler's promise suspends the queue: what is sent meanwhile waits in order.
      async open() {
        const { open, host, receiveBufferBytes } = options
        const onError = (error: Error): void => {
          context.self.tell({ type: 'socket-failed', error })
        }
        socket = await open({ host, port, receiveBufferBytes, onDatagrams: arrived, onError })
        port = socket.local.port
      },
      subscribe(message) {
        subscriber = message.subscriber
      },
      send({ batch }) {
        socket?.send(batch)
      },
      snapshot({ replyTo }) {
        if (socket !== undefined) replyTo.tell({ ...socket.counters(), local: socket.local, mailboxDrops })
      },
      // The supervisor restarts the actor, which opens a new socket.
      'socket-failed'({ error }) {
        throw error
      },
    }
  })
}
