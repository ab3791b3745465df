import test from 'ava'
import fc from 'fast-check'
import { type Randomness, seededRandomness } from 'spimpl-runtime'
import { toHex } from '../../../src/codec/hex.ts'
import { distancesTowards, Lookup, type LookupNode } from '../../../src/discv5/asking/lookup.ts'
import { compareDistance, logDistance } from '../../../src/identity/distances.ts'

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

/** Runs a lookup in a world where every living node knows all nodes. */
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

test('a lookup ends with the closest living nodes, and has at most alpha queries in flight', t => {
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

test('no node is queried twice, nor our own, and queries are bounded', t => {
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

test('candidates are bounded, and the nearest are kept', t => {
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

test('a lookup without seeds is done at once; a finished one queries no further node', t => {
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
  // An id with one bit set is at the log distance of that bit from the id of zeros.
  const idAt = (distance: number): Uint8Array => {
    const id = new Uint8Array(32)
    if (distance > 0) id[31 - ((distance - 1) >> 3)] = 1 << ((distance - 1) & 7)
    return id
  }
  const origin = new Uint8Array(32)
  t.deepEqual(distancesTowards(idAt(250), origin), [250, 251, 249])
  t.deepEqual(distancesTowards(idAt(256), origin), [256, 255, 254])
  t.deepEqual(distancesTowards(idAt(1), origin), [1, 2, 3])
  t.deepEqual(distancesTowards(origin, origin), [0, 1, 2])
})

test('property: a query asks for three distinct distances in range, that of the target first', t => {
  const id = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(id, id, fc.integer({ min: 0, max: 32 }), (target, nodeId, shared) => {
      nodeId.set(target.subarray(0, shared))
      const distances = distancesTowards(target, nodeId)
      t.is(distances[0], logDistance(target, nodeId))
      t.is(new Set(distances).size, 3)
      t.true(distances.every((distance, at) => distance >= (at === 0 ? 0 : 1) && distance <= 256))
    }),
  )
})
