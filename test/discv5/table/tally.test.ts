import test from 'ava'
import fc from 'fast-check'
import { Tally } from '../../../src/discv5/table/tally.ts'

test('a tally counts for each key, and forgets a key with none', t => {
  const key = fc.constantFrom('a', 'b', 'c')
  fc.assert(
    fc.property(fc.array(fc.record({ key, bytes: fc.integer({ min: 1, max: 9 }), leaves: fc.boolean() })), steps => {
      const tally = new Tally()
      const held: { readonly key: string; readonly bytes: number }[] = []
      const sum = (of: string) => held.reduce((total, { key, bytes }) => (key === of ? total + bytes : total), 0)
      for (const { key, bytes, leaves } of steps) {
        const gone = leaves ? held.pop() : undefined
        if (gone === undefined) held.push({ key, bytes })
        tally.add(gone?.key ?? key, gone === undefined ? bytes : -gone.bytes)
        for (const each of ['a', 'b', 'c']) if (tally.of(each) !== sum(each)) return false
        if (tally.size !== new Set(held.map(({ key }) => key)).size) return false
      }
      return true
    }),
  )
  t.pass()
})
