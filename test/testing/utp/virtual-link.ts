import { type Randomness, seededRandomness } from 'spimpl-runtime'
import { type StreamLimits, type StreamOutput, UtpConnection } from '../../../src/utp/utp.ts'

/** How a virtual link treats packets; probabilities in [0, 1], times in milliseconds. */
export interface LinkConditions {
  readonly latencyMs: number
  readonly jitterMs?: number
  readonly loss?: number
  readonly duplication?: number
  /** True drops the packet, before any random loss. `count` counts the packets of that direction from 0. */
  readonly drop?: (packet: Uint8Array, from: Side, count: number) => boolean
}

export type Side = 'initiator' | 'acceptor'

interface Event {
  readonly at: number
  readonly order: number
  readonly side: Side
  readonly packet: Uint8Array
}

/** One end of the stream, and what it has emitted. */
export interface End {
  readonly side: Side
  readonly connection: UtpConnection
  readonly outputs: StreamOutput['type'][]
  chunks: Uint8Array[]
  receivedBytes: number
  closed: Extract<StreamOutput, { type: 'closed' }> | undefined
  peerFinished: boolean
  /** False: 'data' is not given back with 'read', so that the window closes. */
  reads: boolean
  /** True keeps the chunks that arrive; false only counts their bytes. */
  keeps: boolean
}

const CONNECTION_ID = 4711

/** Two ends of one stream, a link between them, and a clock that only this object moves. A seed replays it. */
export class VirtualLink {
  now = 1000
  readonly initiator: End
  readonly acceptor: End
  readonly sentPackets: { side: Side; packet: Uint8Array; at: number }[] = []
  recordPackets = false
  /** Called with every output, after the link has handled it. */
  onOutput: ((end: End, output: StreamOutput) => void) | undefined
  #events: Event[] = []
  #order = 0
  readonly #dice: Randomness
  readonly #counts = { initiator: 0, acceptor: 0 }
  #conditions: LinkConditions

  constructor(options: {
    readonly seed?: number
    readonly conditions: LinkConditions
    readonly limits?: Partial<StreamLimits>
    readonly acceptorLimits?: Partial<StreamLimits>
    /** Fixes the first sequence numbers. */
    readonly firstSequence?: number
  }) {
    const seed = options.seed ?? 1
    this.#dice = seededRandomness(seed)
    this.#conditions = options.conditions
    const { firstSequence } = options
    const randomness: Randomness =
      firstSequence === undefined
        ? seededRandomness(seed + 1)
        : { bytes: length => new Uint8Array(length), below: () => firstSequence }
    const limits = options.limits ?? {}
    const connectionId = CONNECTION_ID
    this.initiator = end('initiator', UtpConnection.initiate({ connectionId, randomness, limits }))
    this.acceptor = end(
      'acceptor',
      UtpConnection.accept({ connectionId, randomness, limits: options.acceptorLimits ?? limits }),
    )
  }

  set conditions(conditions: LinkConditions) {
    this.#conditions = conditions
  }

  open(): this {
    this.input(this.acceptor, { type: 'open' })
    this.input(this.initiator, { type: 'open' })
    return this
  }

  input(to: End, input: Parameters<UtpConnection['handle']>[0]): void {
    const outputs: StreamOutput[] = []
    to.connection.handle(input, this.now, output => outputs.push(output))
    for (const output of outputs) this.#onOutput(to, output)
  }

  /** Sends a packet that no connection made. */
  inject(to: Side, packet: Uint8Array): void {
    this.#push(to, packet, this.now)
  }

  /** Runs until no packet is in flight and no timer is set, `until` returns true, or the time is over. */
  run(options: { readonly forMs?: number; readonly until?: () => boolean } = {}): void {
    const end = this.now + (options.forMs ?? 600_000)
    for (let steps = 0; steps < 20_000_000; steps++) {
      if (options.until?.() === true) return
      const next = this.#events[0]
      const wake = Math.min(this.initiator.connection.deadline(), this.acceptor.connection.deadline())
      const at = Math.min(next?.at ?? Number.POSITIVE_INFINITY, wake)
      if (at === Number.POSITIVE_INFINITY) return
      if (at > end) {
        this.now = end
        return
      }
      this.now = Math.max(this.now, at)
      if (next !== undefined && next.at <= this.now) this.#deliver()
      for (const side of [this.initiator, this.acceptor])
        if (side.connection.deadline() <= this.now) this.input(side, { type: 'timeout' })
    }
    throw new Error('expected the virtual link to come to rest, it did not')
  }

  /** Everything that has arrived for one side by now goes in as one batch, as a transport delivers it. */
  #deliver(): void {
    const batches: Record<Side, Uint8Array[]> = { initiator: [], acceptor: [] }
    for (;;) {
      const event = this.#events[0]
      if (event === undefined || event.at > this.now) break
      this.#pop()
      batches[event.side].push(event.packet)
    }
    if (batches.initiator.length > 0) this.input(this.initiator, { type: 'packets', packets: batches.initiator })
    if (batches.acceptor.length > 0) this.input(this.acceptor, { type: 'packets', packets: batches.acceptor })
  }

  #onOutput(from: End, output: StreamOutput): void {
    from.outputs.push(output.type)
    switch (output.type) {
      case 'send':
        for (const packet of output.packets) this.#transmit(from.side, packet)
        break
      case 'data':
        if (from.keeps) from.chunks.push(...output.chunks)
        from.receivedBytes += output.bytes
        if (from.reads) this.input(from, { type: 'read', bytes: output.bytes })
        break
      case 'peer-finished':
        from.peerFinished = true
        break
      case 'closed':
        from.closed = output
        break
    }
    this.onOutput?.(from, output)
  }

  #transmit(from: Side, packet: Uint8Array): void {
    const { latencyMs, jitterMs = 0, loss = 0, duplication = 0, drop } = this.#conditions
    if (this.recordPackets) this.sentPackets.push({ side: from, packet, at: this.now })
    const to = from === 'initiator' ? 'acceptor' : 'initiator'
    if (drop?.(packet, from, this.#counts[from]++) === true) return
    if (loss > 0 && this.#chance() < loss) return
    const copies = duplication > 0 && this.#chance() < duplication ? 2 : 1
    for (let copy = 0; copy < copies; copy++)
      this.#push(
        to,
        copy === 0 ? packet : packet.slice(),
        this.now + latencyMs + (jitterMs > 0 ? this.#chance() * jitterMs : 0),
      )
  }

  #chance(): number {
    return this.#dice.below(1_000_000) / 1_000_000
  }

  #push(side: Side, packet: Uint8Array, at: number): void {
    const events = this.#events
    const event = { at, order: this.#order++, side, packet }
    let index = events.length
    events.push(event)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(event, events[parent] as Event)) break
      events[index] = events[parent] as Event
      index = parent
    }
    events[index] = event
  }

  #pop(): void {
    const events = this.#events
    const last = events.pop() as Event
    if (events.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= events.length) break
      if (child + 1 < events.length && before(events[child + 1] as Event, events[child] as Event)) child++
      if (!before(events[child] as Event, last)) break
      events[index] = events[child] as Event
      index = child
    }
    events[index] = last
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function end(side: Side, connection: UtpConnection): End {
  return {
    side,
    connection,
    outputs: [],
    chunks: [],
    receivedBytes: 0,
    closed: undefined,
    peerFinished: false,
    reads: true,
    keeps: true,
  }
}

/** Bytes without a pattern, so that a misplaced byte shows. */
export function patterned(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let word = seed >>> 0 || 1
  for (let at = 0; at < length; at++) {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    bytes[at] = word
  }
  return bytes
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks))
}
