import { EventEmitter } from 'node:events'
import { type ActorPeer, timed } from './actor-peer.ts'

/** What Node has without any library: no mailbox, no supervision, no bound. The floor under all figures. */
export const barePeers: readonly ActorPeer[] = [
  {
    peer: 'EventEmitter',
    share: 1,
    async tell(messages) {
      const emitter = new EventEmitter()
      let sum = 0
      emitter.on('count', ({ by }: { readonly by: number }) => {
        sum += by
      })
      const nanoseconds = await timed(messages, () => {
        for (let at = 0; at < messages; at++) emitter.emit('count', { type: 'count', by: 1 })
      })
      if (sum !== messages) throw new Error('lost')
      return nanoseconds
    },
  },
  {
    peer: 'queueMicrotask',
    share: 1,
    async tell(messages) {
      let sum = 0
      const handle = ({ by }: { readonly by: number }) => {
        sum += by
      }
      return timed(
        messages,
        () =>
          new Promise<void>(resolve => {
            for (let at = 0; at < messages; at++) {
              const message = { type: 'count', by: 1 }
              queueMicrotask(() => handle(message))
            }
            queueMicrotask(() => {
              if (sum === messages) resolve()
            })
          }),
      )
    },
    async pingPong(messages) {
      let left = messages
      return timed(
        messages,
        () =>
          new Promise<void>(resolve => {
            const one = () => {
              if (left-- > 0) queueMicrotask(two)
              else resolve()
            }
            const two = () => {
              if (left-- > 0) queueMicrotask(one)
              else resolve()
            }
            one()
          }),
      )
    },
  },
]
