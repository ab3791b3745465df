import { loadPeer, peerVersion } from '../peers.ts'
import { type ActorPeer, FAN_IN_SENDERS, latch, RING_ACTORS } from './actor-peer.ts'

interface NactRef {
  readonly path: unknown
}

type NactFunction<State, M> = (state: State, message: M) => State

/** What is used of nact. */
interface Nact {
  readonly start: () => NactRef
  readonly stop: (ref: NactRef) => void
  readonly spawn: <State, M>(
    parent: NactRef,
    f: NactFunction<State, M>,
    name?: string,
    options?: { readonly initialState: State },
  ) => NactRef
  readonly dispatch: (ref: NactRef, message: unknown) => void
  readonly query: (ref: NactRef, make: (sender: NactRef) => unknown, timeoutMs: number) => Promise<unknown>
}

interface Ball {
  readonly left: number
}

type Count = { readonly by: number } | { readonly replyTo: NactRef }

const TIMEOUT_MS = 60_000

/** nact 7: a message is handled by an async function, so each costs promises. */
export async function nactPeer(): Promise<ActorPeer | undefined> {
  const nact = await loadPeer<Nact>('nact')
  if (nact === undefined) return undefined
  const { dispatch, query, spawn, start, stop } = nact
  let system: NactRef
  let count: NactRef
  const open = () => {
    system = start()
  }
  const close = () => stop(system)
  const counter = (sum: number, message: Count) => {
    if ('by' in message) return sum + message.by
    dispatch(message.replyTo, sum)
    return sum
  }
  const openCounter = () => {
    open()
    count = spawn(system, counter, 'counter', { initialState: 0 })
  }
  const sum = () => query(count, replyTo => ({ replyTo }), TIMEOUT_MS) as Promise<number>
  const player = (next: () => NactRef, over: () => void) => (state: undefined, ball: Ball) => {
    if (ball.left === 0) over()
    else dispatch(next(), { left: ball.left - 1 })
    return state
  }
  const idle = (state: undefined) => state
  return {
    name: 'nact',
    notes: [`nact ${peerVersion('nact')}`],
    works: {
      tell: {
        share: 0.2,
        prepare: openCounter,
        async run(operations) {
          for (let sent = 0; sent < operations; sent++) dispatch(count, { by: 1 })
          await sum()
        },
        cleanUp: close,
      },
      pingPong: {
        share: 0.1,
        prepare: open,
        async run(operations) {
          const { done, open: over } = latch()
          const pong: NactRef = spawn(
            system,
            player(() => ping, over),
            'pong',
          )
          const ping: NactRef = spawn(
            system,
            player(() => pong, over),
            'ping',
          )
          dispatch(ping, { left: operations })
          await done
        },
        cleanUp: close,
      },
      ask: {
        share: 0.2,
        prepare: openCounter,
        async run(operations) {
          for (let asked = 0; asked < operations; asked++) await sum()
        },
        cleanUp: close,
      },
      spawn: {
        // Each message and spawn copies the parent's table of children where a context is made; more would measure only that.
        share: 0.1,
        prepare: openCounter,
        async run(operations) {
          const refs = Array.from({ length: operations }, (_, at) => spawn(system, idle, `actor-${at}`))
          await sum()
          for (const ref of refs) stop(ref)
        },
        cleanUp: close,
      },
      fanIn: {
        share: 0.5,
        prepare: openCounter,
        async run(operations) {
          const messages = operations / FAN_IN_SENDERS
          const send = (state: undefined) => {
            for (let sent = 0; sent < messages; sent++) dispatch(count, { by: 1 })
            return state
          }
          for (let at = 0; at < FAN_IN_SENDERS; at++) dispatch(spawn(system, send, `sender-${at}`), {})
          while ((await sum()) < operations);
        },
        cleanUp: close,
      },
      ring: {
        share: 0.2,
        prepare: open,
        async run(operations) {
          const { done, open: over } = latch()
          const ring: NactRef[] = []
          for (let at = 0; at < RING_ACTORS; at++) {
            ring.push(
              spawn(
                system,
                player(() => ring[(at + 1) % RING_ACTORS]!, over),
                `actor-${at}`,
              ),
            )
          }
          dispatch(ring[0]!, { left: operations })
          await done
        },
        cleanUp: close,
      },
    },
    idle: {
      count: 100_000,
      hold(actors) {
        open()
        for (let at = 0; at < actors; at++) spawn(system, idle, `actor-${at}`)
      },
      release: close,
    },
  }
}
