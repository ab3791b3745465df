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

/** Who runs things later: a clock of tests that nobody but they moves, or the one of the runtime's simulation. */
export interface Scheduler {
  /** Milliseconds. */
  now(): number
  /** Runs `action` at `when`, or at once if that is past; never before it returns. Actions of one moment run in the order given. */
  at(when: number, action: () => void): void
}

/** What happens to datagrams on their way. Probabilities in [0, 1]. */
export interface LinkConditions {
  readonly latencyMs?: number
  /** Added to the latency, evenly from 0: so much may datagrams overtake each other. */
  readonly jitterMs?: number
  readonly loss?: number
  readonly duplication?: number
  /** Of one direction of one link; datagrams queue for it. Undefined: unlimited. */
  readonly bytesPerSecond?: number
  /** What the queue before the bottleneck holds; what comes beyond is lost. */
  readonly queueBytes?: number
}

const DEFAULT_QUEUE_BYTES = 256 * 1024
/** The counterpart of the kernel's receive buffer: datagrams that wait for delivery to one socket. */
const MAX_ARRIVED = 4096
const EPHEMERAL_PORTS_FROM = 49_152

/** The direction from one endpoint to another. */
interface Link {
  /** Undefined: those of the network. */
  conditions: LinkConditions | undefined
  /** When its bottleneck is free again. */
  freeAt: number
}

/**
 * A network of links in one process. The order and the fate of every datagram follow from the randomness and the scheduler, so that a
 * seed replays a whole network.
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
    if (host === '') throw new SpimplError('ADDRESS_INVALID', 'expected a host, got an empty text')
    const port = options.port === 0 ? this.#freePort(host) : options.port
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new SpimplError('ADDRESS_INVALID', `expected a UDP port from 0 to 65535, got ${port}`)
    const key = keyOf({ host, port })
    if (this.#sockets.has(key))
      throw new SpimplError('ADDRESS_IN_USE', `expected UDP ${host}:${port} to be free, but another socket has it`)
    const socket = new SimulatedSocket({ host, port }, options, this.#scheduler, {
      transmit: (from, datagram) => this.#transmit(from, datagram),
      closed: () => this.#sockets.delete(key),
    })
    this.#sockets.set(key, socket)
    return socket
  }

  /** From now on all links without conditions of their own behave so. */
  set conditions(conditions: LinkConditions) {
    this.#conditions = conditions
  }

  /** Conditions of one direction. `{ loss: 1 }` cuts it. */
  setLink(from: Endpoint, to: Endpoint, conditions: LinkConditions): void {
    this.#link(from, to).conditions = conditions
  }

  #link(from: Endpoint, to: Endpoint): Link {
    const key = `${keyOf(from)} ${keyOf(to)}`
    let link = this.#links.get(key)
    if (link === undefined) {
      link = { conditions: undefined, freeAt: 0 }
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
      const waitMs = Math.max(0, link.freeAt - now)
      if ((waitMs / 1000) * bytesPerSecond > (conditions.queueBytes ?? DEFAULT_QUEUE_BYTES)) return
      departure = Math.max(link.freeAt, now) + (bytes.length / bytesPerSecond) * 1000
      link.freeAt = departure
    }
    if (loss > 0 && this.#chance() < loss) return
    const copies = duplication > 0 && this.#chance() < duplication ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const arrival = departure + latencyMs + (jitterMs > 0 ? this.#chance() * jitterMs : 0)
      // The buffer of a message changes owner: a copy needs one of its own.
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
    // What arrives at one moment is one batch, as what arrives in one turn of the event loop is.
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
