import test from 'ava'
import fc from 'fast-check'
import { concatBytes } from '../../../src/codec/bytes.ts'
import { encodeVarint } from '../../../src/codec/varint.ts'
import { ContentFrames } from '../../../src/portal/transfer/content-frames.ts'

/** Feeds the bytes in pieces of these sizes; the items that come out, or the code of the refusal. */
function cut(frames: ContentFrames, bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] | string {
  const items: Uint8Array[] = []
  let from = 0
  for (let piece = 0; from < bytes.length; piece++) {
    const part = bytes.subarray(from, from + (sizes[piece % sizes.length] ?? 1))
    for (let at = 0; at < part.length; ) {
      const taken = frames.take(part, at)
      if (!taken.ok) return taken.code
      at += taken.value.used
      if (taken.value.item !== undefined) items.push(taken.value.item)
    }
    from += part.length
  }
  return items
}

const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 })

test('items come out as they went in, however the stream is cut', t => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 6 }), sizes, (items, pieces) => {
      const bytes = concatBytes(...items.flatMap(item => [encodeVarint(item.length), item]))
      // An item without bytes that ends the stream comes with the byte of its length, like any other.
      t.deepEqual(cut(new ContentFrames({ prefixed: true, maxItemBytes: 600 }), bytes, pieces), items)
    }),
  )
})

test('without a prefix the item ends with the stream', t => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200_000 }), sizes, (item, pieces) => {
      const frames = new ContentFrames({ prefixed: false, maxItemBytes: 200_000 })
      t.deepEqual(cut(frames, item, pieces), [])
      t.deepEqual(frames.end(), item)
      t.is(frames.end(), undefined)
    }),
    { numRuns: 30 },
  )
})

test('any bytes are items or a refusal, and never an exception', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), sizes, (bytes, prefixed, pieces) => {
      const result = cut(new ContentFrames({ prefixed, maxItemBytes: 100 }), bytes, pieces)
      if (typeof result === 'string') t.true(['VARINT_INVALID', 'CONTENT_TOO_LARGE'].includes(result))
      else for (const item of result) t.true(item.length <= 100)
    }),
  )
})

test('a length above the limit is refused before a byte of the item is there', t => {
  const frames = new ContentFrames({ prefixed: true, maxItemBytes: 1000 })
  t.like(frames.take(encodeVarint(1001), 0), { ok: false, code: 'CONTENT_TOO_LARGE' })
})

test('a length that is no uint32 is refused', t => {
  const frames = new ContentFrames({ prefixed: true, maxItemBytes: 1000 })
  t.like(frames.take(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff), 0), { ok: false, code: 'VARINT_INVALID' })
})

test('it stops behind an item, and does not look at the next one', t => {
  const frames = new ContentFrames({ prefixed: true, maxItemBytes: 10 })
  const taken = frames.take(Uint8Array.of(2, 7, 8, 200, 200, 200), 0)
  t.deepEqual(taken, { ok: true, value: { used: 3, item: Uint8Array.of(7, 8) } })
})

test('a prefixed item that is cut short is none', t => {
  const frames = new ContentFrames({ prefixed: true, maxItemBytes: 10 })
  frames.take(Uint8Array.of(3, 1, 2), 0)
  t.is(frames.end(), undefined)
})

test('a large item waits for room, and none of its bytes are taken before', t => {
  const frames = new ContentFrames({ prefixed: true, maxItemBytes: 100, freeItemBytes: 3 })
  const bytes = Uint8Array.of(3, 1, 2, 3, 4, 5, 6, 7, 8)
  t.deepEqual(frames.take(bytes, 0), { ok: true, value: { used: 4, item: Uint8Array.of(1, 2, 3) } })
  t.is(frames.wantedBytes, undefined)
  t.deepEqual(frames.take(bytes, 4), { ok: true, value: { used: 1, item: undefined } })
  t.is(frames.wantedBytes, 4)
  t.deepEqual(frames.take(bytes, 5), { ok: true, value: { used: 0, item: undefined } })
  frames.allow()
  t.is(frames.wantedBytes, undefined)
  t.deepEqual(frames.take(bytes, 5), { ok: true, value: { used: 4, item: Uint8Array.of(5, 6, 7, 8) } })
})

test('an item without a prefix may be as large as any, and wants that much room', t => {
  const frames = new ContentFrames({ prefixed: false, maxItemBytes: 100, freeItemBytes: 3 })
  t.is(frames.wantedBytes, 100)
  frames.allow()
  t.deepEqual(frames.take(Uint8Array.of(7), 0), { ok: true, value: { used: 1, item: undefined } })
  t.deepEqual(frames.end(), Uint8Array.of(7))
})

test('a size that is only named takes no memory: the item grows with what comes', t => {
  const maxItemBytes = 16 * 1024 * 1024
  const before = process.memoryUsage().arrayBuffers
  const all = Array.from({ length: 200 }, () => {
    const frames = new ContentFrames({ prefixed: true, maxItemBytes })
    frames.take(concatBytes(encodeVarint(maxItemBytes), Uint8Array.of(1)), 0)
    return frames
  })
  t.true(process.memoryUsage().arrayBuffers - before < 100 * 1024 * 1024)
  const whole = new Uint8Array(maxItemBytes).fill(1)
  const taken = all[0]!.take(whole, 1)
  t.true(taken.ok && taken.value.item !== undefined && Buffer.compare(taken.value.item, whole) === 0)
})
