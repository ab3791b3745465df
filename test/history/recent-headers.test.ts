import test from 'ava'
import fc from 'fast-check'
import { RecentHeaders } from '../../src/history/headers/recent-headers.ts'

test('any uses leave the most recently used entries, as a list would', t => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(8), { maxLength: 60 }), (capacity, uses) => {
      const recent = new RecentHeaders<string>(capacity)
      let list: number[] = []
      for (const number of uses) {
        recent.keep(BigInt(number), `header ${number}`)
        list = [number, ...list.filter(other => other !== number)].slice(0, capacity)
        t.is(recent.size, list.length)
        for (let other = 0; other <= 8; other++)
          t.is(recent.get(BigInt(other)), list.includes(other) ? `header ${other}` : undefined)
      }
      recent.clear()
      t.is(recent.size, 0)
    }),
  )
})
