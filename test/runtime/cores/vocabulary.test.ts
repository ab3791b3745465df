import test from 'ava'
import { Counters, checkedLimits, invariant, Lifecycle, PendingCalls, stateTable, Turn } from 'spimpl-runtime/core'
import { createMachine } from 'xstate'

const defaults = { sessions: 1_024, retryMs: 350, packets: 1_000, halfOpen: false }
const ranges = { packets: { min: 2, max: 1_023, step: 1 } }

test('limits: the defaults with the changes; undefined keeps a default', t => {
  t.deepEqual(checkedLimits('uTP', defaults), defaults)
  t.deepEqual(checkedLimits('uTP', defaults, { sessions: 2, retryMs: undefined, halfOpen: true }, ranges), {
    ...defaults,
    sessions: 2,
    halfOpen: true,
  })
})

for (const [changes, message] of [
  [{ sesions: 1 }, "expected a limit of uTP, got 'sesions'"],
  [{ toString: 1 }, "expected a limit of uTP, got 'toString'"],
  [{ sessions: 0 }, 'expected sessions of uTP above 0, got 0'],
  [{ sessions: Number.NaN }, 'expected sessions of uTP to be a number, got NaN'],
  [{ sessions: '7' }, 'expected sessions of uTP to be a number, got 7'],
  [{ packets: 1 }, 'expected packets of uTP from 2 to 1023, got 1'],
  [{ packets: 2.5 }, 'expected packets of uTP to be a whole number, got 2.5'],
  [{ halfOpen: 1 }, 'expected halfOpen of uTP to be a boolean, got 1'],
] as const) {
  test(`limits: ${JSON.stringify(changes)} is refused`, t => {
    const error = t.throws(() => checkedLimits('uTP', defaults, changes as object, ranges))
    t.like(error, { code: 'CONFIG_INVALID', message })
  })
}

test('turn: outputs leave in order, and their receiver may begin an inner turn', t => {
  const turn = new Turn<string>()
  const received: string[] = []
  turn.begin(1)
  turn.emit('a')
  turn.emit('b')
  turn.end(output => {
    received.push(`${output} at ${turn.now}`)
    if (output !== 'a') return
    turn.begin(2)
    turn.emit('inner')
    turn.end(inner => received.push(`${inner} at ${turn.now}`))
  })
  t.deepEqual(received, ['a at 1', 'inner at 2', 'b at 2'])
  t.throws(() => turn.begin(1), { message: /a clock that never goes backwards/ })
})

test('turn: a receiver that throws loses its own outputs only', t => {
  const turn = new Turn<string>()
  turn.begin(1)
  turn.emit('lost')
  t.throws(() =>
    turn.end(() => {
      throw new Error('receiver')
    }),
  )
  const received: string[] = []
  turn.begin(2)
  turn.emit('next')
  turn.end(output => received.push(output))
  t.deepEqual(received, ['next'])
})

test('counters: a closed set of names in their order', t => {
  const counters = new Counters({ received: 'datagrams that arrived', malformed: 'refused by the parser' })
  counters.add('received')
  counters.add('received', 2)
  t.deepEqual(counters.snapshot(), { received: 3, malformed: 0 })
  t.is(counters.names.malformed, 'refused by the parser')
})

test('pending calls: each is taken once, numbers are never reused, the bound is an invariant', t => {
  const calls = new PendingCalls<string>(2)
  const first = calls.add('first')
  t.is(calls.take(first), 'first')
  t.is(calls.take(first), undefined)
  calls.add('second')
  calls.add('third')
  t.false(calls.hasRoom)
  t.deepEqual([...calls], ['second', 'third'])
  t.throws(() => calls.add('fourth'), { message: 'expected at most 2 pending calls' })
  t.deepEqual(calls.takeAll(), ['second', 'third'])
  t.is(calls.size, 0)
  t.throws(() => invariant(false, 'the sun'), { message: 'expected the sun' })
})

test('lifecycle: follows the machine, and stays where it has no transition', t => {
  const machine = createMachine({
    initial: 'idle',
    states: {
      idle: { on: { open: 'open', stay: 'idle' } },
      open: { on: { fail: 'failed' } },
      failed: { type: 'final' },
    },
  })
  const table = stateTable<'idle' | 'open' | 'failed', 'open' | 'stay' | 'fail'>(machine, ['open', 'stay', 'fail'])
  const lifecycle = new Lifecycle(table)
  t.false(lifecycle.send('fail'))
  t.true(lifecycle.send('stay'))
  t.true(lifecycle.send('open'))
  t.is(lifecycle.state, 'open')
  t.true(lifecycle.send('fail'))
  t.false(lifecycle.send('open'))
})
