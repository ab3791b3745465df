import { EventEmitter } from 'node:events'
import { type ActorPeer, FAN_IN_SENDERS, latch, RING_ACTORS } from './actor-peer.ts'

interface Message {
  readonly by: number
}

/** Not actors: what the same calls cost with nothing around them. */
export function eventEmitterPeer(): ActorPeer {
  return {
    name: 'EventEmitter',
    notes: [
      'EventEmitter calls its listeners within emit(): nothing waits, and nothing can be sent to and fro for long',
    ],
    works: {
      tell: {
        run(operations) {
          const emitter = new EventEmitter()
          let sum = 0
          emitter.on('add', ({ by }: Message) => {
            sum += by
          })
          for (let sent = 0; sent < operations; sent++) emitter.emit('add', { by: 1 })
          expectSum(sum, operations)
        },
      },
      fanIn: {
        run(operations) {
          const receiver = new EventEmitter()
          let sum = 0
          receiver.on('add', ({ by }: Message) => {
            sum += by
          })
          for (let at = 0; at < FAN_IN_SENDERS; at++) {
            const sender = new EventEmitter()
            sender.on('go', (messages: number) => {
              for (let sent = 0; sent < messages; sent++) receiver.emit('add', { by: 1 })
            })
            sender.emit('go', operations / FAN_IN_SENDERS)
          }
          expectSum(sum, operations)
        },
      },
    },
  }
}

/** A function call, put off through the queue of microtasks. */
export function microtaskPeer(): ActorPeer {
  return {
    name: 'queueMicrotask',
    works: {
      tell: {
        async run(operations) {
          const { done, open } = latch()
          let sum = 0
          const add = ({ by }: Message) => {
            sum += by
          }
          for (let sent = 0; sent < operations; sent++) {
            const message = { by: 1 }
            queueMicrotask(() => add(message))
          }
          queueMicrotask(open)
          await done
          expectSum(sum, operations)
        },
      },
      pingPong: { run: operations => pass(2, operations) },
      ring: { run: operations => pass(RING_ACTORS, operations) },
    },
  }
}

/** One ball round so many functions. */
async function pass(players: number, passes: number): Promise<void> {
  const { done, open } = latch()
  const ring = Array.from({ length: players }, (_, at) => (ball: { readonly left: number }): void => {
    if (ball.left === 0) {
      open()
      return
    }
    const next = { left: ball.left - 1 }
    queueMicrotask(() => ring[(at + 1) % players]!(next))
  })
  ring[0]!({ left: passes })
  await done
}

function expectSum(sum: number, operations: number): void {
  if (sum !== operations) throw new Error(`expected ${operations} messages to be handled, got ${sum}`)
}
