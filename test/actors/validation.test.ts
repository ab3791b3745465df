import test from 'ava'
import { TestSystem } from 'spimpl-runtime/internal/testing/test-system.js'
import { storage } from '../../actors/storage.ts'
import { validation } from '../../actors/validation.ts'
import { ok } from '../../src/errors.ts'
import { makeChain } from '../../src/history/chain-maker/chain-maker.ts'
import { contentIdOfKey } from '../../src/history/content/content-id.ts'
import { encodeContentKey, type HistoryContentType } from '../../src/history/content/content-key.ts'
import type { Block } from '../../src/history/headers/block-file.ts'
import { validateInWorker } from '../../src/history/validation/validation-task.ts'
import { MemoryStore } from '../../src/store/store.ts'

test('after a reorganization nothing of the block that was replaced is served any more, and the new one is', async t => {
  await using system = new TestSystem()
  const [before, after] = [5, 6].map(seed => makeChain({ seed, blocks: 1 })[0]!) as [Block, Block]
  let canonical = before
  const store = new MemoryStore({ nodeId: new Uint8Array(32), capacityBytes: 1e6, radius: { type: 'auto' } })
  const storageRef = system.spawn(storage({ open: async () => store }))
  const headers = { headerByNumber: async () => ok(canonical.header), close: async () => {} }
  const judge = system.spawn(validation({ headers, storage: storageRef, compute: validateInWorker }))
  const within = { timeoutMs: 1000 }

  /** As JSON-RPC stores an item. */
  const put = async (type: HistoryContentType, block: Block): Promise<void> => {
    const key = encodeContentKey({ type, number: block.number })
    const bytes = block[type].slice()
    const verdict = judge.ask(replyTo => ({ type: 'check', key, bytes, replyTo }), within)
    await system.settle()
    t.like(await verdict, { ok: true })
    const id = contentIdOfKey(key)
    if (!id.ok) throw new Error(id.detail)
    const stored = storageRef.ask(replyTo => ({ type: 'put', contentId: id.value, key, value: bytes, replyTo }), within)
    await system.settle()
    t.true((await stored).stored)
  }
  const held = () => [...store.entries()].map(({ contentId }) => Buffer.from(store.get(contentId)!.value))

  await put('body', before)
  await put('receipts', before)
  t.is(held().length, 2)
  canonical = after
  await system.advance(60_000)
  await put('body', after)
  t.deepEqual(held(), [Buffer.from(after.body)])
})
