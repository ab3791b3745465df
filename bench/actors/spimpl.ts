import { behavior, Recorder, type Ref, type ReplyTo, System } from '../../src/runtime/runtime.ts'
import { type ActorPeer, FAN_IN_SENDERS, latch, RING_ACTORS } from './actor-peer.ts'

type Count = { type: 'add'; by: number } | { type: 'read'; replyTo: ReplyTo<number> }
type Ball = { type: 'ball'; left: number }
type Go = { type: 'go'; messages: number }
type Idle = { type: 'nothing' }

const ASK = { timeoutMs: 60_000 }

const counter = behavior<Count>(() => {
  let sum = 0
  return {
    add: ({ by }) => {
      sum += by
    },
    read: ({ replyTo }) => {
      replyTo.tell(sum)
    },
  }
})

const idle = behavior<Idle>(() => ({ nothing: () => {} }))

const player = (next: () => Ref<Ball>, over: () => void) =>
  behavior<Ball>(() => ({
    ball: ({ left }) => {
      if (left === 0) over()
      else next().tell({ type: 'ball', left: left - 1 })
    },
  }))

const sender = (receiver: Ref<Count>) =>
  behavior<Go>(() => ({
    go: ({ messages }) => {
      for (let sent = 0; sent < messages; sent++) receiver.tell({ type: 'add', by: 1 })
    },
  }))

const sumOf = (ref: Ref<Count>) => ref.ask<number>(replyTo => ({ type: 'read', replyTo }), ASK)

function expectSum(sum: number, operations: number): void {
  if (sum !== operations) throw new Error(`expected ${operations} messages to be handled, got ${sum}`)
}

/** @param recording with a recorder that writes down every hop */
export function spimplPeer(name: string, recording: boolean): ActorPeer {
  let system: System
  let count: Ref<Count>
  const open = () => {
    system = new System(recording ? { recorder: new Recorder() } : {})
  }
  const close = () => system.stop()
  // As large as the work: what is measured is the hop, and nothing may be refused.
  const openCounter = () => {
    open()
    count = system.spawn(counter, { mailbox: { capacity: 2 ** 24 } })
  }
  const held: Ref<Idle>[] = []
  return {
    name,
    works: {
      tell: {
        prepare: openCounter,
        async run(operations) {
          for (let sent = 0; sent < operations; sent++) count.tell({ type: 'add', by: 1 })
          expectSum(await sumOf(count), operations)
        },
        cleanUp: close,
      },
      pingPong: {
        prepare: open,
        async run(operations) {
          const { done, open: over } = latch()
          const pong: Ref<Ball> = system.spawn(player(() => ping, over))
          const ping: Ref<Ball> = system.spawn(player(() => pong, over))
          ping.tell({ type: 'ball', left: operations })
          await done
        },
        cleanUp: close,
      },
      ask: {
        prepare: openCounter,
        async run(operations) {
          for (let asked = 0; asked < operations; asked++) await sumOf(count)
        },
        cleanUp: close,
      },
      spawn: {
        prepare: open,
        async run(operations) {
          const refs = Array.from({ length: operations }, () => system.spawn(idle))
          // Behind all of them in line: when it answers, they have started.
          await sumOf(system.spawn(counter))
          for (const ref of refs) system.stopActor(ref)
        },
        cleanUp: close,
      },
      fanIn: {
        prepare: openCounter,
        async run(operations) {
          const messages = operations / FAN_IN_SENDERS
          const behavior = sender(count)
          for (let at = 0; at < FAN_IN_SENDERS; at++) system.spawn(behavior).tell({ type: 'go', messages })
          // The first question may be answered before the senders had their turn.
          while ((await sumOf(count)) < operations);
        },
        cleanUp: close,
      },
      ring: {
        prepare: open,
        async run(operations) {
          const { done, open: over } = latch()
          const ring: Ref<Ball>[] = []
          for (let at = 0; at < RING_ACTORS; at++) {
            ring.push(system.spawn(player(() => ring[(at + 1) % RING_ACTORS]!, over)))
          }
          ring[0]!.tell({ type: 'ball', left: operations })
          await done
        },
        cleanUp: close,
      },
    },
    idle: {
      count: 100_000,
      async hold(actors) {
        open()
        for (let at = 0; at < actors; at++) held.push(system.spawn(idle))
        await sumOf(system.spawn(counter))
      },
      async release() {
        held.length = 0
        await close()
      },
    },
  }
}
