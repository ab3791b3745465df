import test from 'ava'
import fc from 'fast-check'
import { type Randomness, seededRandomness, systemRandomness } from 'spimpl-runtime'

const sources: [string, () => Randomness][] = [
  ['system', systemRandomness],
  ['seeded', () => seededRandomness(1)],
]

for (const [name, create] of sources) {
  test(`${name}: as many bytes as asked for, across the borders of the pool`, t => {
    const randomness = create()
    for (const length of [0, 1, 12, 32, 4095, 4096, 4097, 10_000, 1]) t.is(randomness.bytes(length).length, length)
  })

  test(`${name}: a buffer belongs to who asked`, t => {
    const randomness = create()
    const first = randomness.bytes(16)
    t.is(first.buffer.byteLength, 16)
    const copy = first.slice()
    for (let round = 0; round < 1000; round++) randomness.bytes(16)
    t.deepEqual(first, copy)
  })

  test(`${name}: below() stays in range and reaches all of it`, t => {
    const randomness = create()
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), bound => {
        const value = randomness.below(bound)
        t.true(Number.isInteger(value) && value >= 0 && value < bound)
      }),
    )
    const counts = new Array<number>(6).fill(0)
    for (let round = 0; round < 6000; round++) counts[randomness.below(6)]!++
    // Six standard deviations of a fair die, so that chance does not fail the test.
    for (const count of counts) t.true(Math.abs(count - 1000) < 174, String(counts))
    t.is(randomness.below(1), 0)
  })

  test(`${name}: every bit of a byte is used`, t => {
    const bytes = create().bytes(4000)
    for (let bit = 0; bit < 8; bit++) {
      const ones = bytes.filter(byte => byte & (1 << bit)).length
      t.true(Math.abs(ones - 2000) < 190, `bit ${bit}: ${ones} of 4000`)
    }
  })
}

test('a seed determines everything, and another seed something else', t => {
  const draw = (seed: number): unknown => {
    const randomness = seededRandomness(seed)
    return [randomness.bytes(33), randomness.below(1000), randomness.bytes(5), randomness.below(2 ** 32)]
  }
  t.deepEqual(draw(42), draw(42))
  t.notDeepEqual(draw(42), draw(43))
  t.notDeepEqual(draw(0), draw(1))
})

test('the system does not repeat itself', t => {
  t.notDeepEqual(systemRandomness().bytes(32), systemRandomness().bytes(32))
})
