/** Where a datagram comes from or goes to. `host` is a literal address, never a name. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** One UDP payload. Its bytes change owner with the message that carries it. */
export interface Datagram {
  readonly endpoint: Endpoint
  readonly bytes: Uint8Array
}

/** What a socket has counted since it opened. */
export interface DatagramCounters {
  readonly received: number
  readonly receivedBytes: number
  readonly sent: number
  readonly sentBytes: number
  /** Datagrams the kernel dropped because the receive buffer was full. */
  readonly kernelDrops: number
  /** Datagrams that could not be sent, by any error. */
  readonly sendErrors: number
  /** What the kernel granted, in bytes. */
  readonly receiveBufferBytes: number
}

/** Where to bind, and who is told what arrives. */
export interface DatagramOptions {
  readonly host: string
  /** 0 takes a free port; `local` says which. */
  readonly port: number
  readonly receiveBufferBytes?: number
  /** Called with what arrived in one turn of the event loop; the buffers belong to the receiver. */
  readonly onDatagrams: (batch: readonly Datagram[]) => void
  readonly onError: (error: Error) => void
}

/** The datagram port: node:dgram, io_uring, Network framework and the simulated network implement it. */
export interface DatagramSocket {
  readonly local: Endpoint
  send(batch: readonly Datagram[]): void
  counters(): DatagramCounters
  close(): Promise<void>
}

/** The port: how a node gets its socket. Rejects with SOCKET_FAILED, ADDRESS_INVALID or ADDRESS_IN_USE. */
export type OpenDatagramSocket = (options: DatagramOptions) => Promise<DatagramSocket>
