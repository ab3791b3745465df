import { loadPeer, peerVersion } from '../peers.ts'
import { type ActorPeer, FAN_IN_SENDERS, latch } from './actor-peer.ts'

interface ComedyActor {
  send(topic: string, message?: unknown): Promise<void>
  sendAndReceive(topic: string, message?: unknown): Promise<unknown>
  createChild(behaviour: object): Promise<ComedyActor>
  destroy(): Promise<void>
}

/** What is used of comedy. */
interface Comedy {
  readonly createSystem: (options: object) => { rootActor(): Promise<ComedyActor>; destroy(): Promise<void> }
}

/** comedy 2, actors in memory. */
export async function comedyPeer(): Promise<ActorPeer | undefined> {
  const comedy = await loadPeer<Comedy>('comedy')
  if (comedy === undefined) return undefined
  let system: ReturnType<Comedy['createSystem']>
  let root: ComedyActor
  let count: ComedyActor
  const open = async () => {
    system = comedy.createSystem({ test: true })
    root = await system.rootActor()
  }
  const close = () => system.destroy()
  const counter = () => {
    let sum = 0
    return {
      add(by: number) {
        sum += by
      },
      read: () => sum,
    }
  }
  const openCounter = async () => {
    await open()
    count = await root.createChild(counter())
  }
  const read = () => count.sendAndReceive('read') as Promise<number>
  return {
    name: 'comedy',
    notes: [`comedy ${peerVersion('comedy')}, in-memory actors; its ask has no deadline`],
    works: {
      tell: {
        share: 0.05,
        prepare: openCounter,
        async run(operations) {
          for (let sent = 0; sent < operations; sent++) void count.send('add', 1)
          while ((await read()) < operations);
        },
        cleanUp: close,
      },
      pingPong: {
        share: 0.05,
        prepare: open,
        async run(operations) {
          const { done, open: over } = latch()
          const player = (next: () => ComedyActor) =>
            root.createChild({
              ball(left: number) {
                if (left === 0) over()
                else void next().send('ball', left - 1)
              },
            })
          const pong: ComedyActor = await player(() => ping)
          const ping: ComedyActor = await player(() => pong)
          void ping.send('ball', operations)
          await done
        },
        cleanUp: close,
      },
      ask: {
        share: 0.2,
        prepare: openCounter,
        async run(operations) {
          for (let asked = 0; asked < operations; asked++) await read()
        },
        cleanUp: close,
      },
      spawn: {
        share: 0.02,
        prepare: open,
        async run(operations) {
          const actors: ComedyActor[] = []
          for (let at = 0; at < operations; at++) actors.push(await root.createChild({ nothing() {} }))
          for (const actor of actors) await actor.destroy()
        },
        cleanUp: close,
      },
      fanIn: {
        share: 0.2,
        prepare: openCounter,
        async run(operations) {
          const messages = operations / FAN_IN_SENDERS
          const behaviour = {
            go() {
              for (let sent = 0; sent < messages; sent++) void count.send('add', 1)
            },
          }
          for (let at = 0; at < FAN_IN_SENDERS; at++) void (await root.createChild({ ...behaviour })).send('go')
          while ((await read()) < operations);
        },
        cleanUp: close,
      },
    },
    idle: {
      count: 2_000,
      async hold(actors) {
        await open()
        for (let at = 0; at < actors; at++) await root.createChild({ nothing() {} })
      },
      release: close,
    },
  }
}
