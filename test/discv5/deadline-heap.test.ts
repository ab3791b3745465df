import test from 'ava'
import fc from 'fast-check'
import { DeadlineHeap, type Timed } from '../../src/discv5/deadline-heap.ts'

test('deadline heap: as a sorted list would have it', t => {
  const operation = fc.tuple(fc.constantFrom('set', 'remove', 'take'), fc.nat({ max: 19 }), fc.nat({ max: 50 }))
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), operations => {
      const items = Array.from({ length: 20 }, (): Timed => ({ dueAt: 0, heapIndex: -1 }))
      const heap = new DeadlineHeap<Timed>()
      const waiting = new Set<Timed>()
      const earliest = (): number => Math.min(Number.POSITIVE_INFINITY, ...[...waiting].map(item => item.dueAt))
      for (const [what, which, at] of operations) {
        const item = items[which]!
        if (what === 'set') {
          heap.set(item, at)
          waiting.add(item)
        } else if (what === 'remove') {
          heap.remove(item)
          waiting.delete(item)
        } else {
          const due = earliest()
          const taken = heap.takeDue(at)
          t.is(taken?.dueAt, due <= at ? due : undefined)
          if (taken !== undefined) waiting.delete(taken)
        }
        t.is(heap.next(), earliest())
        t.is(heap.size, waiting.size)
      }
    }),
  )
})
