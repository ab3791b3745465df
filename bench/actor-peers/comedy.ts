import { loadPeer } from '../peers.ts'
import { type ActorPeer, timed } from './actor-peer.ts'

interface ComedyActor {
  createChild(definition: unknown, options?: unknown): Promise<ComedyActor>
  send(topic: string, message?: unknown): Promise<void>
  sendAndReceive(topic: string, message?: unknown): Promise<unknown>
  destroy(): Promise<void>
}
interface ComedySystem {
  rootActor(): Promise<ComedyActor>
  destroy(): Promise<void>
}
type Comedy = ((options: unknown) => ComedySystem) & { readonly createSystem?: (options: unknown) => ComedySystem }

const silent = { isDebug: () => false, debug() {}, info() {}, warn() {}, error() {}, setLevel() {} }

/** comedy with actors of the same process: every send is a promise. */
export async function comedyPeer(): Promise<ActorPeer | undefined> {
  const comedy = await loadPeer<Comedy>('comedy')
  if (comedy === undefined) return undefined
  const system = (comedy.createSystem ?? comedy)({ log: silent, test: true })
  const root = await system.rootActor()
  const sink = () => {
    let sum = 0
    return {
      count: ({ by }: { readonly by: number }) => {
        sum += by
      },
      done: () => sum,
    }
  }
  return {
    peer: 'comedy',
    share: 0.02,
    async tell(messages) {
      const ref = await root.createChild(sink())
      const nanoseconds = await timed(messages, async () => {
        for (let at = 0; at < messages; at++) void ref.send('count', { by: 1 })
        while ((await ref.sendAndReceive('done')) !== messages);
      })
      await ref.destroy()
      return nanoseconds
    },
    async ask(questions) {
      const ref = await root.createChild(sink())
      const nanoseconds = await timed(questions, async () => {
        for (let at = 0; at < questions; at++) await ref.sendAndReceive('done')
      })
      await ref.destroy()
      return nanoseconds
    },
    async spawnStop(actors) {
      return timed(actors, async () => {
        const made: ComedyActor[] = []
        for (let at = 0; at < actors; at++) made.push(await root.createChild(sink()))
        for (const actor of made) await actor.destroy()
      })
    },
    close: () => system.destroy(),
  }
}
