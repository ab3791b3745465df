import test from 'ava'
import fc from 'fast-check'
import { Profiles } from '../../src/portal/knowledge/profiles.ts'
import { covers, MAX_RADIUS, radiusBytes, radiusOf } from '../../src/portal/knowledge/radius.ts'

const id = fc.uint8Array({ minLength: 32, maxLength: 32 })
const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

test('a radius covers content exactly where the XOR distance is not above it', t => {
  fc.assert(
    fc.property(
      id,
      id,
      fc.bigInt({ min: 0n, max: MAX_RADIUS }),
      fc.integer({ min: -1, max: 1 }),
      (node, content, drawn, step) => {
        const distance = number(node) ^ number(content)
        for (const radius of [drawn, distance + BigInt(step)]) {
          if (radius < 0n || radius > MAX_RADIUS) continue
          t.is(radiusOf(radiusBytes(radius)), radius)
          t.is(covers(radiusBytes(radius), node, content), distance <= radius)
        }
      },
    ),
    { numRuns: 300 },
  )
  t.true(covers(radiusBytes(MAX_RADIUS + 5n), new Uint8Array(32), new Uint8Array(32).fill(255)))
})

test('profiles: bounded, and who was used the longest ago makes room', t => {
  const profiles = new Profiles(2, () => false)
  profiles.setRadius('a', 1n)
  profiles.setRadius('b', 2n)
  profiles.of('a')
  profiles.setRadius('c', 3n)
  t.is(profiles.size, 2)
  t.deepEqual([profiles.radius('a'), profiles.radius('b'), profiles.radius('c')], [1n, undefined, 3n])
})

test('profiles: strangers do not push members out', t => {
  const profiles = new Profiles(4, nodeIdHex => nodeIdHex.startsWith('member'))
  for (const name of ['member 1', 'member 2']) profiles.setRadius(name, 9n)
  for (let number = 0; number < 50; number++) profiles.setRadius(`stranger ${number}`, 1n)
  t.is(profiles.size, 4)
  t.deepEqual([profiles.radius('member 1'), profiles.radius('member 2')], [9n, 9n])
  t.is(profiles.radius('stranger 49'), 1n)
  const full = new Profiles(2, () => true)
  for (let number = 0; number < 10; number++) full.setRadius(`member ${number}`, 1n)
  t.is(full.size, 2)
})
