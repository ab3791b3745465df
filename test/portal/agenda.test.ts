import test from 'ava'
import fc from 'fast-check'
import { Agenda, type Appointment } from '../../src/portal/waiting/agenda.ts'

test('any appointments, some cancelled: each other job is taken once, at its time, in order', t => {
  const operation = fc.oneof(
    fc.record({ set: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ cancel: fc.nat({ max: 200 }) }),
    fc.record({ advance: fc.integer({ min: 0, max: 20 }) }),
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), operations => {
      const agenda = new Agenda<number>()
      const made: Appointment<number>[] = []
      const due = new Map<number, number>()
      let now = 0
      const take = () => {
        let before = Number.NEGATIVE_INFINITY
        for (let job = agenda.take(now); job !== undefined; job = agenda.take(now)) {
          const at = due.get(job)!
          t.true(at <= now && at >= before)
          before = at
          due.delete(job)
        }
      }
      for (const step of operations) {
        if ('set' in step) {
          due.set(made.length, now + step.set)
          made.push(agenda.set(now + step.set, made.length))
        } else if ('cancel' in step) {
          const appointment = made[step.cancel]
          if (appointment?.job !== undefined) due.delete(appointment.job)
          agenda.cancel(appointment)
        } else {
          now += step.advance
          take()
        }
        t.is(agenda.next(), Math.min(...due.values()))
        t.is(agenda.size, due.size)
      }
      now = Number.MAX_SAFE_INTEGER
      take()
      t.is(due.size, 0)
    }),
    { numRuns: 200 },
  )
})
