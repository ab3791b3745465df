import { spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { LmdbStore } from '../../src/store/lmdb-store.ts'
import { itemCost } from '../../src/store/policy.ts'
import { crashItem, crashOptions } from '../testing/store/crash-item.ts'
import { removeTemporary, temporaryDirectory } from '../testing/store/temporary.ts'

test.after.always(removeTemporary)

const writer = fileURLToPath(new URL('../testing/store/crash-writer.js', import.meta.url))

/** Runs the writer until it has acknowledged `acknowledgements` items, kills it, and gives back all that it printed. */
async function killAfter(file: string, acknowledgements: number): Promise<number[]> {
  const child = spawn(process.execPath, [writer, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged: number[] = []
  for await (const line of createInterface(child.stdout)) {
    const match = /^(\d+) true$/.exec(line)
    // The last line may be cut.
    if (match !== null) acknowledged.push(Number(match[1]))
    if (acknowledged.length === acknowledgements) child.kill('SIGKILL')
  }
  return acknowledged
}

test('kill -9 in the middle of writing loses nothing that was acknowledged', async t => {
  const file = path.join(temporaryDirectory(), 'history.mdb')
  const acknowledged = new Set<number>()
  for (const acknowledgements of [1, 40, 150]) {
    const before = acknowledged.size
    for (const at of await killAfter(file, acknowledgements)) acknowledged.add(at)
    t.true(acknowledged.size >= before + acknowledgements)

    const store = await LmdbStore.open(file, crashOptions)
    t.false(store.report.recounted, 'the account was committed with the items')
    for (const at of acknowledged) {
      const { contentId, key, value } = crashItem(at)
      const stored = store.get(contentId)
      t.is(Buffer.compare(stored?.key ?? key.subarray(1), key), 0)
      t.is(Buffer.compare(stored?.value ?? value.subarray(1), value), 0, `item ${at}`)
    }
    // Whatever else is there is a whole item whose acknowledgement did not get out.
    let usedBytes = 0
    for (const entry of store.entries()) {
      const { contentId, key, value } = crashItem(Buffer.from(entry.key).readUInt32BE(0))
      t.deepEqual(entry.contentId, contentId)
      t.is(Buffer.compare(store.get(contentId)!.value, value), 0)
      usedBytes += itemCost(key.length, value.length)
    }
    t.is(store.usedBytes, usedBytes)
    await store.close()
  }
})
