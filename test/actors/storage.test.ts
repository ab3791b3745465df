import test from 'ava'
import type { LogRecord } from 'spimpl-runtime'
import { TestSystem } from 'spimpl-runtime/internal/testing/test-system.js'
import { storage } from '../../actors/storage.ts'
import { SpimplError } from '../../src/errors.ts'
import type { ContentStore } from '../../src/store/store.ts'
import { MemoryStore } from '../../src/store/store.ts'

/** A store on a disk that is full while the test says so. */
function storeOnDisk(disk: { full: boolean }): ContentStore {
  const store = new MemoryStore({ nodeId: new Uint8Array(32), capacityBytes: 1e6, radius: { type: 'auto' } })
  const put = store.put.bind(store)
  store.put = async (...item) => {
    if (disk.full) throw new SpimplError('STORE_FAILED', 'could not write: no space left')
    return put(...item)
  }
  return store
}

test('an operator is told once that nothing can be written, and once that it can again; whoever puts is told each time', async t => {
  const records: LogRecord[] = []
  await using system = new TestSystem({ log: record => records.push(record) })
  const disk = { full: true }
  const ref = system.spawn(storage({ open: async () => storeOnDisk(disk) }))
  const put = async (first: number): Promise<string> => {
    const asked = ref.ask(
      replyTo => ({
        type: 'put',
        contentId: new Uint8Array(32).fill(first),
        key: Uint8Array.of(first),
        value: Uint8Array.of(first),
        replyTo,
      }),
      { timeoutMs: 1000 },
    )
    const outcome = asked.then(
      ({ stored }) => (stored ? 'stored' : 'refused'),
      (error: SpimplError) => error.code,
    )
    await system.settle()
    return outcome
  }
  for (const first of [1, 2, 3]) t.is(await put(first), 'STORE_FAILED')
  disk.full = false
  for (const first of [1, 2]) t.is(await put(first), 'stored')
  disk.full = true
  t.is(await put(4), 'STORE_FAILED')
  t.deepEqual(
    records.map(({ level, message }) => `${level} ${message}`),
    [
      'error content is not stored until it can be written',
      'info content is stored again',
      'error content is not stored until it can be written',
    ],
  )
})
