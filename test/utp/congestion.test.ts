import test from 'ava'
import fc from 'fast-check'
import { Congestion } from '../../src/utp/sending/congestion.ts'
import { DelayHistory } from '../../src/utp/sending/delay-history.ts'
import { RoundTrip } from '../../src/utp/sending/round-trip.ts'

const PACKET = 1000
const MAX = 1_000_000

/** One round trip in which all of the window is acknowledged at `delayMicros`. */
function roundTrip(congestion: Congestion, delayMicros: number): void {
  let left = congestion.windowBytes
  const flight = left
  while (left > 0) {
    congestion.acknowledged(Math.min(PACKET, left), flight, delayMicros)
    left -= PACKET
  }
}

test('the first window is ten packets, and doubles each round trip', t => {
  const congestion = new Congestion(PACKET, MAX)
  t.is(congestion.windowBytes, 10_000)
  roundTrip(congestion, 0)
  t.is(congestion.windowBytes, 20_000)
  roundTrip(congestion, 10_000)
  t.is(congestion.windowBytes, 40_000)
})

test('slow start ends just below the target delay', t => {
  const congestion = new Congestion(PACKET, MAX)
  roundTrip(congestion, 89_000)
  t.true(congestion.slowStart)
  congestion.acknowledged(PACKET, congestion.windowBytes, 91_000)
  t.false(congestion.slowStart)
})

test('after slow start: 3,000 bytes a round trip at no delay, none at the target, as many back above it', t => {
  const congestion = new Congestion(PACKET, MAX)
  for (let round = 0; round < 3; round++) roundTrip(congestion, 0)
  congestion.acknowledged(1, congestion.windowBytes, 95_000)
  const grown = (delayMicros: number): number => {
    const before = congestion.windowBytes
    roundTrip(congestion, delayMicros)
    return congestion.windowBytes - before
  }
  const near = (value: number, expected: number): boolean => Math.abs(value - expected) <= Math.abs(expected) * 0.1 + 10
  t.true(near(grown(0), 3000))
  t.true(near(grown(50_000), 1500))
  t.true(near(grown(100_000), 0))
  t.true(near(grown(150_000), -1500))
  t.true(near(grown(200_000), -3000))
  // A stalled event loop shows as seconds of delay: no collapse.
  t.true(near(grown(5_000_000), -3000))
})

test('an unused window does not grow', t => {
  const congestion = new Congestion(PACKET, MAX)
  for (let ack = 0; ack < 100; ack++) congestion.acknowledged(PACKET, PACKET, 0)
  t.is(congestion.windowBytes, 10_000)
})

test('loss shrinks the window, more where packets queue; undo gives it back', t => {
  const congestion = new Congestion(PACKET, MAX)
  for (let round = 0; round < 3; round++) roundTrip(congestion, 0)
  t.is(congestion.windowBytes, 80_000)
  congestion.lost()
  t.is(congestion.windowBytes, 56_000)
  t.false(congestion.slowStart)
  congestion.undo()
  t.is(congestion.windowBytes, 80_000)
  t.true(congestion.slowStart)
  congestion.undo()
  t.is(congestion.windowBytes, 80_000)
  congestion.acknowledged(1, 80_000, 30_000)
  const before = congestion.windowBytes
  congestion.lost()
  t.is(congestion.windowBytes, before / 2)
})

test('a timeout leaves two packets, and slow start up to half of the former window', t => {
  const congestion = new Congestion(PACKET, MAX)
  for (let round = 0; round < 3; round++) roundTrip(congestion, 0)
  congestion.timedOut()
  t.is(congestion.windowBytes, 2000)
  while (congestion.slowStart) roundTrip(congestion, 0)
  t.true(congestion.windowBytes >= 40_000 && congestion.windowBytes < 45_000)
})

test('the window stays between two packets and its limit', t => {
  const congestion = new Congestion(PACKET, 50_000)
  for (let round = 0; round < 50; round++) roundTrip(congestion, 0)
  t.is(congestion.windowBytes, 50_000)
  for (let loss = 0; loss < 50; loss++) congestion.lost()
  t.is(congestion.windowBytes, 2000)
})

test('queuing delay is the distance from the smallest delay of the last minutes, for any clocks', t => {
  // The other clock is far ahead: differences wrap around 2^32.
  const origin = 0xffff_ff00
  const delay = new DelayHistory()
  const add = (micros: number, now: number): void => delay.add((origin + micros) >>> 0, now)
  for (let sample = 0; sample < 3; sample++) add(1000, sample)
  t.is(delay.queuing(), 0)
  for (let sample = 0; sample < 3; sample++) add(51_000, 10 + sample)
  t.is(delay.queuing(), 50_000)
  // One late packet has no effect.
  add(900_000, 20)
  t.is(delay.queuing(), 50_000)
  // A better way becomes the base at once.
  for (let sample = 0; sample < 3; sample++) add(500, 30 + sample)
  t.is(delay.queuing(), 0)
  for (let sample = 0; sample < 3; sample++) add(51_000, 40 + sample)
  t.is(delay.queuing(), 50_500)
})

test('a base that is 13 minutes old is forgotten', t => {
  const delay = new DelayHistory()
  delay.add(1000, 0)
  for (let minute = 1; minute <= 12; minute++) delay.add(5000, minute * 60_001)
  t.is(delay.queuing(), 4000)
  for (let minute = 13; minute <= 15; minute++) delay.add(5000, minute * 60_001)
  t.is(delay.queuing(), 0)
})

test('shift moves the base: a clock that runs slower is no queue', t => {
  const delay = new DelayHistory()
  for (let sample = 0; sample < 3; sample++) delay.add(1000, sample)
  delay.shift(300)
  for (let sample = 0; sample < 3; sample++) delay.add(1500, 10 + sample)
  t.is(delay.queuing(), 200)
})

test('the timeout follows RFC 6298, with the least of BEP 29', t => {
  const rtt = new RoundTrip({ initialTimeoutMs: 1000, minTimeoutMs: 500, maxTimeoutMs: 30_000 })
  t.is(rtt.timeoutMs, 1000)
  t.is(rtt.probeMs, 1000)
  rtt.sample(400)
  t.is(rtt.smoothedMs, 400)
  t.is(rtt.timeoutMs, 400 + 4 * 200)
  rtt.sample(400)
  t.is(rtt.timeoutMs, 400 + 4 * 150)
  for (let sample = 0; sample < 100; sample++) rtt.sample(10)
  t.is(rtt.timeoutMs, 500)
  t.is(rtt.leastMs, 10)
  t.true(rtt.probeMs >= 20 && rtt.probeMs < 30)
})

test('back-off doubles up to the limit, and progress ends it', t => {
  const rtt = new RoundTrip({ initialTimeoutMs: 1000, minTimeoutMs: 500, maxTimeoutMs: 5000 })
  const seen = [1, 2, 3, 4, 5].map(() => {
    rtt.backOff()
    return rtt.timeoutMs
  })
  t.deepEqual(seen, [2000, 4000, 5000, 5000, 5000])
  rtt.progressed()
  t.is(rtt.timeoutMs, 1000)
})

test('any acks, losses and timeouts keep the window between two packets and its limit', t => {
  const event = fc.oneof(
    fc.record({
      type: fc.constant('ack' as const),
      ackedBytes: fc.integer({ min: 1, max: 100_000 }),
      flightBytes: fc.nat(MAX),
      delayMicros: fc.option(fc.nat(2_000_000), { nil: undefined }),
    }),
    fc.record({ type: fc.constantFrom('lost' as const, 'undo' as const, 'timedOut' as const) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: MAX }), fc.array(event, { maxLength: 100 }), (maxBytes, events) => {
      const congestion = new Congestion(PACKET, maxBytes)
      for (const given of events) {
        if (given.type === 'ack') congestion.acknowledged(given.ackedBytes, given.flightBytes, given.delayMicros)
        else congestion[given.type]()
        t.true(congestion.windowBytes >= 2 * PACKET && congestion.windowBytes <= Math.max(maxBytes, 2 * PACKET))
      }
    }),
  )
})

test('queuing delay does not depend on the offset between the clocks', t => {
  const samples = fc.array(fc.tuple(fc.nat(1_000_000), fc.nat(30_000)), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(samples, fc.nat(0xffff_ffff), (steps, offset) => {
      const plain = new DelayHistory()
      const shifted = new DelayHistory()
      let now = 0
      for (const [micros, afterMs] of steps) {
        now += afterMs
        plain.add(1 + micros, now)
        shifted.add((1 + micros + offset) >>> 0, now)
        t.is(plain.queuing(), shifted.queuing())
        t.true(plain.queuing() >= 0)
      }
    }),
  )
})
