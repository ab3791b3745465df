import { loadPeer } from '../peers.ts'
import { type ActorPeer, RING_ACTORS, SENDERS, settledBytes, timed } from './actor-peer.ts'

interface Event {
  readonly type: string
  readonly by?: number
  readonly left?: number
}
interface XActor {
  start(): XActor
  send(event: Event): void
  stop(): void
}
interface XState {
  createActor(logic: unknown): XActor
  createMachine(config: unknown): unknown
  fromTransition(transition: (state: number, event: Event) => number, initial: number): unknown
  assign(assigner: (given: { readonly context: number; readonly event: Event }) => number): unknown
}

/** What an actor does with its state: the same function behind a machine and behind `fromTransition`. */
type Step = (state: number, event: Event) => number

/** xstate handles an event within `send`; it is measured twice, with a machine and with a plain transition function. */
export async function xstatePeer(name: 'xstate fromTransition' | 'xstate machine'): Promise<ActorPeer | undefined> {
  const xstate = await loadPeer<XState>('xstate')
  if (xstate === undefined) return undefined
  const { createActor, createMachine, fromTransition } = xstate
  // The bench's own copy of xstate: its `assign` belongs to it.
  const machine = (step: Step, initial = 0) =>
    createActor(
      createMachine({
        context: { n: initial },
        on: {
          '*': {
            actions: (xstate.assign as unknown as (by: unknown) => unknown)({
              n: ({ context, event }: { readonly context: { readonly n: number }; readonly event: Event }) =>
                step(context.n, event),
            }),
          },
        },
      }),
    ).start()
  const plain = (step: Step, initial = 0) => createActor(fromTransition(step, initial)).start()
  return name === 'xstate machine' ? peerOf(name, 0.05, machine) : peerOf(name, 1, plain)
}

function peerOf(peer: string, share: number, make: (step: Step, initial?: number) => XActor): ActorPeer {
  return {
    peer,
    share,
    async tell(messages) {
      let sum = 0
      const actor = make((state, { by = 0 }) => {
        sum = state + by
        return sum
      })
      const nanoseconds = await timed(messages, () => {
        for (let at = 0; at < messages; at++) actor.send({ type: 'count', by: 1 })
      })
      if (sum !== messages) throw new Error(`expected ${messages} handled, got ${sum}`)
      return nanoseconds
    },
    async pingPong(messages) {
      let left = messages / 2
      const two: XActor = make(state => {
        one.send({ type: 'ball' })
        return state
      })
      const one: XActor = make(state => {
        if (left-- > 0) two.send({ type: 'ball' })
        return state
      })
      return timed(messages, () => one.send({ type: 'ball' }))
    },
    async spawnStop(actors) {
      return timed(actors, () => {
        const made = Array.from({ length: actors }, () => make(state => state))
        for (const actor of made) actor.stop()
      })
    },
    async fanIn(messages) {
      const to = make((state, { by = 0 }) => state + by)
      const senders = Array.from({ length: SENDERS }, () =>
        make((state, { left = 0 }) => {
          for (let at = 0; at < left; at++) to.send({ type: 'count', by: 1 })
          return state
        }),
      )
      return timed(messages, () => {
        for (const actor of senders) actor.send({ type: 'send', left: messages / SENDERS })
      })
    },
    async ring(hops) {
      // One send handles the next within itself, so a turn around the ring is cut before the stack ends.
      const links: XActor[] = Array.from({ length: RING_ACTORS }, (_, at) =>
        make((state, { left = 0 }) => {
          if (left > 0) links[(at + 1) % RING_ACTORS]!.send({ type: 'token', left: left - 1 })
          return state
        }),
      )
      const step = 200
      return timed(hops, () => {
        for (let at = 0; at < hops; at += step) links[at % RING_ACTORS]!.send({ type: 'token', left: step - 1 })
      })
    },
    async idle(actors) {
      const before = await settledBytes()
      const made = Array.from({ length: actors }, () => make(state => state))
      const bytes = ((await settledBytes()) - before) / made.length
      for (const actor of made) actor.stop()
      return bytes
    },
  }
}
