import test from 'ava'
import fc from 'fast-check'
import { toHex } from '../../src/codec/hex.ts'
import { Lookup, type LookupNode } from '../../src/discv5/lookup.ts'
import { queryDistances } from '../../src/discv5/lookups.ts'
import { compareDistance } from '../../src/identity/distances.ts'
import { type Randomness, seededRandomness } from '../../src/runtime/randomness.ts'

const LOCAL = toHex(new Uint8Array(32))

function nodes(count: number, randomness: Randomness): LookupNode[] {
  return Array.from({ length: count }, () => {
    const nodeId = randomness.bytes(32)
    return { nodeId, nodeIdHex: toHex(nodeId) }
  })
}

interface World {
  readonly seed: number
  readonly count: number
  readonly deadOfTen: number
  readonly alpha: number
}

const world: fc.Arbitrary<World> = fc.record({
  seed: fc.integer(),
  count: fc.integer({ min: 1, max: 150 }),
  deadOfTen: fc.integer({ min: 0, max: 9 }),
  alpha: fc.integer({ min: 1, max: 5 }),
})

/** Runs a lookup in a world where everybody who lives knows the 20 nearest to the target that are nearer than himself, and more. */
function search({ seed, count, deadOfTen, alpha }: World): {
  lookup: Lookup<LookupNode>
  alive: LookupNode[]
  maxInFlight: number
} {
  const randomness = seededRandomness(seed)
  const everybody = nodes(count, randomness)
  const target = randomness.bytes(32)
  const dead = new Set(everybody.filter(() => randomness.below(10) < deadOfTen).map(node => node.nodeIdHex))
  const sorted = [...everybody].sort((a, b) => compareDistance(target, a.nodeId, b.nodeId))
  const seeds = [everybody[0]!]
  dead.delete(seeds[0]!.nodeIdHex)
  const lookup = new Lookup({ target, localIdHex: LOCAL, seeds, alpha, maxQueries: 1000, maxCandidates: 1000 })
  const waiting: LookupNode[] = []
  let maxInFlight = 0
  while (!lookup.done) {
    waiting.push(...lookup.next())
    maxInFlight = Math.max(maxInFlight, lookup.inFlight)
    const [node] = waiting.splice(randomness.below(waiting.length), 1)
    if (dead.has(node!.nodeIdHex)) lookup.failed(node!.nodeIdHex)
    else lookup.answered(node!.nodeIdHex, sorted)
  }
  return { lookup, alive: sorted.filter(node => !dead.has(node.nodeIdHex)), maxInFlight }
}

test('it ends with the closest that live, having asked at most alpha at a time', t => {
  fc.assert(
    fc.property(world, one => {
      const { lookup, alive, maxInFlight } = search(one)
      t.deepEqual(
        lookup.closest().map(node => node.nodeIdHex),
        alive.slice(0, 16).map(node => node.nodeIdHex),
      )
      t.true(maxInFlight <= one.alpha)
      t.is(lookup.inFlight, 0)
      t.deepEqual(lookup.next(), [])
    }),
  )
})

test('nobody is asked twice, nor the asker, nor more often than allowed', t => {
  const randomness = seededRandomness(3)
  const all = nodes(200, randomness)
  const self = { nodeId: new Uint8Array(32), nodeIdHex: LOCAL }
  const lookup = new Lookup({
    target: randomness.bytes(32),
    localIdHex: LOCAL,
    seeds: [...all.slice(0, 5), self],
    maxQueries: 20,
  })
  const asked = new Set<string>()
  for (let round = lookup.next(); round.length > 0; round = lookup.next()) {
    for (const { nodeIdHex } of round) {
      t.false(asked.has(nodeIdHex))
      asked.add(nodeIdHex)
      lookup.failed(nodeIdHex)
      lookup.failed(nodeIdHex)
      for (const node of [...all, self]) lookup.add(node)
    }
  }
  t.is(asked.size, 20)
  t.false(asked.has(LOCAL))
  t.true(lookup.done)
})

test('candidates are bounded, and the nearest stay', t => {
  const randomness = seededRandomness(4)
  const target = randomness.bytes(32)
  const all = nodes(500, randomness)
  const lookup = new Lookup({ target, localIdHex: LOCAL, seeds: all, maxCandidates: 30 })
  t.is(lookup.candidates().length, 30)
  all.sort((a, b) => compareDistance(target, a.nodeId, b.nodeId))
  t.deepEqual(
    lookup.closestKnown(16).map(node => node.nodeIdHex),
    all.slice(0, 16).map(node => node.nodeIdHex),
  )
})

test('without seeds it is done at once; finished it asks nobody', t => {
  const randomness = seededRandomness(5)
  t.true(new Lookup({ target: LOCAL_TARGET, localIdHex: LOCAL, seeds: [] }).done)
  const lookup = new Lookup({ target: LOCAL_TARGET, localIdHex: LOCAL, seeds: nodes(5, randomness) })
  lookup.next()
  lookup.finish()
  t.true(lookup.done)
  t.deepEqual(lookup.next(), [])
})

const LOCAL_TARGET = new Uint8Array(32).fill(9)

test('a query asks for the distance of the target and its neighbours, within bounds', t => {
  t.deepEqual(queryDistances(250), [250, 251, 249])
  t.deepEqual(queryDistances(256), [256, 255, 254])
  t.deepEqual(queryDistances(1), [1, 2, 3])
  t.deepEqual(queryDistances(0), [0, 1, 2])
})
