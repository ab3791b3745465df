import test from 'ava'
import { type Behavior, behavior, composition, fromModule, SpimplError } from 'spimpl-runtime'
import type { Placed, PlacedInput } from './row-modules.js'

type Nothing = { readonly type: 'nothing' }
const idle: Behavior<Nothing> = behavior<Nothing>(() => ({ nothing: () => {} }))
const module = new URL('./row-modules.js', import.meta.url)
const placed = fromModule<Placed, PlacedInput>({ module, name: 'placed' })
const log = behavior<{ readonly type: 'told'; readonly what: string }>(() => ({ told: () => {} }))

const shop = composition('shop')
  .supervisor('goods', { strategy: 'one-for-all', phase: { name: 'store', deadlineMs: 100 } })
  .with('log', { behavior: () => log })
  .with('stock', { needs: ['log'], behavior: placed, input: ({ log }) => ({ name: 'stock', to: log }), lane: 'cellar' })
  .supervisor('street')
  .with('till', { needs: ['stock', 'log'], behavior: () => idle })

const rowNames = (of: { readonly rows: readonly { readonly row: string }[] }) => of.rows.map(({ row }) => row)

test('it prints as a table', t => {
  t.is(
    String(shop),
    `
| supervisor           | row   | lane   | phase  | needs      |
|----------------------|-------|--------|--------|------------|
| goods: one-for-all   | log   | main   | store  |            |
|                      | stock | cellar | store  | log        |
| street: rest-for-one | till  | main   | street | stock, log |
`.trim(),
  )
  t.is(shop.toText(), String(shop))
})

test('it prints as a flowchart of Mermaid', t => {
  t.is(
    shop.toMermaid(),
    `
flowchart BT
  subgraph supervisor0["goods: one-for-all, phase store"]
    row0["log"]
    row1["stock on cellar"]
  end
  subgraph supervisor1["street: rest-for-one, phase street"]
    row2["till"]
  end
  row1 --> row0
  row2 --> row1
  row2 --> row0
`.trim(),
  )
})

test('every verb returns another composition and leaves the first as it is', t => {
  const before = { text: String(shop), mermaid: shop.toMermaid(), rows: shop.rows }
  const others = [
    shop.with('clerk', { behavior: () => idle }),
    shop.with('shelf', { under: 'goods', needs: ['log'], behavior: () => idle }),
    shop.without('till'),
    shop.replace('log', { behavior: () => log }),
    shop.replace('stock', { behavior: placed, input: () => ({ name: 'other', to: undefined as never }) }),
    shop.place('stock', 'main'),
    shop.supervisor('attic').with('box', { needs: ['till'], behavior: () => idle }),
  ]
  for (const other of others) t.not(other as unknown, shop)
  t.deepEqual({ text: String(shop), mermaid: shop.toMermaid(), rows: shop.rows }, before)
  t.true(Object.isFrozen(shop))
})

test('a row goes below those of its supervisor, and above those of the next', t => {
  t.deepEqual(rowNames(shop.with('shelf', { under: 'goods', needs: ['log'], behavior: () => idle })), [
    'log',
    'stock',
    'shelf',
    'till',
  ])
  t.deepEqual(rowNames(shop.with('clerk', { behavior: () => idle })), ['log', 'stock', 'till', 'clerk'])
})

test('without, replace and place change one row', t => {
  t.deepEqual(rowNames(shop.without('till')), ['log', 'stock'])
  const replaced = shop.replace('till', { needs: ['stock'], behavior: () => idle })
  t.deepEqual(replaced.rows[2], { ...shop.rows[2]!, needs: ['stock'] })
  t.deepEqual(shop.place('stock', 'attic').rows[1], { ...shop.rows[1]!, lane: 'attic' })
})

test('rows without a supervisor have one with the name of the composition, and one without rows is not shown', t => {
  const alone = composition('alone', { strategy: 'one-for-one' })
    .with('idle', { behavior: () => idle })
    .supervisor('empty')
  t.is(alone.toText().split('\n')[2], '| alone: one-for-one | idle | main | alone |       |')
  t.false(alone.toMermaid().includes('empty'))
})

/** What the compiler refuses, as a program without types would write it. */
const untyped = shop as unknown as Record<
  'with' | 'without' | 'replace' | 'place' | 'supervisor',
  (...args: unknown[]) => unknown
>
const row = (options: object) => () => untyped.with('clerk', { behavior: () => idle, ...options })

const mistakes: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
  'a name with a slash': [() => composition('a/b'), /expected a name of a composition .*, got a\/b/],
  'a name that objects have': [
    () => untyped.with('__proto__', { behavior: () => idle }),
    /expected a name of a row .*, got __proto__/,
  ],
  'an unknown option of a row': [row({ need: ['till'] }), /expected an option of a row in clerk, got need/],
  'a row without options': [() => untyped.with('clerk'), /expected options of the row clerk, got undefined/],
  'the name of a row twice': [() => untyped.with('till', { behavior: () => idle }), /a new name of a row, got till/],
  'the name of a supervisor twice': [() => untyped.supervisor('goods'), /a new name of a supervisor, got goods/],
  'an unknown strategy': [
    () => untyped.supervisor('x', { strategy: 'all' }),
    /strategy of the supervisor x: .*, got all/,
  ],
  'an intensity without time': [
    () => untyped.supervisor('x', { intensity: { restarts: 1 } }),
    /intensity of the supervisor x.*got \{ restarts: 1 \}/,
  ],
  'a backoff that is none': [
    () => untyped.supervisor('x', { backoff: { minMs: -1, maxMs: 5 } }),
    /backoff of the supervisor x/,
  ],
  'a phase without a name': [() => untyped.supervisor('x', { phase: {} }), /a phase with a name of the supervisor x/],
  'a deadline below 0': [
    () => untyped.supervisor('x', { phase: { name: 'p', deadlineMs: -1 } }),
    /a deadline from 0 ms on of the phase p, got -1/,
  ],
  'a phase that would end before its rows': [
    () => untyped.supervisor('x', { phase: 'store' }),
    /a phase of the supervisor x that is new, or that of street above it, got store/,
  ],
  'an unknown supervisor': [row({ under: 'attic' }), /a declared supervisor, got attic/],
  'needs that are no list': [row({ needs: 'log' }), /a list of names as the needs of clerk, got log/],
  'needs that do not exist': [
    row({ needs: ['cat'] }),
    /the needs of clerk to be rows above it \(log, stock, till\), got cat/,
  ],
  'needs below the row': [
    row({ under: 'goods', needs: ['till'] }),
    /the needs of clerk to be rows above it \(log, stock\), got till/,
  ],
  'a behaviour that is not made': [row({ behavior: idle }), /a function or fromModule\(\) as the behaviour of clerk/],
  'an input for a behaviour that is made here': [row({ input: () => 1 }), /no input of clerk/],
  'an input that is no function': [
    row({ behavior: placed, input: 1 }),
    /a function that makes the input of clerk, got 1/,
  ],
  'a rule of completion that is no function': [row({ ready: 5 }), /a function that tells when clerk is ready, got 5/],
  'a deadline of a start that is none': [row({ timeoutMs: 0 }), /a timeoutMs of clerk above 0, got 0/],
  'an unknown restart kind': [row({ restart: 'always' }), /a restart of clerk: .*, got always/],
  'a lane for a row that is made here': [
    row({ lane: 'cellar' }),
    /a behaviour fromModule\(\) of clerk, to place it on cellar/,
  ],
  'a row that is needed is left out': [
    () => untyped.without('stock'),
    /a row that no other row needs, got stock, which till needs/,
  ],
  'a row that does not exist is left out': [() => untyped.without('cat'), /a row of shop, got cat/],
  'a row that needs itself': [
    () => untyped.replace('log', { needs: ['log'], behavior: () => log }),
    /rows above it \(none\), got log/,
  ],
  'a row that cannot be placed': [() => untyped.place('till', 'cellar'), /a behaviour fromModule\(\) of till/],
  'a lane that is no name': [() => untyped.place('stock', ''), /a name of a lane/],
  'a module that is no URL': [
    () => fromModule({ module: 'row-modules.js', name: 'placed' }),
    /the URL of a module and the name of an export, got row-modules.js and placed/,
  ],
}

for (const [what, [make, message]] of Object.entries(mistakes)) {
  test(`${what} is a typed error`, t => {
    const error = t.throws(make, { instanceOf: SpimplError, message })
    t.is(error?.code, 'CONFIG_INVALID')
  })
}

for (const [options, message] of [
  [null, 'expected options of the start, got null'],
  [{ executor: 5 }, 'expected an Executor as `executor`, got 5'],
] as const) {
  test(`start(${JSON.stringify(options)}) is a typed error`, async t => {
    await t.throwsAsync(shop.start(options as never), { code: 'CONFIG_INVALID', message })
  })
}

test('a row that fails too often is the failure of the composition, not of the system around it', async t => {
  const fragile = behavior<{ readonly type: 'break' }>(() => ({
    break: () => {
      throw new RangeError('worn out')
    },
  }))
  const running = await composition('mill', { intensity: { restarts: 1, withinMs: 60_000 } })
    .with('wheel', { behavior: () => fragile })
    .start({ log: () => {} })
  for (let at = 0; at < 2; at++) running.refs.wheel.tell({ type: 'break' })
  const { failure } = await running.terminated
  t.like(failure, {
    code: 'RESTART_INTENSITY',
    message: 'expected at most 1 restarts under /mill/, wheel would restart once more',
  })
  t.like(failure, { cause: { message: 'worn out' } })
  t.deepEqual((await running.stop()).failure, failure)
})

test('a system that is none is a typed error', async t => {
  const error = await t.throwsAsync(shop.start({ system: {} as never }), { instanceOf: SpimplError })
  t.is(error?.code, 'CONFIG_INVALID')
})
