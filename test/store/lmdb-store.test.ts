import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { open } from 'lmdb'
import { MAX_WAITING_BYTES, MAX_WAITING_WRITES } from '../../src/store/limits.ts'
import { LmdbStore } from '../../src/store/lmdb-store.ts'
import { itemCost } from '../../src/store/policy.ts'
import { MAX_RADIUS, toBigInt } from '../../src/store/radius.ts'
import { removeTemporary, temporaryDirectory } from '../testing/store/temporary.ts'
import { bytes, conformance, idAt, keyOf, nodeId } from './conformance.ts'

const newFile = () => path.join(temporaryDirectory(), 'history.mdb')
const auto = { type: 'auto' } as const
const cost = itemCost(9, 1000)

test.after.always(removeTemporary)

conformance(test, 'lmdb', options => LmdbStore.open(newFile(), options))

async function filled(file: string, capacityBytes: number, firsts: readonly number[]): Promise<void> {
  const store = await LmdbStore.open(file, { nodeId, capacityBytes, radius: auto })
  await Promise.all(firsts.map(first => store.put(idAt(first), keyOf(idAt(first)), bytes(1000, first))))
  await store.close()
}

test('items, account and radius survive closing', async t => {
  const file = newFile()
  await filled(file, 2 * cost, [10, 20, 30])
  const store = await LmdbStore.open(file, { nodeId, capacityBytes: 2 * cost, radius: auto })
  t.deepEqual(store.report, { recounted: false, evicted: 0 })
  t.deepEqual(store.get(idAt(20)), { key: keyOf(idAt(20)), value: bytes(1000, 20) })
  t.is(store.count, 2)
  t.is(store.usedBytes, 2 * cost)
  t.is(store.radius >> 248n, 20n)
  await store.close()
})

test('a smaller capacity lets the furthest go at opening; a larger one opens the radius', async t => {
  const file = newFile()
  await filled(file, 3 * cost, [10, 20, 30])
  const smaller = await LmdbStore.open(file, { nodeId, capacityBytes: 2 * cost, radius: auto })
  t.is(smaller.report.evicted, 1)
  t.is(smaller.radius >> 248n, 20n)
  await smaller.close()
  const larger = await LmdbStore.open(file, { nodeId, capacityBytes: 3 * cost, radius: auto })
  t.is(larger.radius, MAX_RADIUS)
  t.is(larger.count, 2)
  await larger.close()
})

test('a radius that was fixed does not bind a store that is opened with auto', async t => {
  const file = newFile()
  const capacityBytes = 2 * cost
  const fixed = await LmdbStore.open(file, { nodeId, capacityBytes, radius: { type: 'fixed', radius: 1n << 252n } })
  await fixed.put(idAt(1), keyOf(idAt(1)), bytes(1000))
  await fixed.put(idAt(2), keyOf(idAt(2)), bytes(1000))
  await fixed.close()
  const store = await LmdbStore.open(file, { nodeId, capacityBytes, radius: auto })
  t.is(store.radius, MAX_RADIUS)
  await store.close()
})

test('an account that does not agree with the items is made anew', async t => {
  const file = newFile()
  await filled(file, 1e6, [10, 20, 30])
  const root = open<Uint8Array, Uint8Array>({ path: file, noSubdir: true, encoding: 'binary', keyEncoding: 'binary' })
  const state = JSON.parse(Buffer.from(root.getBinary(Buffer.from('state'))!).toString()) as object
  await root.put(Buffer.from('state'), Buffer.from(JSON.stringify({ ...state, usedBytes: 1, count: 77 })))
  await root.close()
  const store = await LmdbStore.open(file, { nodeId, capacityBytes: 1e6, radius: auto })
  t.true(store.report.recounted)
  t.is(store.count, 3)
  t.is(store.usedBytes, 3 * cost)
  await store.close()
})

test('the database of another node, and one of another schema, are refused by name', async t => {
  const file = newFile()
  await filled(file, 1e6, [1])
  const other = new Uint8Array(32).fill(9)
  const error = await t.throwsAsync(LmdbStore.open(file, { nodeId: other, capacityBytes: 1e6, radius: auto }), {
    code: 'STORE_MISMATCH',
  })
  t.true(error?.message.includes(file) && error.message.includes(`0x${'5a'.repeat(32)}`))
  const root = open<Uint8Array, Uint8Array>({ path: file, noSubdir: true, encoding: 'binary', keyEncoding: 'binary' })
  await root.put(Buffer.from('state'), Buffer.from(JSON.stringify({ schema: 2 })))
  await root.close()
  await t.throwsAsync(LmdbStore.open(file, { nodeId, capacityBytes: 1e6, radius: auto }), { message: /schema 2/ })
})

test('a directory in the place of the database is STORE_FAILED, and nothing is left beside it', async t => {
  const directory = temporaryDirectory()
  const file = path.join(directory, 'content.mdb')
  mkdirSync(file)
  const message = `expected a content database at ${file}, got a directory`
  const refused = { code: 'STORE_FAILED', message }
  await t.throwsAsync(LmdbStore.open(file, { nodeId, capacityBytes: 1e6, radius: auto }), refused)
  t.deepEqual(readdirSync(directory), ['content.mdb'])
})

test('more waiting writes than the limit are refused with STORE_BUSY, the others are done', async t => {
  const store = await LmdbStore.open(newFile(), { nodeId, capacityBytes: 1e9, radius: auto })
  const puts = Array.from({ length: MAX_WAITING_WRITES }, (_, at) =>
    store.put(idAt(at & 255, at >> 8), keyOf(idAt(1)), bytes(1)),
  )
  await t.throwsAsync(store.put(idAt(0), keyOf(idAt(0)), bytes(1)), { code: 'STORE_BUSY' })
  const outcomes = await Promise.all(puts)
  t.true(outcomes.every(outcome => outcome.stored))
  t.is(store.count, MAX_WAITING_WRITES)
  await store.close()
})

test('so are more waiting bytes than the limit; once they are written there is room again', async t => {
  const store = await LmdbStore.open(newFile(), { nodeId, capacityBytes: 1e5, radius: auto })
  const half = bytes(MAX_WAITING_BYTES / 2)
  const puts = [store.put(idAt(1), keyOf(idAt(1)), half), store.put(idAt(2), keyOf(idAt(2)), half)]
  await t.throwsAsync(store.put(idAt(3), keyOf(idAt(3)), bytes(1)), { code: 'STORE_BUSY' })
  for (const outcome of await Promise.all(puts)) t.like(outcome, { stored: false, reason: 'too-large' })
  t.true((await store.put(idAt(3), keyOf(idAt(3)), bytes(1))).stored)
  await store.close()
})

test('property: over any sessions, with any capacities and radii, account, order and bounds hold', async t => {
  const setting = fc.constantFrom(
    auto,
    auto,
    { type: 'max' } as const,
    { type: 'fixed', radius: 1n << 255n } as const,
    { type: 'fixed', radius: 1n << 250n } as const,
  )
  const write = fc.record({ first: fc.nat(255), size: fc.nat(3000), remove: fc.nat(9).map(n => n === 0) })
  const session = fc.record({
    radius: setting,
    capacityBytes: fc.nat(20_000),
    writes: fc.array(write, { maxLength: 12 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(session, { minLength: 1, maxLength: 5 }), async sessions => {
      const file = newFile()
      let before: (readonly [bigint, number])[] = []
      for (const { radius, capacityBytes, writes } of sessions) {
        const store = await LmdbStore.open(file, { nodeId, capacityBytes, radius })
        const contents = () => [...store.entries()].map(entry => [toBigInt(entry.distance), entry.valueBytes] as const)
        t.false(store.report.recounted)
        // Only a smaller capacity takes items away, and the furthest of them.
        t.deepEqual(contents(), before.slice(0, before.length - store.report.evicted))
        await Promise.all(
          writes.map(({ first, size, remove }) =>
            remove ? store.delete(idAt(first)) : store.put(idAt(first), keyOf(idAt(first)), bytes(size, first)),
          ),
        )
        before = contents()
        t.is(store.count, before.length)
        t.is(
          store.usedBytes,
          before.reduce((sum, [, size]) => sum + itemCost(9, size), 0),
        )
        t.true(store.usedBytes <= capacityBytes)
        for (const [at, [distance]] of before.entries()) if (at > 0) t.true(before[at - 1]![0] < distance)
        for (const { contentId, key, valueBytes } of store.entries()) {
          t.deepEqual(store.get(contentId), { key, value: bytes(valueBytes, contentId[0]! ^ nodeId[0]!) })
        }
        await store.close()
      }
    }),
    { numRuns: 40 },
  )
})
