import test from 'ava'
import fc from 'fast-check'
import { RateLimit } from '../../../src/discv5/asking/rate-limit.ts'

test('rate limit: a burst, then the rate; the least recently seen key is forgotten', t => {
  const limit = new RateLimit(10, 2, 5)
  const passed = (key: string, now: number, tries: number): number =>
    Array.from({ length: tries }, () => limit.take(key, now)).filter(Boolean).length
  t.is(passed('a', 0, 20), 5)
  t.is(passed('a', 100, 20), 1)
  t.is(passed('a', 10_000, 20), 5)
  t.is(passed('b', 10_000, 1), 1)
  t.is(passed('c', 10_000, 1), 1)
  t.is(limit.size, 2)
  t.is(passed('a', 10_000, 20), 5)
})

test('property: no key passes more often than its burst and its rate allow, and the table keeps its limit', t => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c'), wait: fc.nat({ max: 400 }) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 100 }), (perSecond, steps) => {
      const limit = new RateLimit(perSecond, 3)
      const passed = new Map<string, number>()
      let now = 0
      for (const { key, wait } of steps) {
        now += wait
        if (limit.take(key, now)) passed.set(key, (passed.get(key) ?? 0) + 1)
        t.true((passed.get(key) ?? 0) <= 2 * perSecond + (now / 1_000) * perSecond + 1e-6)
        t.true(limit.size <= 3)
      }
    }),
  )
})
