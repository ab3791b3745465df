import path from 'node:path'
import test from 'ava'
import { open } from 'lmdb'
import { LmdbStore, MAX_WAITING_WRITES } from '../../src/store/lmdb-store.ts'
import { itemCost, MAX_RADIUS } from '../../src/store/policy.ts'
import { bytes, conformance, idAt, keyOf, nodeId } from './conformance.ts'
import { removeTemporary, temporaryDirectory } from './temporary.ts'

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

test('a file that is no database is STORE_FAILED and stays as it is', async t => {
  const directory = temporaryDirectory()
  await t.throwsAsync(LmdbStore.open(directory, { nodeId, capacityBytes: 1e6, radius: auto }), { code: 'STORE_FAILED' })
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
