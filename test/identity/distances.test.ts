import test from 'ava'
import fc from 'fast-check'
import { seededRandomness } from 'spimpl-runtime'
import { compareBytes } from '../../src/codec/bytes.ts'
import { compareDistance, logDistance, randomIdAtDistance, xorDistance } from '../../src/identity/distances.ts'
import { formatAddress, parseAddress } from '../../src/identity/ip-address.ts'

const id = fc.uint8Array({ minLength: 32, maxLength: 32 })
const big = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

/** Ids that share a prefix, so that all distances occur and not only those near 256. */
const pair = fc
  .tuple(id, id, fc.nat(32))
  .map(([a, b, shared]) => [a, Uint8Array.of(...a.slice(0, shared), ...b.slice(shared))] as const)

test('distances are those of the ids as numbers', t => {
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const xor = big(a) ^ big(b)
      t.is(big(xorDistance(a, b)), xor)
      t.is(logDistance(a, b), xor === 0n ? 0 : xor.toString(2).length)
    }),
  )
  t.is(logDistance(new Uint8Array(32), new Uint8Array(32)), 0)
})

test('distances compare as numbers', t => {
  fc.assert(
    fc.property(id, pair, (target, [a, b]) => {
      const expected = compareBytes(xorDistance(target, a), xorDistance(target, b))
      t.is(Math.sign(compareDistance(target, a, b)), Math.sign(expected))
    }),
  )
})

test('a random id is at the requested distance, anywhere within it', t => {
  const randomness = seededRandomness(5)
  fc.assert(
    fc.property(id, fc.nat(256), (own, distance) => {
      t.is(logDistance(own, randomIdAtDistance(own, distance, randomness)), distance)
    }),
    { numRuns: 600 },
  )
  const own = new Uint8Array(32)
  const near = new Set(Array.from({ length: 200 }, () => randomIdAtDistance(own, 3, randomness)[31]))
  t.deepEqual([...near].sort(), [4, 5, 6, 7])
  for (const distance of [-1, 257, 1.5]) t.throws(() => randomIdAtDistance(own, distance, randomness))
})

test('addresses format and parse back', t => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.uint8Array({ minLength: 16, maxLength: 16, max: 1 }),
  )
  fc.assert(fc.property(bytes, address => t.deepEqual(parseAddress(formatAddress(address)), address)))
})

test('addresses are formatted as in RFC 5952', t => {
  const facts: [string, string][] = [
    ['2001:0db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
  ]
  for (const [text, canonical] of facts) t.is(formatAddress(parseAddress(text)!), canonical)
  for (const text of ['', 'localhost', '1.2.3', '1.2.3.256', '::1%eth0', ':::', '1::2::3'])
    t.is(parseAddress(text), undefined)
})
