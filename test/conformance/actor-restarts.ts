import type { SpawnOptions } from 'spimpl-runtime'
import { type Behavior, behavior } from 'spimpl-runtime/internal/actors/actor.js'
import type { Ref } from 'spimpl-runtime/internal/references/actor-ref.js'
import type { SupervisionStrategy } from 'spimpl-runtime/internal/supervising/supervision.js'
import type { System } from 'spimpl-runtime/internal/system/system.js'
import { type Cases, gate } from './stage.ts'

type Part =
  | { readonly type: 'crash' }
  | { readonly type: 'link'; readonly to: Ref<Part> }
  | { readonly type: 'note'; readonly n: number }

interface Child extends SpawnOptions {
  readonly name: string
  /** Its `onStop` waits for it. */
  readonly until?: Promise<void>
}

/** A family under one strategy, and what happened to it. */
function family(system: System, strategy: SupervisionStrategy, children: readonly Child[]) {
  const log: string[] = []
  const refs: Record<string, Ref<Part>> = {}
  const part = (name: string, until: Promise<void> | undefined): Behavior<Part> =>
    behavior<Part>(context => {
      log.push(`${name} starts`)
      context.onStop(() => {
        log.push(`${name} stops`)
        return until
      })
      return {
        crash: () => {
          throw new Error('crash')
        },
        link: ({ to }) => context.link(to),
        note: ({ n }) => void log.push(`${name} ${n}`),
      }
    })
  const parent = behavior<Part>(
    context => {
      for (const { until, ...options } of children) {
        refs[options.name] = context.spawn(part(options.name, until), options)
      }
      return part('parent', undefined).setup(context)
    },
    { supervision: { strategy, intensity: { restarts: 20, withinMs: 1_000 } } },
  )
  system.spawn(parent, { name: 'parent' })
  const states = () =>
    Object.fromEntries(
      (system.inspect().children[0]?.children ?? []).map(({ name, state, restarts }) => [name, `${state} ${restarts}`]),
    )
  return { system, log, refs, states }
}

/** Restarts of several that meet: while some still go down, others start, fail or end. */
export const actorRestarts: Cases = {
  'one that starts only while its siblings go down goes down too, and comes up with them': async (t, stage) => {
    const held = gate()
    const system = stage.system()
    const queue = stage.queue('held back')
    queue.suspend()
    const { refs, states } = family(system, 'one-for-all', [
      { name: 'a' },
      { name: 'late', queue },
      { name: 'slow', until: held.promise },
    ])
    await stage.settle()
    refs.a!.tell({ type: 'crash' })
    await stage.settle()
    queue.resume()
    await stage.settle()
    held.open()
    await stage.settle()
    t.deepEqual(states(), { a: 'running 1', late: 'running 1', slow: 'running 1' })
    t.is(system.actorCount, 4)
  },
  'linked siblings that fail as one restart once': async (t, stage) => {
    for (const strategy of ['one-for-one', 'one-for-all', 'rest-for-one'] as const) {
      const own = family(stage.system(), strategy, [{ name: 'a' }, { name: 'b' }])
      await stage.settle()
      own.refs.a!.tell({ type: 'link', to: own.refs.b! })
      await stage.settle()
      own.refs.b!.tell({ type: 'crash' })
      await stage.settle()
      t.deepEqual(own.states(), { a: 'running 1', b: 'running 1' }, strategy)
      const stopped = own.system.stop()
      await stage.settle()
      await stopped
    }
  },
  'one that fails while it waits to go down changes nothing': async (t, stage) => {
    const held = gate()
    const { refs, states } = family(stage.system(), 'rest-for-one', [
      { name: 'a' },
      { name: 'b' },
      { name: 'slow', until: held.promise },
    ])
    await stage.settle()
    refs.a!.tell({ type: 'crash' })
    await stage.settle()
    refs.b!.tell({ type: 'crash' })
    await stage.settle()
    held.open()
    await stage.settle()
    t.deepEqual(states(), { a: 'running 1', b: 'running 1', slow: 'running 1' })
  },
  'one that is stopped while it goes down is left out of the restart': async (t, stage) => {
    const held = gate()
    const { refs, states, system } = family(stage.system(), 'one-for-all', [
      { name: 'a' },
      { name: 'slow', until: held.promise },
    ])
    await stage.settle()
    refs.a!.tell({ type: 'crash' })
    await stage.settle()
    system.stopActor(refs.slow!)
    held.open()
    await stage.settle()
    t.deepEqual(states(), { a: 'running 1' })
  },
  'a temporary sibling goes down with the others and does not come back': async (t, stage) => {
    const { refs, states, log } = family(stage.system(), 'one-for-all', [
      { name: 'a' },
      { name: 'once', restart: 'temporary' },
    ])
    await stage.settle()
    log.length = 0
    refs.a!.tell({ type: 'crash' })
    await stage.settle()
    t.deepEqual(states(), { a: 'running 1' })
    t.deepEqual(log, ['once stops', 'a stops', 'a starts'])
  },
  'what a promise of an earlier life does with its context changes nothing': async (t, stage) => {
    const system = stage.system()
    const held = gate()
    const log: string[] = []
    let life = 0
    const odd = behavior<Part>(context => {
      const own = ++life
      const table = (name: string) => ({
        crash: () => {
          throw new Error('crash')
        },
        link: () => {},
        note: ({ n }: { readonly n: number }) => void log.push(`${name} ${n}`),
      })
      if (own === 1) {
        // Nobody waits for it.
        void held.promise.then(() => {
          context.become(table('of an earlier life'))
          context.timers.set('t', 1, { type: 'note', n: 0 })
          t.throws(() => context.spawn(odd), { code: 'ACTOR_STOPPED' })
          t.false(context.stash({ type: 'note', n: 9 }))
          context.stop()
        })
      }
      return table(`life ${own}`)
    })
    const ref = system.spawn(odd)
    ref.tell({ type: 'crash' })
    await stage.settle()
    held.open()
    await stage.settle()
    ref.tell({ type: 'note', n: 1 })
    await stage.advance(4)
    t.deepEqual(log, ['life 2 1'])
    t.is(system.main.timers.size, 0)
    t.is(system.deadLetters.counts.get('stopped'), 1)
  },
  'what is told during a restart of several is handled when it is over': async (t, stage) => {
    const held = gate()
    const { refs, log } = family(stage.system(), 'one-for-all', [{ name: 'a' }, { name: 'slow', until: held.promise }])
    await stage.settle()
    refs.a!.tell({ type: 'crash' })
    await stage.settle()
    for (const n of [1, 2]) refs.a!.tell({ type: 'note', n })
    refs.slow!.tell({ type: 'note', n: 3 })
    await stage.settle()
    log.length = 0
    held.open()
    await stage.settle()
    t.deepEqual(log.sort(), ['a 1', 'a 2', 'a starts', 'a stops', 'slow 3', 'slow starts'])
  },
}
