import test from 'ava'
import { behavior } from 'spimpl-runtime'
import type { Core } from 'spimpl-runtime/core'
import { TestSystem } from 'spimpl-runtime/internal/testing/test-system.js'
import { driveCore, Pending, type Timeout } from '../../actors/core-driver.ts'

type Input = { readonly type: 'want'; readonly inMs: number } | Timeout

/** Wants a time-out at the moment it was last told, and says when it had one. */
class Sleeper implements Core<Input, number> {
  handled = 0
  #wantedAt = Number.POSITIVE_INFINITY

  handle(input: Input, now: number, emit: (output: number) => void): void {
    this.handled += 1
    if (input.type === 'want') this.#wantedAt = now + input.inMs
    else {
      this.#wantedAt = Number.POSITIVE_INFINITY
      emit(now)
    }
  }

  deadline(): number {
    return this.#wantedAt
  }
}

function start(system: TestSystem) {
  const core = new Sleeper()
  const fired: number[] = []
  const ref = system.spawn(
    behavior<Input>(context => {
      const feed = driveCore<Input, number, Input>(context, core, at => fired.push(at))
      return { want: feed, timeout: feed }
    }),
  )
  return { core, fired, ref }
}

test('a core hears of its deadline when it has come, once', async t => {
  await using system = new TestSystem()
  const { fired, ref } = start(system)
  ref.tell({ type: 'want', inMs: 50 })
  await system.advance(49)
  t.deepEqual(fired, [])
  await system.advance(1)
  t.is(fired.length, 1)
  await system.advance(1000)
  t.is(fired.length, 1)
})

test('a deadline that moves on costs no timer for each move, and is kept', async t => {
  await using system = new TestSystem()
  const { core, fired, ref } = start(system)
  for (let step = 0; step < 100; step++) {
    ref.tell({ type: 'want', inMs: 50 })
    await system.advance(10)
  }
  t.deepEqual(fired, [])
  // A timer that fires before the deadline sets itself again and does not reach the core.
  t.is(core.handled, 100)
  await system.advance(40)
  t.is(fired.length, 1)
})

test('a deadline that moves back is kept too', async t => {
  await using system = new TestSystem()
  const { fired, ref } = start(system)
  ref.tell({ type: 'want', inMs: 500 })
  ref.tell({ type: 'want', inMs: 20 })
  await system.advance(20)
  t.is(fired.length, 1)
  await system.advance(1000)
  t.is(fired.length, 1)
})

test('what waits has a number of its own, and is taken once', t => {
  const pending = new Pending<string>()
  const a = pending.add('a')
  const b = pending.add('b')
  t.not(a, b)
  t.is(pending.take(a), 'a')
  t.is(pending.take(a), undefined)
  t.is(pending.size, 1)
  t.deepEqual(pending.takeAll(), ['b'])
  t.is(pending.take(b), undefined)
})
