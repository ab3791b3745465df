import type { TestFn } from 'ava'
import fc from 'fast-check'
import type { ContentStore, ContentStoreOptions } from '../../src/store/content-store.ts'
import { ITEM_OVERHEAD_BYTES, itemCost } from '../../src/store/policy.ts'
import { distanceBetween, MAX_RADIUS, toBigInt } from '../../src/store/radius.ts'

export type OpenStore = (options: ContentStoreOptions) => Promise<ContentStore>

export const nodeId = new Uint8Array(32).fill(0x5a)

/** The content id at a distance whose first byte is `first` and whose last is `last`. */
export function idAt(first: number, last = 0): Uint8Array {
  const distance = new Uint8Array(32)
  distance[0] = first
  distance[31] = last
  return distanceBetween(distance, nodeId)
}

export const keyOf = (id: Uint8Array): Uint8Array => Uint8Array.of(1, ...id.subarray(24))

export const bytes = (length: number, fill = 7): Uint8Array => new Uint8Array(length).fill(fill)

const cost = (valueBytes: number): number => itemCost(9, valueBytes)
const distanceOf = (id: Uint8Array): bigint => toBigInt(distanceBetween(id, nodeId))
const auto = { type: 'auto' } as const

/** The contract of the port: every implementation runs this suite. */
export function conformance(test: TestFn, name: string, open: OpenStore): void {
  const title = (text: string) => `${name}: ${text}`

  test(title('gives back what was put, under buffers of its own'), async t => {
    const store = await open({ nodeId, capacityBytes: 1e6, radius: auto })
    const id = idAt(3)
    const outcome = await store.put(id, keyOf(id), Uint8Array.of(1, 2, 3))
    t.deepEqual(outcome, { stored: true, evicted: [], radius: MAX_RADIUS })
    t.true(store.has(id))
    const first = store.get(id)
    t.deepEqual(first, { key: keyOf(id), value: Uint8Array.of(1, 2, 3) })
    first?.value.fill(0)
    first?.key.fill(0)
    t.deepEqual(store.get(id), { key: keyOf(id), value: Uint8Array.of(1, 2, 3) })
    t.is(store.count, 1)
    t.is(store.usedBytes, 9 + 3 + ITEM_OVERHEAD_BYTES)
    await store.close()
  })

  test(title('an absent id is undefined, an empty value is not absent'), async t => {
    const store = await open({ nodeId, capacityBytes: 1e6, radius: auto })
    t.is(store.get(idAt(1)), undefined)
    t.false(store.has(idAt(1)))
    t.is(store.furthest, undefined)
    await store.put(idAt(1), keyOf(idAt(1)), new Uint8Array(0))
    t.deepEqual(store.get(idAt(1))?.value, new Uint8Array(0))
    await store.close()
  })

  test(title('a value of 3 MB comes back whole'), async t => {
    const store = await open({ nodeId, capacityBytes: 1e8, radius: auto })
    const value = new Uint8Array(3_000_000)
    for (let at = 0; at < value.length; at++) value[at] = (at * 31) >>> 3
    await store.put(idAt(9), keyOf(idAt(9)), value.slice())
    const got = store.get(idAt(9))!.value
    t.is(Buffer.compare(got, value), 0)
    await store.close()
  })

  test(title('a later value replaces an earlier one, and the account follows'), async t => {
    const store = await open({ nodeId, capacityBytes: 1e6, radius: auto })
    await store.put(idAt(1), keyOf(idAt(1)), bytes(1000))
    await store.put(idAt(1), keyOf(idAt(1)), bytes(10, 8))
    t.deepEqual(store.get(idAt(1))?.value, bytes(10, 8))
    t.is(store.usedBytes, cost(10))
    t.is(store.count, 1)
    await store.close()
  })

  test(title('entries walk from the closest to the furthest'), async t => {
    const store = await open({ nodeId, capacityBytes: 1e6, radius: auto })
    const order = [0x80, 0x01, 0xff, 0x00, 0x40]
    await Promise.all(order.map(first => store.put(idAt(first, 1), keyOf(idAt(first, 1)), bytes(first))))
    const walked = [...store.entries()]
    t.deepEqual(
      walked.map(entry => [entry.distance[0], entry.valueBytes]),
      [0x00, 0x01, 0x40, 0x80, 0xff].map(first => [first, first]),
    )
    t.deepEqual(walked[0]?.contentId, idAt(0, 1))
    t.deepEqual(walked[0]?.key, keyOf(idAt(0, 1)))
    t.deepEqual(store.furthest, walked.at(-1))
    await store.close()
  })

  test(title('when full the furthest goes and the radius shrinks to the furthest kept'), async t => {
    const store = await open({ nodeId, capacityBytes: 3 * cost(1000), radius: auto })
    for (const first of [10, 20, 30]) await store.put(idAt(first), keyOf(idAt(first)), bytes(1000))
    t.is(store.radius, MAX_RADIUS)
    const outcome = await store.put(idAt(5), keyOf(idAt(5)), bytes(1000))
    t.deepEqual(outcome, { stored: true, evicted: [idAt(30)], radius: distanceOf(idAt(20)) })
    t.is(store.radius, distanceOf(idAt(20)))
    t.false(store.has(idAt(30)))
    t.is(store.usedBytes, 3 * cost(1000))
    await store.close()
  })

  test(title('an item beyond all others does not enter a full store, and shrinks the radius'), async t => {
    const store = await open({ nodeId, capacityBytes: 2 * cost(1000), radius: auto })
    for (const first of [10, 20]) await store.put(idAt(first), keyOf(idAt(first)), bytes(1000))
    const outcome = await store.put(idAt(30), keyOf(idAt(30)), bytes(1000))
    t.deepEqual(outcome, { stored: false, reason: 'out-of-radius', evicted: [], radius: distanceOf(idAt(20)) })
    t.is(store.count, 2)
    await store.close()
  })

  test(title('an item outside of the radius is refused, one at the radius is kept'), async t => {
    const radius = distanceOf(idAt(0x10))
    const store = await open({ nodeId, capacityBytes: 1e6, radius: { type: 'fixed', radius } })
    t.true((await store.put(idAt(0x10), keyOf(idAt(0x10)), bytes(5))).stored)
    const outcome = await store.put(idAt(0x10, 1), keyOf(idAt(0x10, 1)), bytes(5))
    t.deepEqual(outcome, { stored: false, reason: 'out-of-radius', evicted: [], radius })
    await store.close()
  })

  test(title('an item larger than the capacity is refused and moves nothing'), async t => {
    const store = await open({ nodeId, capacityBytes: 2000, radius: auto })
    await store.put(idAt(9), keyOf(idAt(9)), bytes(100))
    const outcome = await store.put(idAt(1), keyOf(idAt(1)), bytes(2001 - 9 - ITEM_OVERHEAD_BYTES))
    t.deepEqual(outcome, { stored: false, reason: 'too-large', evicted: [], radius: MAX_RADIUS })
    t.is(store.count, 1)
    t.true((await store.put(idAt(1), keyOf(idAt(1)), bytes(2000 - 9 - ITEM_OVERHEAD_BYTES))).stored)
    t.is(store.count, 1)
    await store.close()
  })

  test(title('a fixed radius does not move: the furthest goes, and what is beyond it is refused as full'), async t => {
    const store = await open({ nodeId, capacityBytes: 2 * cost(1000), radius: { type: 'max' } })
    for (const first of [10, 20]) await store.put(idAt(first), keyOf(idAt(first)), bytes(1000))
    t.like(await store.put(idAt(30), keyOf(idAt(30)), bytes(1000)), { stored: false, reason: 'full' })
    t.deepEqual(await store.put(idAt(5), keyOf(idAt(5)), bytes(1000)), {
      stored: true,
      evicted: [idAt(20)],
      radius: MAX_RADIUS,
    })
    await store.close()
  })

  test(title('a store without capacity wants nothing'), async t => {
    const store = await open({ nodeId, capacityBytes: 0, radius: auto })
    t.is(store.radius, 0n)
    t.like(await store.put(idAt(0), keyOf(idAt(0)), bytes(1)), { stored: false, reason: 'too-large' })
    await store.close()
  })

  test(title('delete frees the bytes and leaves the radius'), async t => {
    const store = await open({ nodeId, capacityBytes: 2 * cost(1000), radius: auto })
    for (const first of [10, 20, 30]) await store.put(idAt(first), keyOf(idAt(first)), bytes(1000))
    const radius = store.radius
    t.true(await store.delete(idAt(20)))
    t.false(await store.delete(idAt(20)))
    t.is(store.radius, radius)
    t.is(store.usedBytes, cost(1000))
    t.is(store.get(idAt(20)), undefined)
    await store.close()
  })

  test(title('puts made at once are applied in their order'), async t => {
    const store = await open({ nodeId, capacityBytes: 1e7, radius: auto })
    const outcomes: number[] = []
    const puts = Array.from({ length: 200 }, (_, at) =>
      store.put(idAt(1), keyOf(idAt(1)), bytes(at)).then(() => outcomes.push(at)),
    )
    const gone = store.delete(idAt(1))
    const last = store.put(idAt(1), keyOf(idAt(1)), bytes(3, 3))
    await Promise.all(puts)
    t.deepEqual(outcomes, [...Array(200).keys()])
    t.true(await gone)
    await last
    t.deepEqual(store.get(idAt(1))?.value, bytes(3, 3))
    await store.close()
  })

  test(title('after close a write is refused with STORE_CLOSED, and what was put before is done'), async t => {
    const store = await open({ nodeId, capacityBytes: 1e6, radius: auto })
    const before = store.put(idAt(1), keyOf(idAt(1)), bytes(5))
    await store.close()
    t.true((await before).stored)
    await t.throwsAsync(store.put(idAt(2), keyOf(idAt(2)), bytes(5)), { code: 'STORE_CLOSED' })
    await store.close()
  })

  test(title('property: agrees with a plain sorted map, whatever is put and deleted'), async t => {
    const write = fc.record({
      first: fc.integer({ min: 0, max: 15 }),
      last: fc.integer({ min: 0, max: 2 }),
      size: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 6000 })),
      remove: fc.integer({ min: 0, max: 9 }).map(n => n === 0),
    })
    const setting = fc.oneof(
      fc.constant(auto),
      fc.constant({ type: 'max' } as const),
      fc.bigInt({ min: 0n, max: MAX_RADIUS >> 4n }).map(radius => ({ type: 'fixed', radius }) as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 40 }), setting, fc.boolean(), async (writes, radius, together) => {
        const capacityBytes = 6000
        const store = await open({ nodeId, capacityBytes, radius })
        const model = new Model(
          capacityBytes,
          radius.type === 'fixed' ? radius.radius : MAX_RADIUS,
          radius.type === 'auto',
        )
        const outcomes = writes.map(({ first, last, size, remove }) => {
          const id = idAt(first, last)
          return remove ? store.delete(id) : store.put(id, keyOf(id), bytes(size, last))
        })
        if (!together) for (const outcome of outcomes) await outcome
        const got = await Promise.all(outcomes)
        writes.forEach(({ first, last, size, remove }, at) => {
          const id = idAt(first, last)
          if (remove) t.is(got[at], model.delete(id))
          else t.is((got[at] as { stored: boolean }).stored, model.put(id, size))
        })
        t.deepEqual(
          [...store.entries()].map(entry => [toBigInt(entry.distance), entry.valueBytes]),
          model.sorted(),
        )
        t.is(store.radius, model.radius)
        t.is(store.count, model.sorted().length)
        t.is(
          store.usedBytes,
          model.sorted().reduce((sum, [, size]) => sum + cost(size), 0),
        )
        await store.close()
      }),
      { numRuns: 60 },
    )
    t.pass()
  })
}

/** The rule in its plainest form: add, then drop the furthest until all fit. */
class Model {
  readonly #items = new Map<bigint, number>()
  readonly #capacity: number
  readonly #shrinks: boolean
  radius: bigint

  constructor(capacity: number, radius: bigint, shrinks: boolean) {
    this.#capacity = capacity
    this.radius = radius
    this.#shrinks = shrinks
  }

  sorted(): [bigint, number][] {
    return [...this.#items].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  }

  put(id: Uint8Array, size: number): boolean {
    const distance = distanceOf(id)
    if (cost(size) > this.#capacity || distance > this.radius) return false
    this.#items.set(distance, size)
    let dropped = false
    while (this.sorted().reduce((sum, [, bytes]) => sum + cost(bytes), 0) > this.#capacity) {
      this.#items.delete(this.sorted().at(-1)![0])
      dropped = true
    }
    if (dropped && this.#shrinks) this.radius = this.sorted().at(-1)![0]
    return this.#items.has(distance)
  }

  delete(id: Uint8Array): boolean {
    return this.#items.delete(distanceOf(id))
  }
}
