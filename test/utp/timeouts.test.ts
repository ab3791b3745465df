import test from 'ava'
import fc from 'fast-check'
import { StreamTimeouts, type StreamTimer } from '../../src/utp/deadlines.ts'

const entries = (timeouts: StreamTimeouts) => [
  timeouts.total,
  timeouts.connect,
  timeouts.idle,
  timeouts.finish,
  timeouts.retransmit,
  timeouts.probe,
  timeouts.windowProbe,
  timeouts.loss,
  timeouts.burst,
  timeouts.syn,
  timeouts.keepAlive,
]

test('due timers come out once each, in the order of the list and not of their moments', t => {
  const moment = fc.oneof(fc.nat(20), fc.constant(Number.POSITIVE_INFINITY))
  fc.assert(
    fc.property(fc.array(moment, { minLength: 11, maxLength: 11 }), fc.nat(20), (moments, now) => {
      const timeouts = new StreamTimeouts()
      const all = entries(timeouts)
      for (const [index, at] of moments.entries()) timeouts.set(all[index]!, at)
      t.is(timeouts.next(), Math.min(...moments))
      const taken: StreamTimer[] = []
      for (let due = timeouts.takeDue(now); due !== undefined; due = timeouts.takeDue(now)) taken.push(due)
      t.deepEqual(
        taken,
        all.filter((_, index) => moments[index]! <= now).map(({ name }) => name),
      )
      t.true(timeouts.next() > now)
      timeouts.clearAll()
      t.is(timeouts.next(), Number.POSITIVE_INFINITY)
    }),
  )
})
