import type { LogRecord, ReplyTo, SpawnOptions } from 'spimpl-runtime'
import { type Behavior, behavior } from 'spimpl-runtime/internal/actors/actor.js'
import { cellOf } from 'spimpl-runtime/internal/actors/actor-cell.js'
import type { Ref } from 'spimpl-runtime/internal/references/actor-ref.js'
import type { SupervisionStrategy } from 'spimpl-runtime/internal/supervising/supervision.js'
import type { Terminated } from 'spimpl-runtime/internal/supervising/termination.js'
import type { System } from 'spimpl-runtime/internal/system/system.js'
import { type Cases, gate } from './stage.ts'

type Part =
  | { readonly type: 'crash' }
  | { readonly type: 'hang' }
  | { readonly type: 'note'; readonly n: number }
  | { readonly type: 'read'; readonly replyTo: ReplyTo<number> }
type Watcher = { readonly type: 'ended'; readonly notice: Terminated }

interface Child extends SpawnOptions {
  readonly name: string
  readonly hook?: () => void | PromiseLike<void>
}

/** An actor that writes down what happens to it; `until` is what its `hang` waits for. */
function part(log: string[], name: string, until: Promise<void>, hook: Child['hook'] = () => {}): Behavior<Part> {
  return behavior<Part>(context => {
    log.push(`${name} starts`)
    context.onStop(() => {
      log.push(`${name} stops`)
      return hook()
    })
    return {
      crash: () => {
        throw new Error('crash')
      },
      hang: () => until,
      note: ({ n }) => void log.push(`${name} ${n}`),
      read: async () => await until,
    }
  })
}

/** A parent and its children, and what happened to them. */
function family(system: System, strategy: SupervisionStrategy, until: Promise<void>, children: readonly Child[]) {
  const log: string[] = []
  const refs: Record<string, Ref<Part>> = {}
  const parent = behavior<Part>(
    context => {
      for (const { hook, ...options } of children) {
        refs[options.name] = context.spawn(part(log, options.name, until, hook), options)
      }
      return part([], 'parent', until).setup(context)
    },
    { supervision: { strategy, intensity: { restarts: 20, withinMs: 1_000 } } },
  )
  const ref = system.spawn(parent, { name: 'parent' })
  const tell = (name: string, type: 'crash' | 'hang') => refs[name]!.tell({ type })
  return { log, refs, ref, tell }
}

const never = new Promise<void>(() => {})

/** Ends that do not come in time: of one actor, and of a phase. */
export const actorDeadlines: Cases = {
  'a handler that hangs delays the restart of its siblings up to its deadline': async (t, stage) => {
    const records: LogRecord[] = []
    let downMs = 0
    const down = () => {
      downMs = system.now()
    }
    const system = stage.system({ log: record => records.push(record) })
    const { log, refs, tell } = family(system, 'one-for-all', never, [
      { name: 'a' },
      { name: 'b', stopDeadlineMs: 4, hook: down },
      { name: 'c' },
    ])
    await stage.settle()
    tell('b', 'hang')
    await stage.settle()
    refs.b!.tell({ type: 'note', n: 1 })
    const failedMs = system.now()
    tell('a', 'crash')
    await stage.advance(8)
    t.true(downMs - failedMs >= 4)
    t.deepEqual(log.slice(3, 8), ['c stops', 'b stops', 'a stops', 'a starts', 'b starts'])
    t.deepEqual(log.slice(8).sort(), ['b 1', 'c starts'])
    const late = records.find(({ message }) => message === 'is late')
    t.is(late?.path, '/parent/b')
    t.like(late?.fields.error, { code: 'ACTOR_LATE' })
    t.is(system.main.timers.size, 0)
  },
  'a hook that hangs is left behind, and those registered before it run': async (t, stage) => {
    const system = stage.system()
    const log: string[] = []
    const ref = system.spawn(
      behavior<Part>(context => {
        context.onStop(() => void log.push('first'))
        context.onStop(() => never)
        return part(log, 'a', never).setup(context)
      }),
      { stopDeadlineMs: 4 },
    )
    ref.tell({ type: 'crash' })
    await stage.advance(8)
    t.deepEqual(log, ['a starts', 'a stops', 'first', 'a starts'])
  },
  "a hook that was left behind ends nobody else's wait": async (t, stage) => {
    const gates = [gate(), gate()]
    const system = stage.system()
    const log: string[] = []
    let lives = 0
    const ref = system.spawn(
      behavior<Part>(context => {
        const life = lives++
        context.onStop(() => gates[life]?.promise)
        return part(log, `life ${life}`, never).setup(context)
      }),
      { stopDeadlineMs: 60_000 },
    )
    ref.tell({ type: 'crash' })
    await stage.settle()
    cellOf(ref).lifecycle.stopWaiting()
    ref.tell({ type: 'crash' })
    await stage.settle()
    t.is(log.at(-1), 'life 1 stops')
    gates[0]!.open()
    await stage.settle()
    t.is(log.at(-1), 'life 1 stops')
    gates[1]!.open()
    await stage.settle()
    t.is(log.at(-1), 'life 2 starts')
  },
  'what is left behind holds its queue no more, and changes nothing when it comes to its end': async (t, stage) => {
    const held = gate()
    const system = stage.system()
    const queue = stage.queue('shared')
    const { log, refs, tell } = family(system, 'one-for-one', held.promise, [
      { name: 'a', queue, stopDeadlineMs: 4 },
      { name: 'b', queue },
    ])
    await stage.settle()
    tell('a', 'hang')
    await stage.settle()
    system.failActor(refs.a!, new Error('drill'))
    refs.b!.tell({ type: 'note', n: 1 })
    await stage.advance(8)
    t.deepEqual(log.slice(2).sort(), ['a starts', 'a stops', 'b 1'])
    t.is(queue.inFlight, 0)
    tell('a', 'hang')
    await stage.settle()
    t.is(queue.inFlight, 1)
    held.fail(new Error('too late for the first, in time for the second'))
    await stage.settle()
    t.is(queue.inFlight, 0)
    t.is(system.inspect().children[0]?.children[0]?.restarts, 2)
  },
  'whoever asked what was left behind learns that it failed': async (t, stage) => {
    const held = gate()
    const system = stage.system()
    const { refs } = family(system, 'one-for-one', held.promise, [{ name: 'a', stopDeadlineMs: 0 }])
    await stage.settle()
    const asked = refs.a!.ask(replyTo => ({ type: 'read', replyTo }), { timeoutMs: 60_000 })
    await stage.settle()
    system.failActor(refs.a!, new Error('drill'))
    await stage.advance(4)
    t.is(system.inspect().children[0]?.children[0]?.state, 'running')
    held.fail(new Error('gone'))
    await t.throwsAsync(asked, { code: 'ACTOR_FAILED' })
    await stage.settle()
    t.is(system.inspect().children[0]?.children[0]?.restarts, 1)
  },
  'one whose queue another one holds goes down without its hooks': async (t, stage) => {
    const system = stage.system()
    const queue = stage.queue('held')
    const holder = system.spawn(part([], 'holder', never), { queue })
    const { log, refs } = family(system, 'one-for-one', never, [{ name: 'a', queue, stopDeadlineMs: 4 }])
    await stage.settle()
    holder.tell({ type: 'hang' })
    await stage.settle()
    system.stopActor(refs.a!)
    while (system.inspect().children[1]?.children.length !== 0) await stage.advance(1)
    t.deepEqual(log, ['a starts'])
  },
  'a watcher learns that an actor was late; its children, who were not, have stopped in order': async (t, stage) => {
    const system = stage.system()
    const log: string[] = []
    const top = system.spawn(
      behavior<Part>(context => {
        for (const name of ['one', 'two']) {
          const child = context.spawn(part(log, name, never), { name })
          context.watch(child, { type: 'note', n: 0 })
        }
        return part(log, 'top', never).setup(context)
      }),
      { name: 'top', stopDeadlineMs: 4 },
    )
    const notices: Terminated[] = []
    const ended = ({ notice }: Watcher) => void notices.push(notice)
    system.spawn(
      behavior<Watcher>(context => {
        context.watch(top, notice => ({ type: 'ended', notice }))
        return { ended }
      }),
    )
    top.tell({ type: 'hang' })
    await stage.settle()
    log.length = 0
    system.stopActor(top)
    await stage.advance(8)
    t.deepEqual(log, ['two stops', 'one stops', 'top stops'])
    t.deepEqual(notices, [{ path: '/top', reason: { type: 'late' } }])
  },
  'an end that comes in time leaves no timer': async (t, stage) => {
    const held = gate()
    const system = stage.system()
    const { log, refs } = family(system, 'one-for-one', never, [
      { name: 'a', stopDeadlineMs: 60_000, hook: () => held.promise },
    ])
    await stage.settle()
    system.stopActor(refs.a!)
    await stage.settle()
    t.is(system.main.timers.size, 1)
    held.open()
    await stage.settle()
    t.is(system.main.timers.size, 0)
    t.deepEqual(log, ['a starts', 'a stops'])
  },
  'a deadline that is no length of time is refused': (t, stage) => {
    const system = stage.system()
    for (const stopDeadlineMs of [-1, Number.NaN]) {
      t.throws(() => system.spawn(part([], 'a', never), { stopDeadlineMs }), { code: 'CONFIG_INVALID' })
    }
    t.is(system.inspect().children.length, 0)
  },
  'a hook may return any thenable, also one that calls back at once, or throws': async (t, stage) => {
    const system = stage.system()
    const log: string[] = []
    const thens: PromiseLike<void>['then'][] = [
      ((done: () => void) => done()) as never,
      () => {
        throw new Error('not even this')
      },
    ]
    const ref = system.spawn(
      behavior<Part>(context => {
        for (const then of thens) context.onStop(() => ({ then }))
        return part(log, 'a', never).setup(context)
      }),
    )
    for (let life = 0; life < 2; life++) {
      ref.tell({ type: 'crash' })
      await stage.settle()
    }
    t.deepEqual(log, ['a starts', 'a stops', 'a starts', 'a stops', 'a starts'])
  },
  'one that hangs at the shutdown does not cost those behind it their hooks': async (t, stage) => {
    const system = stage.system({ phases: [{ name: 'all', deadlineMs: 4 }] })
    const log: string[] = []
    system.spawn(part(log, 'storage', never), { name: 'storage' })
    system.spawn(part(log, 'library', never), { name: 'library', queue: stage.queue('library') })
    const slow = () => never
    system.spawn(part(log, 'slow', never, slow), { name: 'slow' })
    const inner = behavior<Part>(context => {
      context.spawn(part(log, 'child', never), { name: 'child' })
      return part(log, 'hung', never).setup(context)
    })
    system.spawn(inner, { name: 'hung' }).tell({ type: 'hang' })
    await stage.settle()
    log.length = 0
    const report = system.stop()
    await stage.advance(12)
    t.deepEqual(await report.then(({ phases: [all] }) => [all?.stopped, all?.late]), [4, ['/hung', '/slow']])
    t.deepEqual(log.sort(), ['child stops', 'hung stops', 'library stops', 'slow stops', 'storage stops'])
    t.is(system.actorCount, 0)
  },
  'a handler that was left behind in one phase holds no queue in the next': async (t, stage) => {
    const system = stage.system({ phases: [{ name: 'first', deadlineMs: 4 }, { name: 'last' }] })
    const log: string[] = []
    const queue = stage.queue('shared')
    system.spawn(part(log, 'good', never), { name: 'good', phase: 'last', queue })
    system.spawn(part(log, 'hung', never), { name: 'hung', phase: 'first', queue }).tell({ type: 'hang' })
    await stage.settle()
    log.length = 0
    const report = system.stop()
    await stage.advance(12)
    t.deepEqual((await report).late, ['/hung'])
    t.deepEqual(log, ['hung stops', 'good stops'])
  },
}
