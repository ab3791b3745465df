import test from 'ava'
import fc from 'fast-check'
import { RequestIds } from '../../src/rpc/dispatching/request-id.ts'

test('property: whatever stands around it, the number of each call is found as it was written', t => {
  const space = fc.constantFrom('', ' ', '\n\t')
  const number = fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }).map(String)
  const member = fc.tuple(fc.oneof(fc.constantFrom('id', 'i"d', '\\', 'a:'), fc.string()), fc.json())
  const members = fc.array(
    member.map(([name, value]) => `${JSON.stringify(name)}:${value}`),
    { maxLength: 4 },
  )
  const call = fc.tuple(number, members, members, space).map(([id, before, after, gap]) => {
    const others = after.filter(text => !text.startsWith('"id":'))
    return { id, text: `${gap}{${gap}${[...before, `"id"${gap}:${gap}${id}${gap}`, ...others].join(',')}}${gap}` }
  })
  const idOf = (ids: RequestIds, message: unknown, index: number) => ids.of((message as { id: number }).id, index)
  fc.assert(
    fc.property(call, fc.array(call, { maxLength: 4 }), ({ id, text }, calls) => {
      t.is(idOf(new RequestIds(text), JSON.parse(text), 0), id)
      const batch = ` [${calls.map(one => one.text).join(',')}]`
      const ids = new RequestIds(batch)
      const found = (JSON.parse(batch) as unknown[]).map((message, index) => idOf(ids, message, index))
      t.deepEqual(
        found,
        calls.map(one => one.id),
      )
    }),
  )
})
