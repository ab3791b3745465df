import test from 'ava'
import fc from 'fast-check'
import { Backlog } from '../../../src/portal/transfer/backlog.ts'

test('bytes come out in the order in which they went in, however they are pushed and skipped', t => {
  const step = fc.record({ bytes: fc.uint8Array({ maxLength: 40 }), skip: fc.nat({ max: 60 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const backlog = new Backlog()
      let expected: number[] = []
      for (const { bytes, skip } of steps) {
        backlog.push(bytes)
        expected.push(...bytes)
        const taken = Math.min(skip, expected.length)
        backlog.skip(taken)
        expected = expected.slice(taken)
        t.is(backlog.bytes, expected.length)
        t.deepEqual([...backlog.view()], expected)
      }
    }),
  )
})

test('a window full of packets of one byte costs a few times its bytes', t => {
  const backlog = new Backlog()
  const packet = new Uint8Array(64)
  for (let count = 0; count < 1_000_000; count++) backlog.push(packet.subarray(0, 1))
  t.is(backlog.bytes, 1_000_000)
  t.true(backlog.view().buffer.byteLength <= 4_000_000)
  backlog.skip(1_000_000)
  t.is(backlog.view().buffer.byteLength, 0)
})
