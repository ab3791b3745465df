import test from 'ava'
import fc from 'fast-check'
import { SharedRing } from 'spimpl-runtime/internal/lanes/shared-ring.js'

test('frames come out as they went in, in order, written and read by copies or in place, or are refused for want of room', t => {
  const step = fc.record({
    write: fc.boolean(),
    inPlace: fc.boolean(),
    bytes: fc.uint8Array({ maxLength: 40 }),
    /** Claimed beyond what is written in the end. */
    spare: fc.nat(24),
  })
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { maxLength: 200 }), (position, steps) => {
      const writer = SharedRing.allocate(128)
      startAt(writer, position & ~7)
      const reader = new SharedRing(writer.buffer)
      const waiting: Uint8Array[] = []
      for (const { write, inPlace, bytes, spare } of steps) {
        if (write) {
          const room = writer.hasRoom(bytes.byteLength)
          // An empty ring takes every frame up to its limit.
          if (!room && waiting.length === 0 && bytes.byteLength <= writer.maxFrameBytes) return false
          const at = inPlace ? writer.claim(bytes.byteLength + spare) : -1
          if (at >= 0) {
            if (at % 8 !== 0) return false
            writer.bytes.set(bytes, at)
            writer.commit(bytes.byteLength)
          } else if (writer.write(bytes) !== room) return false
          if (room) waiting.push(bytes)
          else if (!reader.takeRoomWanted() || reader.takeRoomWanted()) return false
        } else {
          const expected = waiting.shift()
          const at = inPlace ? reader.next() : -1
          const frame = at >= 0 ? Buffer.from(reader.bytes.subarray(at, at + reader.length)) : reader.read()
          if (at >= 0) reader.release()
          if ((frame === undefined) !== (expected === undefined)) return false
          if (frame !== undefined && expected !== undefined && Buffer.compare(frame, expected) !== 0) return false
        }
        if (reader.empty !== (waiting.length === 0)) return false
      }
      return true
    }),
    { numRuns: 1_000 },
  )
  t.pass()
})

test('positions wrap around 2^32', t => {
  const ring = SharedRing.allocate(64)
  startAt(ring, -64)
  for (let round = 0; round < 50; round++) {
    t.true(ring.write(Uint8Array.of(round, 1, 2)))
    t.deepEqual([...ring.read()!], [round, 1, 2])
  }
})

/** As if so many bytes had gone through it. */
function startAt(ring: SharedRing, position: number): void {
  const header = new Int32Array(ring.buffer, 0, 32)
  header[0] = position
  header[16] = position
}

test('a capacity that is no power of two is refused', t => {
  t.throws(() => SharedRing.allocate(100), { instanceOf: RangeError })
})
