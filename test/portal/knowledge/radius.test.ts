import test from 'ava'
import fc from 'fast-check'
import { Profiles } from '../../../src/portal/knowledge/profiles.ts'
import { covers, MAX_RADIUS, radiusBytes, radiusOf } from '../../../src/portal/knowledge/radius.ts'

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

const learn = (profiles: Profiles, nodeIdHex: string, radius: bigint): void =>
  profiles.of(nodeIdHex).learn({ payloadType: 1, radius })

test('profiles: bounded, and who was used the longest ago makes room', t => {
  const profiles = new Profiles(2, () => false)
  learn(profiles, 'a', 1n)
  learn(profiles, 'b', 2n)
  profiles.of('a')
  learn(profiles, 'c', 3n)
  t.is(profiles.size, 2)
  t.deepEqual([profiles.peek('a')?.radius, profiles.peek('b')?.radius, profiles.peek('c')?.radius], [1n, undefined, 3n])
})

test('profiles: strangers do not push members out', t => {
  const profiles = new Profiles(4, nodeIdHex => nodeIdHex.startsWith('member'))
  for (const name of ['member 1', 'member 2']) learn(profiles, name, 9n)
  for (let number = 0; number < 50; number++) learn(profiles, `stranger ${number}`, 1n)
  t.is(profiles.size, 4)
  t.deepEqual([profiles.peek('member 1')?.radius, profiles.peek('member 2')?.radius], [9n, 9n])
  t.is(profiles.peek('stranger 49')?.radius, 1n)
  const full = new Profiles(2, () => true)
  for (let number = 0; number < 10; number++) learn(full, `member ${number}`, 1n)
  t.is(full.size, 2)
})
