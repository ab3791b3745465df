import { execFile } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { LmdbStore } from '../../src/store/lmdb-store.ts'
import { crashItem, crashOptions } from '../testing/store/crash-item.ts'
import { removeTemporary, temporaryDirectory } from '../testing/store/temporary.ts'

test.after.always(removeTemporary)

interface Report {
  readonly outcomes: readonly { readonly at: number; readonly code: string; readonly message: string }[]
  readonly usedBytes: number
  readonly again: { readonly code: string }
}

test('on a full disk a put is STORE_FAILED, no acknowledged item is lost, and the process goes on', async t => {
  const file = path.join(temporaryDirectory(), 'history.mdb')
  const writer = fileURLToPath(new URL('../testing/store/full-disk-writer.js', import.meta.url))
  // A limit on the size of files (512-byte blocks) does to this process what a full disk does to all; without the
  // signal, writes fail.
  const limited = `trap '' XFSZ; ulimit -f 4096; exec "$0" "$@"`
  const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, writer, file])
  const report = JSON.parse(stdout) as Report

  const failed = report.outcomes.filter(outcome => outcome.code !== 'stored')
  t.true(failed.length > 0)
  for (const { code, message } of failed) {
    t.is(code, 'STORE_FAILED')
    t.true(message.includes(file) && !message.includes('see commitError'), message)
  }
  t.is(report.again.code, 'stored', 'room that was freed can be used')

  const store = await LmdbStore.open(file, crashOptions)
  t.false(store.report.recounted)
  const stored = report.outcomes.filter(({ at, code }) => code === 'stored' && at !== 6 && at !== 13)
  for (const { at } of stored) {
    const { contentId, value } = crashItem(at)
    t.is(Buffer.compare(store.get(contentId)!.value, value), 0)
  }
  t.is(store.count, stored.length + 1)
  await store.close()
})
