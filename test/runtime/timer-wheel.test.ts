import test from 'ava'
import fc from 'fast-check'
import { Timer, TimerWheel } from 'spimpl-runtime/internal/queues/timer-wheel.js'

class Recorded extends Timer {
  readonly name: number
  readonly fired: { readonly name: number; readonly nowMs: number }[]
  onFire: (() => void) | undefined

  constructor(name: number, fired: { readonly name: number; readonly nowMs: number }[]) {
    super()
    this.name = name
    this.fired = fired
  }

  override fire(nowMs: number): void {
    this.fired.push({ name: this.name, nowMs })
    this.onFire?.()
  }
}

const delay = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 0, max: 2 ** 33 }),
  fc.double({ min: 0, max: 5_000, noNaN: true }),
)

test('every timer fires once, never early, in the order of its tick, at the next moment that is looked at', t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.array(delay, { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 2 ** 31 }), { maxLength: 20 }),
      (startMs, delays, steps) => {
        const wheel = new TimerWheel(startMs)
        const fired: { readonly name: number; readonly nowMs: number }[] = []
        const timers = delays.map((_, name) => new Recorded(name, fired))
        for (const [at, timer] of timers.entries()) wheel.set(timer, startMs + delays[at]!)
        let nowMs = startMs
        let beforeMs = startMs
        for (const step of [...steps, 2 ** 34]) {
          beforeMs = nowMs
          nowMs += step
          const count = fired.length
          wheel.advance(nowMs)
          for (const { name } of fired.slice(count)) {
            const dueMs = Math.max(Math.ceil(startMs + delays[name]!), startMs + 1)
            if (dueMs > nowMs || dueMs <= beforeMs) return false
          }
        }
        const ticks = fired.map(({ name }) => Math.max(Math.ceil(startMs + delays[name]!), startMs + 1))
        const ordered = ticks.every(
          (tick, at) =>
            at === 0 || ticks[at - 1]! < tick || (ticks[at - 1] === tick && fired[at - 1]!.name < fired[at]!.name),
        )
        return (
          ordered && fired.length === delays.length && wheel.size === 0 && wheel.nextMs() === Number.POSITIVE_INFINITY
        )
      },
    ),
    { numRuns: 300 },
  )
  t.pass()
})

test('set, move and cancel agree with a plain list', t => {
  const operation = fc.record({
    timer: fc.nat(7),
    delay: fc.integer({ min: 0, max: 10_000 }),
    kind: fc.constantFrom('set', 'cancel', 'advance'),
  })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), operations => {
      const wheel = new TimerWheel(0)
      const fired: { readonly name: number; readonly nowMs: number }[] = []
      const timers = Array.from({ length: 8 }, (_, name) => new Recorded(name, fired))
      const due = new Map<number, number>()
      let nowMs = 0
      for (const { timer, delay, kind } of operations) {
        if (kind === 'set') {
          wheel.set(timers[timer]!, nowMs + delay)
          due.set(timer, Math.max(nowMs + delay, nowMs + 1))
        } else if (kind === 'cancel') {
          if (wheel.cancel(timers[timer]!) !== due.delete(timer)) return false
        } else {
          nowMs += delay
          const expected = [...due].filter(([, atMs]) => atMs <= nowMs).map(([name]) => name)
          fired.length = 0
          wheel.advance(nowMs)
          for (const name of expected) due.delete(name)
          if (
            fired
              .map(({ name }) => name)
              .sort()
              .join() !== expected.sort().join()
          )
            return false
        }
        if (wheel.size !== due.size || [...wheel].length !== due.size) return false
        const earliest = Math.min(...due.values())
        if (wheel.nextMs() > earliest) return false
      }
      return true
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('a timer may cancel or move others of its own tick while it fires', t => {
  const wheel = new TimerWheel(0)
  const fired: { readonly name: number; readonly nowMs: number }[] = []
  const [a, b, c] = [0, 1, 2].map(name => new Recorded(name, fired)) as [Recorded, Recorded, Recorded]
  for (const timer of [a, b, c]) wheel.set(timer, 10)
  a.onFire = () => {
    wheel.cancel(b)
    wheel.set(c, 20)
  }
  wheel.advance(10)
  t.deepEqual(
    fired.map(({ name }) => name),
    [0],
  )
  wheel.advance(30)
  t.deepEqual(
    fired.map(({ name }) => name),
    [0, 2],
  )
  t.is(wheel.size, 0)
})

test('the cost of a timer does not depend on how many there are', t => {
  const cost = (pending: number): number => {
    const wheel = new TimerWheel(0)
    const fired: { readonly name: number; readonly nowMs: number }[] = []
    for (let at = 0; at < pending; at++) wheel.set(new Recorded(at, fired), 1_000 + (at % 50_000))
    const timer = new Recorded(-1, fired)
    const rounds: number[] = []
    for (let round = 0; round < 15; round++) {
      // The processor's time: what other programs take meanwhile is no cost of a timer.
      const start = process.cpuUsage()
      for (let at = 0; at < 20_000; at++) wheel.set(timer, 500 + (at & 1_023))
      rounds.push(process.cpuUsage(start).user / 1000)
    }
    return rounds.sort((a, b) => a - b)[3]!
  }
  cost(10)
  const few = cost(10)
  const many = cost(200_000)
  t.true(many < few * 5, `${few} ms with 10 pending, ${many} ms with 200,000`)
})
