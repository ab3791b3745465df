import { type Behavior, behavior } from 'spimpl-runtime/internal/actors/actor.js'
import type { Ref, ReplyTo } from 'spimpl-runtime/internal/references/actor-ref.js'
import type { StopReason, Terminated } from 'spimpl-runtime/internal/supervising/termination.js'
import { type Cases, gate } from './stage.ts'

type Idle =
  | { readonly type: 'crash' }
  | { readonly type: 'leave' }
  | { readonly type: 'tellFirst'; readonly to: Ref<Watcher> }
type Watcher = { readonly type: 'ended'; readonly who: string; readonly reason?: StopReason }

const mortal: Behavior<Idle> = behavior<Idle>(context => ({
  crash: () => {
    throw new Error('crash')
  },
  leave: () => context.stop(),
  tellFirst: ({ to }) => {
    to.tell({ type: 'ended', who: 'last words' })
    context.stop()
  },
}))

function watcher(watched: readonly Ref<Idle>[], notices: Watcher[]): Behavior<Watcher> {
  return behavior<Watcher>(context => {
    for (const ref of watched) {
      context.watch(ref, ({ path, reason }: Terminated) => ({ type: 'ended', who: path, reason }))
    }
    return { ended: notice => void notices.push(notice) }
  })
}

/** Death watch, links, shutdown. */
export const actorEnds: Cases = {
  'a watcher is told once that an actor stopped': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(mortal, { name: 'm' })
    const notices: Watcher[] = []
    system.spawn(watcher([ref, ref], notices))
    await stage.settle()
    ref.tell({ type: 'leave' })
    await stage.settle()
    system.stopActor(ref)
    await stage.settle()
    t.deepEqual(notices, [{ type: 'ended', who: '/m', reason: { type: 'stopped' } }])
  },
  'a watcher is told why an actor failed for good': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(mortal, { restart: 'temporary' })
    const notices: Watcher[] = []
    system.spawn(watcher([ref], notices))
    await stage.settle()
    ref.tell({ type: 'crash' })
    await stage.settle()
    t.is(notices.length, 1)
    const reason = notices[0]!.reason!
    t.is(reason.type === 'failed' ? (reason.error as Error).message : '', 'crash')
  },
  'watching an actor that is already gone gives one notice at once': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(mortal)
    system.stopActor(ref)
    await stage.settle()
    const notices: Watcher[] = []
    system.spawn(watcher([ref], notices))
    await stage.settle()
    t.is(notices.length, 1)
  },
  'a restart is no end': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(mortal)
    const notices: Watcher[] = []
    system.spawn(watcher([ref], notices))
    await stage.settle()
    ref.tell({ type: 'crash' })
    await stage.settle()
    t.deepEqual(notices, [])
  },
  'the notice comes behind what the actor sent before': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(mortal)
    const notices: Watcher[] = []
    const to = system.spawn(watcher([ref], notices))
    await stage.settle()
    ref.tell({ type: 'tellFirst', to })
    await stage.settle()
    t.deepEqual(
      notices.map(({ who }) => who),
      ['last words', ref.path],
    )
  },
  'a notice is not dropped by a full mailbox': async (t, stage) => {
    const system = stage.system()
    const refs = Array.from({ length: 20 }, () => system.spawn(mortal))
    const notices: Watcher[] = []
    system.spawn(watcher(refs, notices), { mailbox: { capacity: 1 } })
    await stage.settle()
    for (const ref of refs) system.stopActor(ref)
    await stage.settle()
    t.is(notices.length, 20)
  },
  'unwatch ends the watch': async (t, stage) => {
    const system = stage.system()
    const ref = system.spawn(mortal)
    system.spawn(
      behavior<Watcher>(context => {
        context.watch(ref, { type: 'ended', who: 'it' })
        context.unwatch(ref)
        return { ended: () => t.fail() }
      }),
    )
    await stage.settle()
    system.stopActor(ref)
    await stage.settle()
    t.pass()
  },
  'a watcher that restarts is told only of what it watches anew': async (t, stage) => {
    type Restarting = Watcher | { readonly type: 'crash' }
    const system = stage.system()
    const ref = system.spawn(mortal)
    let lives = 0
    let told = 0
    const restarting = system.spawn(
      behavior<Restarting>(context => {
        if (++lives === 1) context.watch(ref, { type: 'ended', who: 'it' })
        return {
          ended: () => void told++,
          crash: () => {
            throw new Error('x')
          },
        }
      }),
    )
    await stage.settle()
    restarting.tell({ type: 'crash' })
    await stage.settle()
    system.stopActor(ref)
    await stage.settle()
    t.is(told, 0)
  },
  'a link carries the failure of one to the other': async (t, stage) => {
    const system = stage.system()
    const other = system.spawn(mortal, { name: 'other', restart: 'temporary' })
    system.spawn(
      behavior<Watcher>(context => {
        context.link(other)
        return { ended: () => {} }
      }),
      { name: 'linked', restart: 'temporary' },
    )
    await stage.settle()
    other.tell({ type: 'crash' })
    await stage.settle()
    t.deepEqual(system.inspect().children, [])
  },
  'a link carries nothing when one stops in order': async (t, stage) => {
    const system = stage.system()
    const other = system.spawn(mortal)
    system.spawn(
      behavior<Watcher>(context => {
        context.link(other)
        return { ended: () => {} }
      }),
      { name: 'linked' },
    )
    await stage.settle()
    other.tell({ type: 'leave' })
    await stage.settle()
    t.deepEqual(
      system.inspect().children.map(({ name }) => name),
      ['linked'],
    )
  },
  'an unlinked actor is left alone': async (t, stage) => {
    const system = stage.system()
    const other = system.spawn(mortal, { restart: 'temporary' })
    system.spawn(
      behavior<Watcher>(context => {
        context.link(other)
        context.unlink(other)
        return { ended: () => {} }
      }),
      { name: 'free', restart: 'temporary' },
    )
    await stage.settle()
    other.tell({ type: 'crash' })
    await stage.settle()
    t.is(system.inspect().children[0]?.name, 'free')
  },
  'the hooks of an actor run on its queue, and wait while that is suspended': async (t, stage) => {
    const system = stage.system()
    const queue = stage.queue('q', { target: system.main })
    let ran = false
    const ref = system.spawn(
      behavior<Watcher>(context => {
        context.onStop(() => {
          queue.assertCurrent()
          ran = true
        })
        return { ended: () => {} }
      }),
      { queue },
    )
    await stage.settle()
    queue.suspend()
    system.stopActor(ref)
    await stage.settle()
    t.false(ran)
    queue.resume()
    await stage.settle()
    t.true(ran)
    t.is(system.actorCount, 0)
  },
  'the hooks of an actor wait for whoever awaits on its serial queue': async (t, stage) => {
    const system = stage.system()
    const queue = stage.queue('q', { target: system.main })
    const until = gate()
    const log: string[] = []
    const busy = system.spawn(
      behavior<Idle>(() => ({
        crash: async () => {
          await until.promise
          log.push('awaited')
        },
        leave: () => {},
        tellFirst: () => {},
      })),
      { queue },
    )
    const ending = system.spawn(
      behavior<Watcher>(context => {
        context.onStop(() => void log.push('hook'))
        return { ended: () => {} }
      }),
      { queue },
    )
    await stage.settle()
    busy.tell({ type: 'crash' })
    await stage.settle()
    system.stopActor(ending)
    await stage.settle()
    t.deepEqual(log, [])
    until.open()
    await stage.settle()
    t.deepEqual(log, ['awaited', 'hook'])
  },
  'draining handles what waits, then stops': async (t, stage) => {
    const handled: string[] = []
    const system = stage.system()
    const ref = system.spawn(behavior<Watcher>(() => ({ ended: ({ who }) => void handled.push(who) })))
    for (const who of ['a', 'b']) ref.tell({ type: 'ended', who })
    system.stopActor(ref, { drain: true })
    ref.tell({ type: 'ended', who: 'late' })
    await stage.settle()
    t.deepEqual(handled, ['a', 'b'])
    t.is(system.deadLetters.counts.get('stopped'), 1)
  },
  'shutdown goes phase by phase, in each the youngest first': async (t, stage) => {
    const log: string[] = []
    const logs = (name: string) =>
      behavior<Idle>(context => {
        context.onStop(() => void log.push(name))
        return { crash: () => {}, leave: () => {}, tellFirst: () => {} }
      })
    const system = stage.system({ phases: [{ name: 'ingress' }, { name: 'work' }, { name: 'storage' }] })
    for (const [name, phase] of [
      ['disk', 'storage'],
      ['socket', 'ingress'],
      ['worker 1', 'work'],
      ['worker 2', 'work'],
    ] as const) {
      system.spawn(logs(name), { name, phase })
    }
    await stage.settle()
    const report = system.stop()
    await stage.settle()
    t.deepEqual(log, ['socket', 'worker 2', 'worker 1', 'disk'])
    t.deepEqual(
      (await report).phases.map(({ name, stopped }) => [name, stopped]),
      [
        ['ingress', 1],
        ['work', 2],
        ['storage', 1],
      ],
    )
  },
  'what is late at the deadline of its phase is cut off and reported': async (t, stage) => {
    const never = gate()
    const system = stage.system({ phases: [{ name: 'work', deadlineMs: 3 }, { name: 'storage' }] })
    const slow = behavior<Idle>(context => {
      context.onStop(() => never.promise)
      return { crash: () => {}, leave: () => {}, tellFirst: () => {} }
    })
    system.spawn(slow, { name: 'slow', phase: 'work' })
    system.spawn(mortal, { name: 'disk', phase: 'storage' })
    await stage.settle()
    const report = system.stop()
    await stage.advance(8)
    t.deepEqual((await report).late, ['/slow'])
    t.deepEqual((await report).phases[0]?.late, ['/slow'])
    t.is((await report).phases[1]?.stopped, 1)
  },
  'a handler that never returns is late too': async (t, stage) => {
    const never = gate()
    const system = stage.system()
    const ref = system.spawn(
      behavior<Idle>(() => ({ crash: () => never.promise, leave: () => {}, tellFirst: () => {} })),
      { name: 'stuck' },
    )
    ref.tell({ type: 'crash' })
    await stage.settle()
    const report = system.stop({ deadlineMs: 3 })
    await stage.advance(8)
    t.deepEqual((await report).late, ['/stuck'])
  },
  'stopping twice waits for the same end': async (t, stage) => {
    const system = stage.system()
    system.spawn(mortal)
    const first = system.stop()
    const second = system.stop()
    await stage.settle()
    t.is(await first, await second)
  },
  'nothing starts in a system that stops': async (t, stage) => {
    const system = stage.system()
    const stopped = system.stop()
    await stage.settle()
    await stopped
    t.throws(() => system.spawn(mortal), { code: 'ACTOR_STOPPED' })
  },
  'a question that an actor kept is answered at the latest when the system has stopped': async (t, stage) => {
    type Keep = { readonly type: 'keep'; readonly replyTo: ReplyTo<number> }
    const system = stage.system()
    const kept: ReplyTo<number>[] = []
    const ref = system.spawn(behavior<Keep>(() => ({ keep: ({ replyTo }) => void kept.push(replyTo) })))
    const asked = ref.ask(replyTo => ({ type: 'keep', replyTo }), { timeoutMs: 1_000_000 })
    await stage.settle()
    const stopped = system.stop()
    await stage.settle()
    await stopped
    await t.throwsAsync(asked, { code: 'ACTOR_STOPPED' })
    t.is(system.main.timers.size, 0)
    t.false(kept[0]!.tell(1))
  },
  'a stopped system leaves no timer': async (t, stage) => {
    const system = stage.system()
    system.spawn(
      behavior<Watcher>(context => {
        context.timers.set('far', 1_000_000, { type: 'ended', who: 'nobody' })
        return { ended: () => {} }
      }),
    )
    await stage.settle()
    t.is(system.main.timers.size, 1)
    const stopped = system.stop()
    await stage.settle()
    await stopped
    t.is(system.main.timers.size, 0)
  },
}
