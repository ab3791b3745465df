import { loadPeer, peerVersion } from '../peers.ts'
import { type ActorPeer, FAN_IN_SENDERS, latch, type Work } from './actor-peer.ts'

interface Event {
  readonly type: string
  readonly by?: number
  readonly left?: number
}

interface XstateActor {
  start(): XstateActor
  stop(): XstateActor
  send(event: Event): void
  getSnapshot(): { readonly context: Sum }
}

interface Sum {
  readonly sum: number
}

/** What is used of xstate. */
interface Xstate {
  readonly createActor: (logic: unknown) => XstateActor
  readonly fromTransition: (transition: (context: Sum, event: Event) => Sum, initial: Sum) => unknown
  readonly createMachine: (config: unknown) => unknown
  readonly assign: (assigner: (args: { readonly context: Sum; readonly event: Event }) => Sum) => unknown
}

type Logic = (take: (context: Sum, event: Event) => Sum) => unknown

/** xstate 5, as a reducer and as a machine with one state: both deliver within `send`. */
export async function xstatePeers(): Promise<readonly ActorPeer[]> {
  const xstate = await loadPeer<Xstate>('xstate')
  if (xstate === undefined) return []
  const { assign, createActor, createMachine, fromTransition } = xstate
  const reducer: Logic = take => fromTransition(take, { sum: 0 })
  const machine: Logic = take =>
    createMachine({
      context: { sum: 0 },
      on: { '*': { actions: assign(({ context, event }) => take(context, event)) } },
    })
  const note = `xstate ${peerVersion('xstate')} handles a message within send(): none waits, so a ring of 10,000 would be as many calls deep, and there is no ask`
  return [peer('xstate fromTransition', reducer, 1, [note]), peer('xstate machine', machine, 0.1, [])]

  function peer(name: string, logic: Logic, share: number, notes: readonly string[]): ActorPeer {
    const add = logic(({ sum }, event) => ({ sum: sum + event.by! }))
    const held: XstateActor[] = []
    const tell: Work = {
      share,
      run(operations) {
        const actor = createActor(add).start()
        for (let sent = 0; sent < operations; sent++) actor.send({ type: 'add', by: 1 })
        expectSum(actor, operations)
      },
    }
    return {
      name,
      notes,
      works: {
        tell,
        pingPong: {
          share,
          async run(operations) {
            const { done, open: over } = latch()
            const player = (next: () => XstateActor) =>
              createActor(
                logic((context, { left = 0 }) => {
                  if (left === 0) over()
                  else next().send({ type: 'ball', left: left - 1 })
                  return context
                }),
              ).start()
            const pong: XstateActor = player(() => ping)
            const ping: XstateActor = player(() => pong)
            ping.send({ type: 'ball', left: operations })
            await done
          },
        },
        spawn: {
          share,
          run(operations) {
            const actors = Array.from({ length: operations }, () => createActor(add).start())
            for (const actor of actors) actor.stop()
          },
        },
        fanIn: {
          share,
          run(operations) {
            const messages = operations / FAN_IN_SENDERS
            const receiver = createActor(add).start()
            const send = logic(context => {
              for (let sent = 0; sent < messages; sent++) receiver.send({ type: 'add', by: 1 })
              return context
            })
            for (let at = 0; at < FAN_IN_SENDERS; at++) createActor(send).start().send({ type: 'go' })
            expectSum(receiver, operations)
          },
        },
      },
      idle: {
        count: 20_000,
        hold(actors) {
          for (let at = 0; at < actors; at++) held.push(createActor(add).start())
        },
        release() {
          held.length = 0
        },
      },
    }
  }
}

function expectSum(actor: XstateActor, operations: number): void {
  const { sum } = actor.getSnapshot().context
  if (Math.round(sum) !== Math.round(operations)) throw new Error(`expected ${operations} messages, got ${sum}`)
}
