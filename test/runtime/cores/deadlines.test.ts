import test from 'ava'
import fc from 'fast-check'
import { Deadline, Deadlines } from 'spimpl-runtime/core'

test('deadlines: any sets, clears and takes are those of a sorted list', t => {
  const operation = fc.tuple(fc.constantFrom('set', 'clear', 'take'), fc.nat({ max: 19 }), fc.nat({ max: 50 }))
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), operations => {
      const entries = Array.from({ length: 20 }, (_, index) => new Deadline('retry', index))
      const deadlines = new Deadlines<Deadline<'retry', number>>()
      const waiting = new Map<Deadline, number>()
      const earliest = (): number => Math.min(Number.POSITIVE_INFINITY, ...waiting.values())
      for (const [what, which, at] of operations) {
        const entry = entries[which]!
        if (what === 'set') {
          deadlines.set(entry, at)
          waiting.set(entry, at)
        } else if (what === 'clear') {
          deadlines.clear(entry)
          waiting.delete(entry)
        } else {
          const due = earliest()
          const taken = deadlines.takeDue(at)
          t.is(taken === undefined ? undefined : waiting.get(taken), due <= at ? due : undefined)
          if (taken !== undefined) waiting.delete(taken)
        }
        t.is(deadlines.next(), earliest())
        t.is(deadlines.size, waiting.size)
        t.true(entries.every(each => each.isSet === waiting.has(each)))
      }
    }),
  )
})

test('deadlines: Infinity clears', t => {
  const deadlines = new Deadlines<Deadline>()
  const entry = new Deadline('idle', undefined)
  deadlines.set(entry, 5)
  deadlines.set(entry, Number.POSITIVE_INFINITY)
  t.false(entry.isSet)
  t.is(deadlines.next(), Number.POSITIVE_INFINITY)
})
