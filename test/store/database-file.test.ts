import { randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { LmdbStore } from '../../src/store/lmdb-store.ts'
import { removeTemporary, temporaryDirectory } from '../testing/store/temporary.ts'
import { bytes, idAt, keyOf, nodeId } from './conformance.ts'

const options = { nodeId, capacityBytes: 1e8, radius: { type: 'auto' } } as const
const ITEMS = 60
const PAGE = 4096
const LAST_PAGE_AT = 144

test.after.always(removeTemporary)

/** A database of items that fill less than a page, and many. */
async function made(): Promise<{ readonly file: string; readonly content: Buffer }> {
  const file = path.join(temporaryDirectory(), 'history.mdb')
  const store = await LmdbStore.open(file, options)
  const sizes = [100, 3000, 50_000]
  await Promise.all(
    Array.from({ length: ITEMS }, (_, at) => store.put(idAt(at), keyOf(idAt(at)), bytes(sizes[at % 3]!, at))),
  )
  await store.close()
  return { file, content: readFileSync(file) }
}

const refusesDamage = { code: 'STORE_FAILED', message: /history\.mdb is damaged: .*--data-dir/s }

test('a file that is no database is refused by its name and stays unchanged; lmdb alone would crash', async t => {
  const { file, content } = await made()
  const withHole = (at: number, hole: Buffer, from = content): Buffer =>
    Buffer.concat([from.subarray(0, at), hole, from.subarray(at + hole.length)])
  const beyondItsMap = Buffer.of(1)
  const files = [
    Buffer.from('hello\n'),
    Buffer.alloc(100_000),
    randomBytes(100_000),
    content.subarray(0, 100),
    content.subarray(0, PAGE),
    withHole(0, Buffer.alloc(PAGE)),
    withHole(0, randomBytes(PAGE)),
    withHole(PAGE, randomBytes(PAGE)),
    withHole(0, randomBytes(2 * PAGE)),
    withHole(LAST_PAGE_AT + 6, beyondItsMap, withHole(PAGE + LAST_PAGE_AT + 6, beyondItsMap)),
  ]
  for (const damaged of files) {
    writeFileSync(file, damaged)
    await t.throwsAsync(LmdbStore.open(file, options), refusesDamage)
    t.is(Buffer.compare(readFileSync(file), damaged), 0)
  }
})

test('a database that was cut short anywhere is refused and ends no process', async t => {
  const { file, content } = await made()
  const cuts = [2 * PAGE - 1, 2 * PAGE, 5 * PAGE, content.length >> 1, content.length - 2 * PAGE, content.length - PAGE]
  for (const cut of cuts) {
    writeFileSync(file, content.subarray(0, cut))
    await t.throwsAsync(LmdbStore.open(file, options), refusesDamage, `cut to ${cut} of ${content.length}`)
  }
})

test('a database whose last pages are free may end before them', async t => {
  const { file, content } = await made()
  for (const at of [LAST_PAGE_AT, PAGE + LAST_PAGE_AT]) {
    content.writeBigUInt64LE(content.readBigUInt64LE(at) + 20n, at)
  }
  writeFileSync(file, content)
  const store = await LmdbStore.open(file, options)
  t.true(store.report.recounted, 'every item is looked at')
  t.is(store.count, ITEMS)
  for (const { contentId, valueBytes } of store.entries()) t.is(store.get(contentId)?.value.length, valueBytes)
  await store.close()
  t.true(statSync(file).size >= content.length + 20 * PAGE)
})
