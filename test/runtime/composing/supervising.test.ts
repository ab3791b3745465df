import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import {
  type Behavior,
  behavior,
  composition,
  fromModule,
  type Ref,
  type ReplyTo,
  type SpimplError,
  System,
} from 'spimpl-runtime'
import { gate } from '../../conformance/stage.ts'
import { projectRoot } from '../../vectors.ts'
import { onEveryExecutor, startOn } from './grounds.ts'
import type { Placed, PlacedInput, Told } from './row-modules.js'

type Part =
  | { readonly type: 'life'; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'crash' }
  | { readonly type: 'tell'; readonly what: string }

const module = new URL('./row-modules.js', import.meta.url)
const placed = fromModule<Placed, PlacedInput>({ module, name: 'placed' })

/** Rows whose lives are counted. */
class Lives {
  readonly lines: string[] = []
  readonly #lives = new Map<string, number>()

  readonly part = (name: string, note = ''): Behavior<Part> =>
    behavior<Part>(context => {
      const life = (this.#lives.get(name) ?? 0) + 1
      this.#lives.set(name, life)
      this.lines.push(`+${name}${note}`)
      context.onStop(() => void this.lines.push(`-${name}`))
      return {
        life: ({ replyTo }) => void replyTo.tell(life),
        crash: () => {
          throw new RangeError(`${name} crashed`)
        },
        tell: ({ what }) => void this.lines.push(what),
      }
    })
}

const life = (replyTo: ReplyTo<number>) => ({ type: 'life', replyTo }) as const

const relay = (to: Ref<Part>): Behavior<Part> =>
  behavior<Part>(() => ({ life: m => void to.tell(m), crash: m => void to.tell(m), tell: m => void to.tell(m) }))

onEveryExecutor(
  'a row that fails and those that need it restart, with the new values, and references go on',
  async (t, ground) => {
    const { lines, part } = new Lives()
    const running = await startOn(
      ground,
      composition('app')
        .supervisor('below')
        .with('base', { behavior: () => part('base'), ready: (ref, within) => ref.ask(life, within) })
        .with('other', { behavior: () => part('other') })
        .with('user', { needs: ['base'], behavior: (_, { base }) => part('user', ` of life ${base}`) })
        .with('far', { needs: ['user'], behavior: () => part('far') })
        .supervisor('above')
        .with('door', { needs: ['far'], behavior: ({ far }) => relay(far) }),
    )
    const { base, far, door } = running.refs
    lines.length = 0
    base.tell({ type: 'crash' })
    // Its answer comes behind the crash, and by then those that need it are on their way down.
    t.is(await ground.until(base.ask(life, { timeoutMs: 60_000 })), 2)
    t.is(await ground.until(far.ask(life, { timeoutMs: 60_000 })), 2)
    t.deepEqual(lines, ['-far', '-user', '-base', '+base', '+user of life 2', '+far'])
    t.is(running.started.base, 2)
    t.is(await ground.until(door.ask(life, { timeoutMs: 60_000 })), 2)
    await ground.until(running.stop())
  },
)

onEveryExecutor('a restart whose start is not complete fails, and is tried again', async (t, ground) => {
  const { lines, part } = new Lives()
  let failures = 2
  const ready = async () => {
    if (lines.filter(line => line === '+base').length > 1 && failures-- > 0) throw new RangeError('no port')
  }
  const running = await startOn(
    ground,
    composition('app', { backoff: { minMs: 1, maxMs: 5 } })
      .with('base', { behavior: () => part('base'), ready })
      .with('user', { needs: ['base'], behavior: () => part('user') }),
  )
  running.refs.base.tell({ type: 'crash' })
  await ground.until(running.refs.base.ask(life, { timeoutMs: 60_000 }))
  t.is(await ground.until(running.refs.user.ask(life, { timeoutMs: 60_000 })), 2)
  t.deepEqual(lines.slice(2), ['-user', '-base', '+base', '-base', '+base', '-base', '+base', '+user'])
  await ground.until(running.stop())
})

onEveryExecutor(
  'rows that fail too often end the composition, which says why, and what else runs goes on',
  async (t, ground) => {
    const { lines, part } = new Lives()
    const running = await startOn(
      ground,
      composition('app', { intensity: { restarts: 1, withinMs: 60_000 } })
        .with('base', { behavior: () => part('base') })
        .supervisor('above')
        .with('door', { needs: ['base'], behavior: () => part('door') }),
    )
    const guest = ground.options.system?.spawn(part('guest'), { name: 'guest' })
    running.refs.base.tell({ type: 'crash' })
    t.is(await ground.until(running.refs.base.ask(life, { timeoutMs: 60_000 })), 2)
    running.refs.base.tell({ type: 'crash' })
    const { failure } = await ground.until(running.terminated)
    t.is((failure as SpimplError).code, 'RESTART_INTENSITY')
    t.is(lines.filter(line => line === '-door').length, 1)
    t.is(running.system.actorCount, guest === undefined ? 0 : 1)
    if (guest !== undefined) ground.options.system?.stopActor(guest)
    await ground.until(running.stop())
  },
)

onEveryExecutor(
  'a row that starts while one that it needs restarts starts again, and its start is complete then',
  async (t, ground) => {
    const { lines, part } = new Lives()
    const running = await startOn(
      ground,
      composition('app')
        .with('base', { behavior: () => part('base') })
        .with('user', {
          needs: ['base'],
          behavior: ({ base }) =>
            behavior<Part>(context => {
              const handlers = part('user').setup(context)
              if (lines.length === 2) base.tell({ type: 'crash' })
              return handlers
            }),
          // Of the first life nobody ever hears.
          ready: () => (lines.filter(line => line === '+user').length > 1 ? 'second' : new Promise<string>(() => {})),
        }),
    )
    t.deepEqual(lines, ['+base', '+user', '-user', '-base', '+base', '+user'])
    t.is(running.started.user, 'second')
    await ground.until(running.stop())
  },
)

onEveryExecutor(
  'what a hook keeps beyond the deadline of its phase is late, and stops nobody else',
  async (t, ground) => {
    const { lines, part } = new Lives()
    const stubborn = behavior<Part>(context => {
      context.onStop(() => new Promise<void>(() => {}))
      return { life: () => {}, crash: () => {}, tell: () => {} }
    })
    const running = await startOn(
      ground,
      composition('app')
        .with('base', { behavior: () => part('base') })
        .supervisor('above', { phase: { name: 'first', deadlineMs: 20 } })
        .with('stubborn', { behavior: () => stubborn }),
    )
    const { late, phases } = await ground.until(running.stop())
    t.true(late.includes('/above/stubborn'))
    t.deepEqual(
      phases.map(({ name }) => name),
      ['first', 'app'],
    )
    t.is(lines.at(-1), '-base')
  },
)

test('inspection shows the rows of each supervisor', async t => {
  const { part } = new Lives()
  await using running = await composition('app')
    .supervisor('network', { strategy: 'one-for-all', phase: 'last' })
    .with('base', { behavior: () => part('base') })
    .with('user', { needs: ['base'], behavior: () => part('user') })
    .start()
  const [network] = running.system.inspect().children
  const place = { supervisor: 'network', strategy: 'one-for-all', lane: 'main', phase: 'last' }
  t.is(network?.strategy, 'one-for-all')
  t.deepEqual(network?.description, {
    composition: 'app',
    phase: 'last',
    rows: [
      { ...place, row: 'base', needs: [] },
      { ...place, row: 'user', needs: ['base'] },
    ],
  })
})

test('a lane that dies takes its rows and those that need them, and they come back in order', async t => {
  const lines: string[] = []
  const again = gate()
  const log = behavior<Told>(() => ({ told: ({ what }) => void lines.push(what) }))
  const user = behavior<Told>(context => {
    lines.push('+user')
    if (lines.includes('-user')) again.open()
    context.onStop(() => void lines.push('-user'))
    return { told: ({ what }) => void lines.push(what) }
  })
  await using system = new System({ log: () => {} })
  const running = await composition('app')
    .with('log', { behavior: () => log })
    .with('first', { needs: ['log'], behavior: placed, input: ({ log }) => ({ name: 'first', to: log }), lane: 'one' })
    .with('second', {
      needs: ['log', 'first'],
      behavior: placed,
      input: ({ log }) => ({ name: 'second', to: log }),
      lane: 'one',
    })
    .with('user', { needs: ['second'], behavior: () => user })
    .start({ system })
  running.refs.first.tell({ type: 'die' })
  await again.promise
  // Those on the thread that died say no good-bye.
  t.deepEqual(lines, ['+first', '+second', '+user', '-user', '+first', '+second', '+user'])
  const name = running.refs.second.ask(replyTo => ({ type: 'name', replyTo }), { timeoutMs: 60_000 })
  t.is(await name, 'second')
})

test('a start that fails leaves nothing that keeps the process', async t => {
  const program = path.join(projectRoot, 'dist', 'test', 'runtime', 'composing', 'failing-start.js')
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 })
  t.deepEqual(stdout.trim().split('\n'), [
    'START_FAILED of hangs: START_TIMEOUT',
    'START_FAILED of late: START_TIMEOUT',
    'START_FAILED of throws: undefined',
  ])
})

onEveryExecutor(
  'a row that has not run yet when one that it needs fails begins with the new values',
  async (t, ground) => {
    const { lines, part } = new Lives()
    let drills = 1
    const running = await startOn(
      ground,
      composition('app')
        .with('base', { behavior: () => part('base'), ready: (ref, within) => ref.ask(life, within) })
        .with('user', {
          needs: ['base'],
          behavior: ({ base }, started) => {
            if (drills-- > 0) base.tell({ type: 'crash' })
            return part('user', ` of life ${started.base}`)
          },
        }),
    )
    t.is(await ground.until(running.refs.base.ask(life, { timeoutMs: 60_000 })), 2)
    await ground.until(running.refs.user.ask(life, { timeoutMs: 60_000 }))
    t.is(lines.filter(line => line.startsWith('+user')).at(-1), '+user of life 2')
    await ground.until(running.stop())
  },
)
