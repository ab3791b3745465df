import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { SpimplError } from '../errors.ts'
import type { Datagram, DatagramCounters, DatagramOptions, DatagramSocket, Endpoint } from './datagram.ts'
import { kernelDrops } from './kernel-drops.ts'

/** What is asked of the kernel: its default, 208 KiB, holds some 90 packets, and one fast stream overflows it. */
export const DEFAULT_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
/** libuv reads so many datagrams before it lets the event loop go on. */
const LIBUV_READS = 32
/** A batch that is still growing by full reads is delivered at this size. */
const MAX_BATCH = 256
/** What node:dgram keeps because the kernel's send buffer is full; beyond it datagrams are dropped, as UDP does. */
const MAX_SEND_QUEUE_BYTES = 8 * 1024 * 1024
const MAPPED = '::ffff:'

/**
 * The datagram port on node:dgram.
 *
 * Rejects with ADDRESS_INVALID, ADDRESS_IN_USE or SOCKET_FAILED.
 *
 * @example
 * const socket = await openDatagramSocket({ host: '127.0.0.1', port: 0, onDatagrams, onError })
 * socket.send([{ endpoint: { host: '127.0.0.1', port: 9009 }, bytes }])
 */
export async function openDatagramSocket(options: DatagramOptions): Promise<DatagramSocket> {
  const { host, port } = options
  if (isIP(host) === 0) throw new SpimplError('ADDRESS_INVALID', `expected a literal IP address, got '${host}'`)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new SpimplError('ADDRESS_INVALID', `expected a UDP port from 0 to 65535, got ${port}`)
  const socket = createSocket({
    type: isIPv6(host) ? 'udp6' : 'udp4',
    // Hosts are literal addresses: without this, node:dgram waits one tick for a lookup of each.
    lookup: (address, _options, answer) => answer(null, address, isIPv6(address) ? 6 : 4),
  })
  await bound(socket, host, port)
  return new NodeDatagramSocket(socket, options)
}

function bound(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', error => {
      socket.close()
      reject(bindError(error, host, port))
    })
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      resolve()
    })
  })
}

function bindError(error: Error, host: string, port: number): SpimplError {
  const { code } = error as NodeJS.ErrnoException
  const address = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
  const cause = { cause: error }
  if (code === 'EADDRINUSE') {
    const advice = 'choose another port with --udp-port (0 takes a free one)'
    return new SpimplError(
      'ADDRESS_IN_USE',
      `expected UDP ${address} to be free, but another socket has it; ${advice}`,
      cause,
    )
  }
  if (code === 'EADDRNOTAVAIL')
    return new SpimplError('ADDRESS_INVALID', `expected an address of this machine, got ${host}`, cause)
  return new SpimplError('SOCKET_FAILED', `expected to bind UDP ${address}, got ${code ?? error.message}`, cause)
}

class NodeDatagramSocket implements DatagramSocket {
  readonly local: Endpoint
  readonly #socket: Socket
  readonly #dual: boolean
  readonly #onDatagrams: DatagramOptions['onDatagrams']
  readonly #receiveBufferBytes: number
  #batch: Datagram[] = []
  #delivered = 0
  #lastEndpoint: Endpoint = { host: '', port: 0 }
  #lastAddress = ''
  #received = 0
  #receivedBytes = 0
  #sent = 0
  #sentBytes = 0
  #sendErrors = 0
  #lastDrops = 0
  #closing: Promise<void> | undefined

  constructor(socket: Socket, options: DatagramOptions) {
    const { address, port, family } = socket.address()
    this.#socket = socket
    this.#dual = family === 'IPv6'
    this.#onDatagrams = options.onDatagrams
    this.local = { host: address, port }
    this.#receiveBufferBytes = growReceiveBuffer(socket, options.receiveBufferBytes ?? DEFAULT_RECEIVE_BUFFER_BYTES)
    socket.on('message', this.#onMessage)
    socket.on('error', options.onError)
  }

  send(batch: readonly Datagram[]): void {
    if (this.#closing !== undefined) {
      this.#sendErrors += batch.length
      return
    }
    const socket = this.#socket
    const full = socket.getSendQueueSize() > MAX_SEND_QUEUE_BYTES
    for (const { endpoint, bytes } of batch) {
      const { host, port } = endpoint
      if (full || isInvalid(port)) {
        this.#sendErrors++
        continue
      }
      this.#sent++
      this.#sentBytes += bytes.length
      try {
        socket.send(bytes, port, this.#dual && isIPv4(host) ? MAPPED + host : host, this.#onSent)
      } catch {
        this.#onSent(new Error('not sent'))
      }
    }
  }

  counters(): DatagramCounters {
    if (this.#closing === undefined) this.#lastDrops = Math.max(this.#lastDrops, kernelDrops(this.local))
    return {
      received: this.#received,
      receivedBytes: this.#receivedBytes,
      sent: this.#sent,
      sentBytes: this.#sentBytes,
      kernelDrops: this.#lastDrops,
      sendErrors: this.#sendErrors,
      receiveBufferBytes: this.#receiveBufferBytes,
    }
  }

  close(): Promise<void> {
    this.#closing ??= new Promise(resolve => {
      this.#lastDrops = Math.max(this.#lastDrops, kernelDrops(this.local))
      this.#batch = []
      this.#socket.off('message', this.#onMessage)
      this.#socket.close(() => resolve())
    })
    return this.#closing
  }

  /** One function for all datagrams. */
  readonly #onSent = (error: Error | null): void => {
    if (error === null) return
    this.#sendErrors++
    this.#sent--
  }

  readonly #onMessage = (bytes: Uint8Array, from: RemoteInfo): void => {
    this.#received++
    this.#receivedBytes += bytes.length
    if (this.#batch.length === 0) {
      this.#delivered = 0
      setImmediate(this.#deliver)
    }
    this.#batch.push({ endpoint: this.#endpointOf(from), bytes })
  }

  /** Runs after libuv has read what it reads at once. A full read means that more is waiting: it is worth one more turn of the loop. */
  readonly #deliver = (): void => {
    const batch = this.#batch
    const { length } = batch
    if (length === 0) return
    if (length - this.#delivered >= LIBUV_READS && length < MAX_BATCH) {
      this.#delivered = length
      setImmediate(this.#deliver)
      return
    }
    this.#batch = []
    this.#onDatagrams(batch)
  }

  /** Datagrams come in runs from one peer, which then share an endpoint. */
  #endpointOf(from: RemoteInfo): Endpoint {
    const { address, port } = from
    if (address === this.#lastAddress && port === this.#lastEndpoint.port) return this.#lastEndpoint
    const host = this.#dual && address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address
    this.#lastAddress = address
    this.#lastEndpoint = { host, port }
    return this.#lastEndpoint
  }
}

function isInvalid(port: number): boolean {
  return !(port > 0 && port <= 65_535)
}

/**
 * SO_RCVBUF is capped by net.core.rmem_max, and SO_RCVBUFFORCE is out of reach of node:dgram: what was granted is read back. Linux
 * reports twice what it was asked for, because it counts its own bookkeeping; this is that number.
 */
function growReceiveBuffer(socket: Socket, bytes: number): number {
  try {
    if (socket.getRecvBufferSize() < bytes) socket.setRecvBufferSize(bytes)
  } catch {
    // The kernel's default serves, with drops that are counted.
  }
  try {
    return socket.getRecvBufferSize()
  } catch {
    return 0
  }
}
