import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { SpimplError } from '../errors.ts'
import type { Datagram, DatagramCounters, DatagramOptions, DatagramSocket, Endpoint } from './datagram.ts'
import { kernelDrops } from './kernel-drops.ts'

/**
 * The requested receive buffer. The kernel's default, 208 KiB, holds some 90 packets, and one fast stream overflows it.
 */
export const DEFAULT_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
/** libuv reads this many datagrams before the event loop goes on. */
const LIBUV_READS = 32
/** A batch of this size is delivered even if more datagrams are waiting. */
const MAX_BATCH = 256
/** Bytes that node:dgram queues while the kernel's send buffer is full; above it datagrams are dropped, as UDP does. */
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
    // Hosts are literal addresses. Without this, node:dgram waits one tick for the lookup of each one.
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
    const advice = 'choose another udp.port (--udp-port; 0 takes a free one)'
    return new SpimplError(
      'ADDRESS_IN_USE',
      `expected UDP ${address} to be free, but another socket has bound it; ${advice}`,
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

  /** One function for all datagrams, so that none allocates a closure. */
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

  /**
   * Runs after one read of libuv. After a full read more datagrams are waiting, so the batch waits for one more turn of
   * the event loop.
   */
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

  /** Consecutive datagrams of one peer share an endpoint. */
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
 * Requests a receive buffer, and returns what was granted. SO_RCVBUF is capped by net.core.rmem_max, and node:dgram
 * does not offer SO_RCVBUFFORCE. Linux reports twice the requested size, because it counts its own overhead; this is
 * that number.
 */
function growReceiveBuffer(socket: Socket, bytes: number): number {
  try {
    if (socket.getRecvBufferSize() < bytes) socket.setRecvBufferSize(bytes)
  } catch {
    // The kernel's default remains, and its drops are counted.
  }
  try {
    return socket.getRecvBufferSize()
  } catch {
    return 0
  }
}
