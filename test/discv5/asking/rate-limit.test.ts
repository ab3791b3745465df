import test from 'ava'
import { RateLimit } from '../../../src/discv5/asking/rate-limit.ts'

test('rate limit: a burst, then as many as time brings; the least recently seen is forgotten', t => {
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
