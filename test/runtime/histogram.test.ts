import test from 'ava'
import fc from 'fast-check'
import { Histogram } from 'spimpl-runtime/internal/watching/histogram.js'

test('a percentile is not below the true one, and at most a fourth above it', t => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 4, max: 3_600_000_000 }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1),
      (durations, share) => {
        const histogram = new Histogram()
        for (const microseconds of durations) histogram.record(microseconds / 1000)
        const sorted = [...durations].sort((a, b) => a - b)
        const exact = sorted[Math.ceil(sorted.length * share) - 1]!
        const said = histogram.percentile(share)
        return said >= exact * 0.999_999 && said <= exact * 1.25 + 1
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})

test('a summary of nothing is zeros', t => {
  t.deepEqual(new Histogram().summary(), {
    count: 0,
    meanMicroseconds: 0,
    p50Microseconds: 0,
    p99Microseconds: 0,
    maxMicroseconds: 0,
  })
})

test('what is shorter than nothing or longer than an hour is counted at the ends', t => {
  const histogram = new Histogram()
  histogram.record(-5)
  histogram.record(1e12)
  const { count, maxMicroseconds } = histogram.summary()
  t.is(count, 2)
  t.is(maxMicroseconds, 0xffff_ffff)
})
