import test from 'ava'
import fc from 'fast-check'
import {
  type Behavior,
  behavior,
  type Composition,
  composition,
  type Inspection,
  type Ref,
  type ReplyTo,
  type RunningComposition,
  type Shape,
  type SupervisionStrategy,
} from 'spimpl-runtime'
import { TestSystem } from 'spimpl-runtime/testing'

type Part =
  | { readonly type: 'ready'; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'answer'; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'crash' }
type Clock =
  | { readonly type: 'wait'; readonly forMs: number; readonly done: () => void }
  | { readonly type: 'over'; readonly key: number }

/** Waits in virtual time, for hooks that take long. */
const clock = behavior<Clock>(context => {
  const waiting = new Map<number, () => void>()
  let keys = 0
  return {
    wait: ({ forMs, done }) => {
      waiting.set(++keys, done)
      context.timers.set(keys, forMs, { type: 'over', key: keys })
    },
    over: ({ key }) => waiting.get(key)?.(),
  }
})

/** A row as fast-check draws it. */
interface DrawnRow {
  /** Whether it begins a new supervisor, and with which strategy. */
  readonly supervisor: SupervisionStrategy | undefined
  /** Which of the rows above it needs, by their distance. */
  readonly needs: readonly number[]
  readonly startMs: number
  readonly stopMs: number
}

interface Drawn {
  readonly seed: number
  readonly rows: readonly DrawnRow[]
  /** Which row fails, and how long after the failure before. */
  readonly failures: readonly { readonly row: number; readonly afterMs: number }[]
}

const strategies = ['one-for-one', 'one-for-all', 'rest-for-one', 'rest-for-one'] as const
const drawn = fc.record<Drawn>({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  rows: fc.array(
    fc.record({
      supervisor: fc.constantFrom(undefined, undefined, undefined, undefined, ...strategies),
      needs: fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 4 }),
      startMs: fc.constantFrom(0, 5, 20, 40),
      stopMs: fc.constantFrom(0, 5, 20, 40),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  failures: fc.array(fc.record({ row: fc.nat(7), afterMs: fc.constantFrom(0, 1, 7, 30) }), { maxLength: 10 }),
})

/** A row, and what must be true of it at any time. */
interface Row {
  readonly name: string
  readonly supervisor: string
  readonly strategy: SupervisionStrategy
  readonly needs: readonly string[]
  lives: number
  state: 'down' | 'starting' | 'up' | 'stopping'
}

/** A drawn composition, and a watch over what its rows do. */
class Watched {
  readonly rows: Row[] = []
  readonly wrong: string[] = []
  /** Begun starts, complete starts and stops in their order. */
  readonly trace: string[] = []
  readonly composition: Composition<Shape>
  stopsForGood = false
  readonly #clock: Ref<Clock>

  constructor(system: TestSystem, { rows }: Drawn) {
    this.#clock = system.spawn(clock, { name: 'clock' })
    // The rows are known at run time only.
    let made = composition('drawn') as unknown as {
      supervisor(name: string, options: object): never
      with(name: string, row: object): never
    }
    let [supervisor, strategy] = ['drawn', 'rest-for-one' as SupervisionStrategy]
    for (const [at, { supervisor: next, needs, startMs, stopMs }] of rows.entries()) {
      if (next !== undefined) {
        ;[supervisor, strategy] = [`supervisor${at}`, next]
        made = made.supervisor(supervisor, { strategy: next, intensity: { restarts: 1_000, withinMs: 1 } })
      }
      const row: Row = {
        name: `row${at}`,
        supervisor,
        strategy,
        needs: needs.filter(back => back <= at).map(back => `row${at - back}`),
        lives: 0,
        state: 'down',
      }
      this.rows.push(row)
      made = made.with(row.name, {
        needs: row.needs,
        behavior: () => this.#part(row, startMs, stopMs),
        ready: async (ref: Ref<Part>, within: { timeoutMs: number }) => {
          await ref.ask(replyTo => ({ type: 'ready', replyTo }), within)
          row.state = 'up'
          this.trace.push(`^${row.name}`)
        },
      })
    }
    this.composition = made as unknown as Composition<Shape>
  }

  /** The rows that restart when one fails, by the documentation. */
  affected(failed: Row): readonly Row[] {
    if (failed.strategy === 'one-for-one') return [failed]
    const siblings = this.rows.filter(({ supervisor }) => supervisor === failed.supervisor)
    if (failed.strategy === 'one-for-all') return siblings
    const names = new Set([failed.name])
    for (const { name, needs } of siblings) if (needs.some(need => names.has(need))) names.add(name)
    return siblings.filter(({ name }) => names.has(name))
  }

  #part(row: Row, startMs: number, stopMs: number): Behavior<Part> {
    return behavior<Part>(context => {
      this.#begins(row)
      context.onStop(async () => {
        this.#stops(row)
        if (stopMs > 0) await new Promise<void>(done => this.#clock.tell({ type: 'wait', forMs: stopMs, done }))
        row.state = 'down'
      })
      return {
        ready: ({ replyTo }) => {
          if (startMs === 0) replyTo.tell(0)
          else context.timers.set('ready', startMs, { type: 'answer', replyTo })
        },
        answer: ({ replyTo }) => void replyTo.tell(startMs),
        crash: () => {
          throw new Error('crash')
        },
      }
    })
  }

  /** What a row needs under its own supervisor is up; at its first start everything that it needs is. */
  #begins(row: Row): void {
    this.trace.push(`+${row.name}`)
    if (row.state !== 'down') this.wrong.push(`two lives of ${row.name} at once`)
    for (const needed of this.rows.filter(({ name }) => row.needs.includes(name))) {
      if (
        needed.state === 'up' ||
        (row.lives > 0 && (needed.supervisor !== row.supervisor || row.strategy === 'one-for-one'))
      )
        continue
      this.wrong.push(`${row.name} starts while ${needed.name}, which it needs, is ${needed.state}`)
    }
    row.lives++
    row.state = 'starting'
  }

  /** Nothing that needs it and stops with it is there any more. */
  #stops(row: Row): void {
    this.trace.push(`-${row.name}`)
    for (const user of this.rows.filter(({ needs }) => needs.includes(row.name))) {
      const together = this.stopsForGood || (user.supervisor === row.supervisor && row.strategy !== 'one-for-one')
      if (together && user.state !== 'down')
        this.wrong.push(`${row.name} stops while ${user.name}, which needs it, is ${user.state}`)
    }
    row.state = 'stopping'
  }
}

const states = ({ path, state, children }: Inspection): string[] => [`${path} is ${state}`, ...children.flatMap(states)]

/** Runs a drawn composition to its end. @param settles whether it comes to rest between two failures */
async function run(drawn: Drawn, settles: boolean): Promise<Uint8Array> {
  await using system = new TestSystem({ seed: drawn.seed })
  const watched = new Watched(system, drawn)
  const { rows, wrong, trace } = watched
  const running: RunningComposition<Shape> = await system.until(watched.composition.start({ system }))
  expectEqual(
    'the order of starts',
    trace,
    rows.flatMap(({ name }) => [`+${name}`, `^${name}`]),
  )
  for (const { row: index, afterMs } of drawn.failures) {
    const failed = rows[index % rows.length]!
    trace.length = 0
    running.refs[failed.name]!.tell({ type: 'crash' } as never)
    await system.advance(settles ? 1_000 : afterMs)
    if (!settles) continue
    const affected = watched.affected(failed).map(({ name }) => name)
    const stops = affected.toReversed().map(name => `-${name}`)
    expectEqual(`what restarts after ${failed.name} failed`, trace, [
      ...stops,
      ...affected.flatMap(name => [`+${name}`, `^${name}`]),
    ])
  }
  await system.advance(5_000)
  expectEqual(
    'rows that are not up at rest',
    rows.filter(({ state }) => state !== 'up').map(({ name }) => name),
    [],
  )
  expectEqual(
    'actors at rest',
    states(system.inspect()).filter(text => !text.endsWith('running')),
    [],
  )
  trace.length = 0
  watched.stopsForGood = true
  await system.until(running.stop())
  expectEqual('the order of stops', trace, rows.map(({ name }) => `-${name}`).reverse())
  expectEqual('what went wrong', wrong, [])
  expectEqual('actors that are left, beside the clock', system.actorCount, 1)
  expectEqual('timers that are left', system.main.timers.size, 0)
  return system.interleaving()
}

function expectEqual(what: string, got: unknown, expected: unknown): void {
  const [gotText, expectedText] = [JSON.stringify(got), JSON.stringify(expected)]
  if (gotText !== expectedText) throw new Error(`${what}: expected ${expectedText}, got ${gotText}`)
}

const alone: DrawnRow = { supervisor: undefined, needs: [], startMs: 0, stopMs: 0 }

/**
 * The last row needs the first two and stops slowly. The first fails, then the second, then the third: its restart must not let the first
 * one stop before the last.
 */
const overlapping: Drawn = {
  seed: 1,
  rows: [alone, alone, alone, { ...alone, needs: [3, 2], stopMs: 40 }],
  failures: [0, 1, 2].map(row => ({ row, afterMs: 1 })),
}

test('starts follow needs, exactly the dependents of a failed row restart, stops are the reverse, nothing is left', async t => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(drawn, async drawn => void (await run(drawn, true))),
      { numRuns: 150 },
    ),
  )
})

test('also where rows fail while others restart', async t => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(drawn, async drawn => void (await run(drawn, false))),
      { numRuns: 250, examples: [[overlapping]] },
    ),
  )
})

test('the same seed gives the same trace', async t => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(drawn, async drawn => {
        const [one, other] = [await run(drawn, false), await run(drawn, false)]
        if (Buffer.compare(one, other) !== 0) throw new Error('expected two equal interleavings')
      }),
      { numRuns: 40 },
    ),
  )
})
