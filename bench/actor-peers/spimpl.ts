import { behavior, Recorder, type Ref, type ReplyTo, System } from 'spimpl-runtime'
import { type ActorPeer, RING_ACTORS, SENDERS, settledBytes, timed } from './actor-peer.ts'

type Sink =
  | { readonly type: 'count'; readonly by: number }
  | { readonly type: 'done'; readonly replyTo: ReplyTo<number> }
type Player =
  | { readonly type: 'start'; readonly with: Ref<Player>; readonly rounds: number; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'ball'; readonly from: Ref<Player> }
type Sender = { readonly type: 'send'; readonly to: Ref<Sink>; readonly messages: number }
type Link =
  | { readonly type: 'next'; readonly ref: Ref<Link> }
  | { readonly type: 'token'; readonly left: number; readonly replyTo: ReplyTo<number> }

const forever = { timeoutMs: 600_000 }

const sink = behavior<Sink>(() => {
  let sum = 0
  return {
    count: ({ by }) => {
      sum += by
    },
    done: ({ replyTo }) => {
      replyTo.tell(sum)
    },
  }
})

const player = behavior<Player>(context => {
  const { self } = context
  const ball: Player = { type: 'ball', from: self }
  let left = 0
  let done: ReplyTo<number> | undefined
  return {
    start: message => {
      left = message.rounds
      done = message.replyTo
      message.with.tell(ball)
    },
    ball: ({ from }) => {
      if (done === undefined) from.tell({ type: 'ball', from: self })
      else if (--left > 0) from.tell({ type: 'ball', from: self })
      else done.tell(0)
    },
  }
})

const sender = behavior<Sender>(() => ({
  send: ({ to, messages }) => {
    for (let at = 0; at < messages; at++) to.tell({ type: 'count', by: 1 })
  },
}))

const link = behavior<Link>(() => {
  let next: Ref<Link> | undefined
  return {
    next: ({ ref }) => {
      next = ref
    },
    token: ({ left, replyTo }) => {
      if (left === 0) replyTo.tell(0)
      else next!.tell({ type: 'token', left: left - 1, replyTo })
    },
  }
})

const idle = behavior<{ readonly type: 'nothing' }>(() => ({ nothing: () => {} }))

/** @param tracing with a recorder that writes down every hop */
export function spimplPeer(peer = 'spimpl', tracing = false): ActorPeer {
  const made = () => new System(tracing ? { recorder: new Recorder() } : {})
  const boundless = { mailbox: { capacity: 1 << 24 } }
  const done = (ref: Ref<Sink>) => ref.ask(replyTo => ({ type: 'done', replyTo }), forever)
  return {
    peer,
    share: 1,
    async tell(messages) {
      await using system = made()
      const ref = system.spawn(sink, boundless)
      return await timed(messages, async () => {
        for (let at = 0; at < messages; at++) ref.tell({ type: 'count', by: 1 })
        await done(ref)
      })
    },
    async pingPong(messages) {
      await using system = made()
      const one = system.spawn(player)
      const two = system.spawn(player)
      return await timed(messages, async () => {
        await one.ask(replyTo => ({ type: 'start', with: two, rounds: messages / 2, replyTo }), forever)
      })
    },
    async ask(questions) {
      await using system = made()
      const ref = system.spawn(sink)
      return await timed(questions, async () => {
        for (let at = 0; at < questions; at++) await done(ref)
      })
    },
    async spawnStop(actors) {
      await using system = made()
      return await timed(actors, async () => {
        const refs: Ref<{ readonly type: 'nothing' }>[] = []
        for (let at = 0; at < actors; at++) refs.push(system.spawn(idle))
        for (const ref of refs) system.stopActor(ref, { drain: true })
        while (system.actorCount > 0) await new Promise(resolve => setImmediate(resolve))
      })
    },
    async fanIn(messages) {
      await using system = made()
      const to = system.spawn(sink, boundless)
      const senders = Array.from({ length: SENDERS }, () => system.spawn(sender))
      return await timed(messages, async () => {
        for (const ref of senders) ref.tell({ type: 'send', to, messages: messages / SENDERS })
        while ((await done(to)) < messages);
      })
    },
    async ring(hops) {
      await using system = made()
      const links = Array.from({ length: RING_ACTORS }, () => system.spawn(link))
      for (const [at, ref] of links.entries()) ref.tell({ type: 'next', ref: links[(at + 1) % RING_ACTORS]! })
      return await timed(hops, async () => {
        await links[0]!.ask(replyTo => ({ type: 'token', left: hops, replyTo }), forever)
      })
    },
    async idle(actors) {
      const system = made()
      const before = await settledBytes()
      const refs = Array.from({ length: actors }, () => system.spawn(idle))
      while (system.inspect().children.some(({ state }) => state !== 'running')) {
        await new Promise(resolve => setImmediate(resolve))
      }
      const bytes = ((await settledBytes()) - before) / refs.length
      await system.stop()
      return bytes
    },
  }
}
