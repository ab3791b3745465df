/**
 * The datagram port: the door of this floor.
 *
 *     node-dgram    the default, on node:dgram
 *     kernel-drops  datagrams that Linux dropped
 *     simulated     a network in one process, replayed by a seed
 */

/** The source or destination of a datagram. `host` is a literal address, never a name. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** One UDP payload. Its bytes change owner with its message. */
export interface Datagram {
  readonly endpoint: Endpoint
  readonly bytes: Uint8Array
}

/**
 * The counts of a socket since it was opened. Plain numbers, not `Counters`: two of them change with every datagram.
 */
export interface DatagramCounters {
  readonly received: number
  readonly receivedBytes: number
  readonly sent: number
  readonly sentBytes: number
  /** Datagrams that the kernel dropped because the receive buffer was full. */
  readonly kernelDrops: number
  /** Datagrams that were not sent, for any reason. */
  readonly sendErrors: number
  /** The receive buffer that the kernel granted. */
  readonly receiveBufferBytes: number
}

/** The address to bind, and the callbacks of a socket. */
export interface DatagramOptions {
  readonly host: string
  /** 0 takes a free port; `local` has its number. */
  readonly port: number
  readonly receiveBufferBytes?: number
  /** Called with the datagrams that arrived in one turn of the event loop; the buffers belong to the receiver. */
  readonly onDatagrams: (batch: readonly Datagram[]) => void
  readonly onError: (error: Error) => void
}

/** An open socket: the port that node:dgram and the simulated network implement. */
export interface DatagramSocket {
  readonly local: Endpoint
  send(batch: readonly Datagram[]): void
  counters(): DatagramCounters
  close(): Promise<void>
}

/** Opens a socket. Rejects with SOCKET_FAILED, ADDRESS_INVALID or ADDRESS_IN_USE. */
export type OpenDatagramSocket = (options: DatagramOptions) => Promise<DatagramSocket>
