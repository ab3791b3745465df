import test from 'ava'
import { type Placed, type PolicyState, StoragePolicy } from '../../src/store/policy.ts'
import { MAX_RADIUS, toBigInt } from '../../src/store/radius.ts'

const at = (first: number): Uint8Array => {
  const distance = new Uint8Array(32)
  distance[31] = first
  return distance
}
const placed = (...items: [number, number][]): Placed[] => items.map(([first, cost]) => ({ distance: at(first), cost }))
const state = (usedBytes: number, count: number, radius = MAX_RADIUS): PolicyState => ({ usedBytes, count, radius })
const auto = new StoragePolicy({ type: 'auto' }, 100)

test('reads only as many items as needed', t => {
  function* furthestFirst(): Generator<Placed> {
    yield { distance: at(9), cost: 50 }
    yield { distance: at(8), cost: 50 }
    t.fail('read a third item')
  }
  const decision = auto.decidePut(
    { distance: at(1), cost: 40, replacedCost: undefined },
    state(100, 3),
    furthestFirst(),
  )
  t.deepEqual(decision, { refused: undefined, evict: [at(9)], state: state(90, 3, 8n) })
})

test('one large close item evicts several', t => {
  const items = placed([9, 30], [8, 30], [7, 30])
  const decision = auto.decidePut({ distance: at(1), cost: 100, replacedCost: undefined }, state(90, 3), items)
  t.deepEqual(decision, { refused: undefined, evict: [at(9), at(8), at(7)], state: state(100, 1, 1n) })
})

test('an item in the middle without room is evicted with all beyond it', t => {
  const items = placed([9, 10], [2, 80])
  const decision = auto.decidePut({ distance: at(5), cost: 50, replacedCost: undefined }, state(90, 2), items)
  t.deepEqual(decision, { refused: 'out-of-radius', evict: [at(9)], state: state(80, 1, 2n) })
})

test('a furthest item that grows is evicted with its older version', t => {
  const items = placed([9, 50], [2, 50])
  const decision = auto.decidePut({ distance: at(9), cost: 60, replacedCost: 50 }, state(100, 2), items)
  t.deepEqual(decision, { refused: 'out-of-radius', evict: [at(9)], state: state(50, 1, 2n) })
})

test('opening: the radius stays shrunk unless there is room for more', t => {
  const stored = { ...state(90, 2, 7n), capacityBytes: 100, setting: 'auto' as const }
  const items = placed([7, 45], [3, 45])
  t.is(auto.decideOpen(stored, items).state.radius, 7n)
  t.is(auto.decideOpen({ ...stored, usedBytes: 49 }, items).state.radius, MAX_RADIUS)
  t.is(new StoragePolicy({ type: 'auto' }, 101).decideOpen(stored, items).state.radius, MAX_RADIUS)
  t.deepEqual(new StoragePolicy({ type: 'auto' }, 60).decideOpen(stored, items), {
    evict: [at(7)],
    state: state(45, 1, 3n),
  })
  t.deepEqual(new StoragePolicy({ type: 'auto' }, 40).decideOpen(stored, items), {
    evict: [at(7), at(3)],
    state: state(0, 0, MAX_RADIUS),
  })
  t.is(new StoragePolicy({ type: 'max' }, 100).decideOpen(stored, items).state.radius, MAX_RADIUS)
  t.is(new StoragePolicy({ type: 'fixed', radius: 5n }, 100).decideOpen(stored, items).state.radius, 5n)
})

test('a distance reads as its big-endian number', t => {
  t.is(toBigInt(at(7)), 7n)
  t.is(toBigInt(new Uint8Array(32).fill(255)), MAX_RADIUS)
  t.is(toBigInt(new Uint8Array(33).fill(1, 0, 2).subarray(1)), 1n << 248n)
})

test('a capacity that is no number of bytes is a mistake of the configuration', t => {
  for (const capacityBytes of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => new StoragePolicy({ type: 'auto' }, capacityBytes), { code: 'CONFIG_INVALID' })
  t.is(new StoragePolicy({ type: 'auto' }, 0).widestRadius, 0n)
})
