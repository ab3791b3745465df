import type { Randomness } from 'spimpl-runtime'
import { SpimplError } from '../errors.ts'
import type {
  Datagram,
  DatagramCounters,
  DatagramOptions,
  DatagramSocket,
  Endpoint,
  OpenDatagramSocket,
} from './datagram.ts'

/** Runs actions later, in virtual time: a clock that only a test moves, or the one of the runtime's simulation. */
export interface Scheduler {
  /** Milliseconds. */
  now(): number
  /**
   * Runs `action` at `when`, or as soon as possible if that is past, but after `at` has returned. Actions of one moment
   * run in order.
   */
  at(when: number, action: () => void): void
}

/** The conditions of a link. Probabilities are in [0, 1]. */
export interface LinkConditions {
  readonly latencyMs?: number
  /** Added to the latency, evenly distributed from 0: datagrams may overtake each other by this much. */
  readonly jitterMs?: number
  readonly loss?: number
  readonly duplication?: number
  /** The bandwidth of one direction of one link; datagrams queue for it. Undefined: unlimited. */
  readonly bytesPerSecond?: number
  /** The size of the queue before the bottleneck; datagrams above it are lost. */
  readonly queueBytes?: number
}

const DEFAULT_QUEUE_BYTES = 256 * 1024
/** Datagrams that wait for delivery to one socket, like the kernel's receive buffer. */
const MAX_ARRIVED = 4096
const EPHEMERAL_PORTS_FROM = 49_152

/** The direction from one endpoint to another. */
class Link {
  /** When the bottleneck is free again. */
  #freeAt = 0
  #conditions: LinkConditions | undefined

  /** Undefined: those of the network. */
  get conditions(): LinkConditions | undefined {
    return this.#conditions
  }

  setConditions(conditions: LinkConditions): void {
    this.#conditions = conditions
  }

  /** When a datagram has passed the bottleneck; undefined if its queue is full. */
  depart(bytes: number, bytesPerSecond: number, queueBytes: number, now: number): number | undefined {
    const waitMs = Math.max(0, this.#freeAt - now)
    if ((waitMs / 1000) * bytesPerSecond > queueBytes) return undefined
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes / bytesPerSecond) * 1000
    return this.#freeAt
  }
}

/**
 * A network of links in one process. The order and the fate of every datagram depend only on the randomness and the
 * scheduler, so a seed replays a whole network.
 */
export class SimulatedNetwork {
  readonly #scheduler: Scheduler
  readonly #randomness: Randomness
  readonly #sockets = new Map<string, SimulatedSocket>()
  readonly #links = new Map<string, Link>()
  #conditions: LinkConditions
  #nextPort = EPHEMERAL_PORTS_FROM

  constructor(options: {
    readonly scheduler: Scheduler
    readonly randomness: Randomness
    readonly conditions?: LinkConditions
  }) {
    this.#scheduler = options.scheduler
    this.#randomness = options.randomness
    this.#conditions = options.conditions ?? {}
  }

  /** The datagram port. */
  readonly open: OpenDatagramSocket = async options => {
    const { host } = options
    if (host === '') throw new SpimplError('ADDRESS_INVALID', 'expected a host, got an empty string')
    const port = options.port === 0 ? this.#freePort(host) : options.port
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new SpimplError('ADDRESS_INVALID', `expected a UDP port from 0 to 65535, got ${port}`)
    const key = keyOf({ host, port })
    if (this.#sockets.has(key))
      throw new SpimplError(
        'ADDRESS_IN_USE',
        `expected UDP ${host}:${port} to be free, but another socket has bound it`,
      )
    const socket = new SimulatedSocket({ host, port }, options, this.#scheduler, {
      transmit: (from, datagram) => this.#transmit(from, datagram),
      closed: () => this.#sockets.delete(key),
    })
    this.#sockets.set(key, socket)
    return socket
  }

  /** The conditions of all links that have none of their own, from now on. */
  set conditions(conditions: LinkConditions) {
    this.#conditions = conditions
  }

  /** The conditions of one direction. `{ loss: 1 }` cuts it. */
  setLink(from: Endpoint, to: Endpoint, conditions: LinkConditions): void {
    this.#link(from, to).setConditions(conditions)
  }

  #link(from: Endpoint, to: Endpoint): Link {
    const key = `${keyOf(from)} ${keyOf(to)}`
    let link = this.#links.get(key)
    if (link === undefined) {
      link = new Link()
      this.#links.set(key, link)
    }
    return link
  }

  #transmit(from: Endpoint, { endpoint: to, bytes }: Datagram): void {
    const own = this.#links.get(`${keyOf(from)} ${keyOf(to)}`)
    const conditions = own?.conditions ?? this.#conditions
    const { latencyMs = 0, jitterMs = 0, loss = 0, duplication = 0, bytesPerSecond } = conditions
    const now = this.#scheduler.now()
    let departure = now
    if (bytesPerSecond !== undefined) {
      const link = own ?? this.#link(from, to)
      const departed = link.depart(bytes.length, bytesPerSecond, conditions.queueBytes ?? DEFAULT_QUEUE_BYTES, now)
      if (departed === undefined) return
      departure = departed
    }
    if (loss > 0 && this.#chance() < loss) return
    const copies = duplication > 0 && this.#chance() < duplication ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const arrival = departure + latencyMs + (jitterMs > 0 ? this.#chance() * jitterMs : 0)
      // The buffer of a message changes owner, so a duplicate needs its own.
      const datagram = { endpoint: from, bytes: copy === 0 ? bytes : bytes.slice() }
      this.#scheduler.at(arrival, () => this.#sockets.get(keyOf(to))?.arrive(datagram))
    }
  }

  #chance(): number {
    return this.#randomness.below(1_000_000) / 1_000_000
  }

  #freePort(host: string): number {
    for (let tries = 0; tries < 65_536 - EPHEMERAL_PORTS_FROM; tries++) {
      const port = this.#nextPort
      this.#nextPort = port === 65_535 ? EPHEMERAL_PORTS_FROM : port + 1
      if (!this.#sockets.has(keyOf({ host, port }))) return port
    }
    throw new SpimplError('ADDRESS_IN_USE', `expected a free UDP port of ${host}, got none`)
  }
}

class SimulatedSocket implements DatagramSocket {
  readonly local: Endpoint
  readonly #onDatagrams: DatagramOptions['onDatagrams']
  readonly #receiveBufferBytes: number
  readonly #scheduler: Scheduler
  readonly #network: { transmit(from: Endpoint, datagram: Datagram): void; closed(): void }
  #batch: Datagram[] = []
  #closed = false
  #received = 0
  #receivedBytes = 0
  #sent = 0
  #sentBytes = 0
  #dropped = 0
  #sendErrors = 0

  constructor(
    local: Endpoint,
    options: DatagramOptions,
    scheduler: Scheduler,
    network: { transmit(from: Endpoint, datagram: Datagram): void; closed(): void },
  ) {
    this.local = local
    this.#onDatagrams = options.onDatagrams
    this.#receiveBufferBytes = options.receiveBufferBytes ?? MAX_ARRIVED * 1280
    this.#scheduler = scheduler
    this.#network = network
  }

  send(batch: readonly Datagram[]): void {
    for (const datagram of batch) {
      const { port } = datagram.endpoint
      if (this.#closed || !(port > 0 && port <= 65_535)) {
        this.#sendErrors++
        continue
      }
      this.#sent++
      this.#sentBytes += datagram.bytes.length
      this.#network.transmit(this.local, datagram)
    }
  }

  arrive(datagram: Datagram): void {
    if (this.#closed) return
    if (this.#batch.length >= MAX_ARRIVED) {
      this.#dropped++
      return
    }
    // Datagrams of one moment are one batch, like those of one turn of the event loop.
    if (this.#batch.length === 0) this.#scheduler.at(this.#scheduler.now(), this.#deliver)
    this.#batch.push(datagram)
    this.#received++
    this.#receivedBytes += datagram.bytes.length
  }

  counters(): DatagramCounters {
    return {
      received: this.#received,
      receivedBytes: this.#receivedBytes,
      sent: this.#sent,
      sentBytes: this.#sentBytes,
      kernelDrops: this.#dropped,
      sendErrors: this.#sendErrors,
      receiveBufferBytes: this.#receiveBufferBytes,
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#batch = []
    this.#network.closed()
  }

  readonly #deliver = (): void => {
    if (this.#closed || this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#onDatagrams(batch)
  }
}

function keyOf({ host, port }: Endpoint): string {
  return `${host}|${port}`
}
