import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { seededRandomness } from 'spimpl-runtime'
import type { Endpoint } from '../../../src/transport/datagram.ts'

export interface RelayConditions {
  /** Probability in [0, 1]. */
  readonly loss?: number
  readonly duplication?: number
  readonly delayMs?: number
  /** Added to the delay, evenly from 0: so much may datagrams overtake each other. */
  readonly jitterMs?: number
}

export interface RelayCounters {
  forwarded: number
  lost: number
  duplicated: number
  /** Datagrams that overtook an earlier one. */
  reordered: number
}

/** A real UDP relay on loopback. */
export interface Relay {
  /** `a` sends its datagrams for `b` here; they arrive at `b` from `towardsA`. */
  readonly towardsB: Endpoint
  /** `b` sends its datagrams for `a` here; they arrive at `a` from `towardsB`. */
  readonly towardsA: Endpoint
  readonly counters: RelayCounters
  close(): Promise<void>
}

/**
 * Stands between two endpoints and loses, repeats, delays and reorders what it carries, as a seed says. Each end is to
 * be told the relay's endpoint in place of the other's: `a` sends to `towardsB`, `b` sees `a` at `towardsA`.
 */
export async function startRelay(options: {
  readonly a: Endpoint
  readonly b: Endpoint
  readonly seed: number
  readonly conditions: RelayConditions
}): Promise<Relay> {
  const { a, b, conditions } = options
  const { loss = 0, duplication = 0, delayMs = 0, jitterMs = 0 } = conditions
  const dice = seededRandomness(options.seed)
  const chance = (): number => dice.below(1_000_000) / 1_000_000
  const counters: RelayCounters = { forwarded: 0, lost: 0, duplicated: 0, reordered: 0 }
  const [faceOfB, faceOfA] = await Promise.all([bind(a.host), bind(b.host)])
  const timers = new Set<NodeJS.Timeout>()
  let closed = false

  const carry = (out: Socket, to: Endpoint) => {
    let order = 0
    let latest = -1
    return (bytes: Uint8Array, _from: RemoteInfo): void => {
      if (chance() < loss) {
        counters.lost++
        return
      }
      const copies = chance() < duplication ? 2 : 1
      if (copies === 2) counters.duplicated++
      for (let copy = 0; copy < copies; copy++) {
        const number = order++
        const forward = (): void => {
          if (closed) return
          if (number < latest) counters.reordered++
          else latest = number
          counters.forwarded++
          out.send(bytes, to.port, to.host)
        }
        const wait = delayMs + chance() * jitterMs
        if (wait === 0) forward()
        else {
          const timer = setTimeout(() => {
            timers.delete(timer)
            forward()
          }, wait)
          timers.add(timer)
        }
      }
    }
  }
  faceOfB.on('message', carry(faceOfA, b))
  faceOfA.on('message', carry(faceOfB, a))

  return {
    towardsB: endpointOf(faceOfB),
    towardsA: endpointOf(faceOfA),
    counters,
    async close() {
      if (closed) return
      closed = true
      for (const timer of timers) clearTimeout(timer)
      await Promise.all([faceOfA, faceOfB].map(socket => new Promise<void>(resolve => socket.close(() => resolve()))))
    },
  }
}

function bind(host: string): Promise<Socket> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 * 1024 * 1024 })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address: host, port: 0 }, () => resolve(socket))
  })
}

function endpointOf(socket: Socket): Endpoint {
  const { address, port } = socket.address()
  return { host: address, port }
}
