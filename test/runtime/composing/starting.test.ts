import test from 'ava'
import {
  type Behavior,
  behavior,
  type Composition,
  composition,
  fromModule,
  type ReplyTo,
  type Shape,
  SpimplError,
  System,
} from 'spimpl-runtime'
import { TestSystem } from 'spimpl-runtime/testing'
import { type Ground, onEveryExecutor, startOn } from './grounds.ts'
import type { Placed, PlacedInput, Told } from './row-modules.js'

type Part =
  | { readonly type: 'name'; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'mute'; readonly replyTo: ReplyTo<string> }

const module = new URL('./row-modules.js', import.meta.url)
const placed = fromModule<Placed, PlacedInput>({ module, name: 'placed' })

/** Writes down the starts and stops of rows. */
class Journal {
  readonly lines: string[] = []

  readonly part = (name: string, fails = false): Behavior<Part> =>
    behavior<Part>(context => {
      this.lines.push(`+${name}`)
      context.onStop(() => void this.lines.push(`-${name}`))
      if (fails) throw new RangeError(`${name} is broken`)
      return { name: ({ replyTo }) => void replyTo.tell(name), mute: () => {} }
    })

  readonly log = behavior<Told>(() => ({ told: ({ what }) => void this.lines.push(what) }))
}

const three = ({ part }: Journal) =>
  composition('three')
    .with('a', {
      behavior: () => part('a'),
      ready: (ref, within) => ref.ask(replyTo => ({ type: 'name', replyTo }), within),
    })
    .with('b', { needs: ['a'], behavior: (_, { a }) => part(`b after ${a}`) })
    .supervisor('top')
    .with('c', { needs: ['a', 'b'], behavior: () => part('c'), ready: async ref => ref.path })

onEveryExecutor('rows start in order, each gets what it needs, and they stop in reverse', async (t, ground) => {
  const journal = new Journal()
  const running = await startOn(ground, three(journal))
  t.deepEqual(journal.lines, ['+a', '+b after a', '+c'])
  t.deepEqual({ ...running.started }, { a: 'a', b: undefined, c: '/top/c' })
  t.is(running.refs.b.path, '/three/b')
  t.is(
    await ground.until(running.refs.b.ask(replyTo => ({ type: 'name', replyTo }), { timeoutMs: 5_000 })),
    'b after a',
  )
  const { phases, late, failure } = await ground.until(running.stop())
  t.deepEqual(journal.lines.slice(3), ['-c', '-b after a', '-a'])
  t.deepEqual(
    phases.map(({ name, stopped }) => [name, stopped]),
    [
      ['top', 1],
      ['three', 1],
    ],
  )
  t.deepEqual([late, failure], [[], undefined])
  t.is(running.system.actorCount, 0)
  t.deepEqual(await ground.until(running.terminated), await ground.until(running.stop()))
})

/** Starts what must fail, and what of it is left. */
async function failure<S extends Shape>(ground: Ground, composition: Composition<S>): Promise<SpimplError> {
  try {
    await startOn(ground, composition)
  } catch (error) {
    if (error instanceof SpimplError) return error
    throw error
  }
  throw new Error(`expected ${composition.name} not to start`)
}

for (const [at, name] of ['a', 'b', 'c'].entries()) {
  onEveryExecutor(
    `a failure in the setup of row ${at + 1} is the error of the start, and nothing is left`,
    async (t, ground) => {
      const journal = new Journal()
      const error = await failure(
        ground,
        three(journal).replace(
          name as 'b',
          { behavior: () => journal.part(name, true), ...(name === 'b' ? {} : { ready: () => name }) } as never,
        ),
      )
      t.is(error.code, 'START_FAILED')
      t.is(error.message, `expected three to start, its row ${name} failed: ${name} is broken`)
      t.true(error.cause instanceof RangeError)
      const begun = ['+a', '+b after a', '+c'].slice(0, at)
      t.deepEqual(journal.lines, [
        ...begun,
        `+${name}`,
        `-${name}`,
        ...begun.map(line => line.replace('+', '-')).reverse(),
      ])
    },
  )
}

const failures: Readonly<
  Record<
    string,
    readonly [(part: Journal['part']) => Parameters<ReturnType<typeof three>['with']>[1], RegExp, string | undefined]
  >
> = {
  'a behaviour that cannot be made': [
    () => ({
      behavior: () => {
        throw new TypeError('no key')
      },
    }),
    /row d failed: no key$/,
    undefined,
  ],
  'a builder that makes no behaviour': [
    () => ({ behavior: () => 5 as never }),
    /row d failed: expected a behaviour of the row d, got 5$/,
    'CONFIG_INVALID',
  ],
  'a setup that returns no handlers': [
    () => ({ behavior: () => behavior<never>(() => 7 as never) }),
    /row d failed: expected handlers from the setup of .*\/d, got 7$/,
    'CONFIG_INVALID',
  ],
  'a rule of completion that rejects with nothing': [
    part => ({ behavior: () => part('d'), ready: () => Promise.reject() }),
    /row d failed: undefined$/,
    undefined,
  ],
  'a rule of completion that rejects': [
    part => ({ behavior: () => part('d'), ready: () => Promise.reject(new TypeError('no port')) }),
    /row d failed: no port$/,
    undefined,
  ],
  'a rule of completion that throws': [
    part => ({
      behavior: () => part('d'),
      ready: () => {
        throw new TypeError('no port')
      },
    }),
    /row d failed: no port$/,
    undefined,
  ],
  'a question that nobody answers': [
    part => ({
      behavior: () => part('d'),
      timeoutMs: 20,
      ready: (ref, within) => ref.ask(replyTo => ({ type: 'mute', replyTo }) as never, within),
    }),
    /row d failed: expected the start of d to be complete within 20 ms$/,
    'START_TIMEOUT',
  ],
  'a start that is never complete': [
    part => ({ behavior: () => part('d'), timeoutMs: 20, ready: () => new Promise<never>(() => {}) }),
    /complete within 20 ms$/,
    'START_TIMEOUT',
  ],
  'a row that stops itself in its setup': [
    () => ({
      behavior: () =>
        behavior<Part>(context => {
          context.stop()
          return { name: () => {}, mute: () => {} }
        }),
    }),
    /row d failed: d was stopped before its start was complete$/,
    'ACTOR_STOPPED',
  ],
}

for (const [what, [row, message, code]] of Object.entries(failures)) {
  onEveryExecutor(`${what} is the error of the start, and nothing is left`, async (t, ground) => {
    const journal = new Journal()
    const error = await failure(ground, three(journal).with('d', row(journal.part) as never))
    t.is(error.code, 'START_FAILED')
    t.regex(error.message, message)
    t.is((error.cause as SpimplError | undefined)?.code, code as never)
    t.deepEqual(
      journal.lines.filter(line => line.startsWith('-') && line !== '-d'),
      ['-c', '-b after a', '-a'],
    )
  })
}

/** A log here, a row on a lane that tells it, and one that needs both. */
const withLane = (journal: Journal) =>
  composition('lanes')
    .with('log', { behavior: () => journal.log })
    .with('first', { needs: ['log'], behavior: placed, input: ({ log }) => ({ name: 'first', to: log }), lane: 'one' })
    .with('second', {
      needs: ['log'],
      behavior: placed,
      input: ({ log }) => ({ name: 'second', to: log }),
      lane: 'one',
    })
    .with('third', { needs: ['log'], behavior: placed, input: ({ log }) => ({ name: 'third', to: log }), lane: 'two' })

test('a lane that several rows name is one thread, and a row is up when it is up on its lane', async t => {
  const journal = new Journal()
  await using running = await withLane(journal).start()
  const { first, second, third, log } = running.refs
  t.deepEqual(journal.lines, ['+first', '+second', '+third'])
  const thread = (ref: typeof first) => ref.ask(replyTo => ({ type: 'thread', replyTo }), { timeoutMs: 60_000 })
  const threads = await Promise.all([first, second, third].map(thread))
  t.is(threads[0], threads[1])
  t.is(new Set([0, ...threads]).size, 3)
  t.is(log.path, '/lanes/log')
})

test('a row that is placed on main, and any row in a simulation, lives on the thread that there is', async t => {
  const journal = new Journal()
  const { threadId } = await import('node:worker_threads')
  const here = withLane(journal).place('first', 'main').place('second', 'main').without('third')
  await using running = await here.start()
  const thread = (ref: typeof running.refs.first) =>
    ref.ask(replyTo => ({ type: 'thread', replyTo }), { timeoutMs: 60_000 })
  t.is(await thread(running.refs.first), threadId)
  await using system = new TestSystem()
  const simulated = await system.until(withLane(journal).start({ system }))
  t.is(await system.until(thread(simulated.refs.third)), threadId)
})

test('a row that fails on its lane is the error of the start, and nothing is left', async t => {
  for (const [name, message] of [
    ['broken', /row last failed: broken on its lane$/],
    ['noBehavior', /row last failed: expected noBehavior of .* to be a behaviour/],
  ] as const) {
    const journal = new Journal()
    await using system = new System({ log: () => {} })
    const last = { behavior: fromModule<Placed>({ module, name }), lane: 'two' }
    const error = await t.throwsAsync(withLane(journal).with('last', last).start({ system }), {
      instanceOf: SpimplError,
      message,
    })
    t.is(error?.code, 'START_FAILED')
    t.is(system.actorCount, 0)
    t.is([...system.main.timers].length, 0)
  }
})

test('in a system that exists a composition stops alone, and may start again', async t => {
  const journal = new Journal()
  await using system = new System({ log: () => {} })
  system.spawn(
    behavior<Told>(() => ({ told: () => {} })),
    { name: 'other' },
  )
  const first = await withLane(journal).start({ system })
  const taken = await t.throwsAsync(withLane(journal).start({ system }), {
    instanceOf: SpimplError,
    message: /its row log failed: expected a new name under \/, lanes is taken$/,
  })
  t.is((taken?.cause as SpimplError | undefined)?.code, 'ACTOR_NAME_TAKEN')
  t.is(await first.refs.first.ask(replyTo => ({ type: 'name', replyTo }), { timeoutMs: 60_000 }), 'first')
  await first.stop()
  t.is(system.actorCount, 1)
  const second = await withLane(journal).start({ system })
  await system.stop()
  t.deepEqual((await second.terminated).late, [])
})

test('compositions with the same names run in one system, each below an actor of its own', async t => {
  await using system = new TestSystem()
  const journals = [new Journal(), new Journal()] as const
  const [one, other] = await system.until(
    Promise.all([
      three(journals[0]).start({ system, name: 'one' }),
      three(journals[1]).start({ system, name: 'other' }),
    ]),
  )
  t.deepEqual([one.refs.a.path, other.refs.c.path], ['/one/three/a', '/other/top/c'])
  const { stop } = one
  await system.until(stop())
  t.deepEqual(journals[0].lines.slice(3), ['-c', '-b after a', '-a'])
  t.is(journals[1].lines.length, 3)
  t.deepEqual(
    system.inspect().children.map(({ path }) => path),
    ['/other'],
  )
  await system.until(system.stop())
  t.deepEqual(journals[1].lines.slice(3), ['-c', '-b after a', '-a'])
  t.deepEqual((await system.until(other.terminated)).late, [])
})

test('a module that is not there is the error of the start, here and on a lane', async t => {
  const absent = fromModule<Placed>({ module: new URL('./absent.js', import.meta.url), name: 'placed' })
  for (const lane of ['main', 'two']) {
    await using system = new System({ log: () => {} })
    const error = await t.throwsAsync(
      withLane(new Journal()).with('last', { behavior: absent, lane }).start({ system }),
      {
        instanceOf: SpimplError,
        message: /row last failed: Cannot find module/,
      },
    )
    t.is(error?.code, 'START_FAILED')
    t.is(system.actorCount, 0)
  }
})
