import test from 'ava'
import fc from 'fast-check'
import { SharedRing } from '../../../src/runtime/lanes/shared-ring.ts'

test('frames come out as they went in, in order, or are refused for want of room', t => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
    fc.record({ kind: fc.constant('read' as const), bytes: fc.constant(new Uint8Array()) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const writer = SharedRing.allocate(128)
      const reader = new SharedRing(writer.buffer)
      const waiting: Uint8Array[] = []
      for (const { kind, bytes } of steps) {
        if (kind === 'write') {
          const taken = writer.write(bytes)
          if (taken) waiting.push(bytes)
          // An empty ring takes every frame up to its limit.
          else if (waiting.length === 0 && bytes.byteLength <= writer.maxFrameBytes) return false
        } else {
          const frame = reader.read()
          const expected = waiting.shift()
          if ((frame === undefined) !== (expected === undefined)) return false
          if (frame !== undefined && expected !== undefined && Buffer.compare(frame, expected) !== 0) return false
        }
        if (reader.empty !== (waiting.length === 0)) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('positions wrap around 2^32', t => {
  const ring = SharedRing.allocate(64)
  new Int32Array(ring.buffer, 0, 2).fill(-64)
  for (let round = 0; round < 50; round++) {
    t.true(ring.write(Uint8Array.of(round, 1, 2)))
    t.deepEqual([...ring.read()!], [round, 1, 2])
  }
})

test('whoever sleeps is woken once', t => {
  const ring = SharedRing.allocate(64)
  t.false(ring.takeSleeping())
  ring.sleep()
  t.true(ring.takeSleeping())
  t.false(ring.takeSleeping())
  ring.sleep()
  ring.awake()
  t.false(ring.takeSleeping())
})

test('a capacity that is no power of two is refused', t => {
  t.throws(() => SharedRing.allocate(100), { instanceOf: RangeError })
})
