import test from 'ava'
import { TestSystem } from 'spimpl-runtime/internal/testing/test-system.js'
import { type StorageMessage, storage } from '../../actors/storage.ts'
import { type Verdict, validation } from '../../actors/validation.ts'
import { ok, refused, type SpimplError } from '../../src/errors.ts'
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

test('a verdict blames content that contradicts its header, and none that could not be judged', async t => {
  await using system = new TestSystem()
  const [block, other] = [5, 6].map(seed => makeChain({ seed, blocks: 1 })[0]!) as [Block, Block]
  let isReachable = true
  const headerByNumber = async () =>
    isReachable ? ok(block.header) : refused('HEADER_UNAVAILABLE', 'the client does not answer')
  const storageProbe = system.probe<StorageMessage>('storage')
  const headers = { headerByNumber, close: async () => {} }
  const judge = system.spawn(validation({ headers, storage: storageProbe.ref, compute: validateInWorker }))
  const client = system.probe<Verdict>('client')
  const ask = async (ref: number, number: bigint, bytes: Uint8Array): Promise<Verdict> => {
    const key = encodeContentKey({ type: 'body', number })
    judge.tell({ type: 'validate', ref, key, bytes: bytes.slice(), client: client.ref })
    return client.expectMessage('verdict')
  }
  t.like(await ask(1, block.number, block.body), { ref: 1, valid: true })
  const wrong = { valid: false, code: 'TRANSACTIONS_ROOT_WRONG', blamesContent: true } as const
  t.like(await ask(2, block.number, other.body), { ref: 2, ...wrong })
  isReachable = false
  const unavailable = { valid: false, code: 'HEADER_UNAVAILABLE', blamesContent: false } as const
  t.like(await ask(3, block.number + 1n, other.body), { ref: 3, ...unavailable })
})

test('an actor that stops owes a verdict that blames nobody, and an error to whoever checks content', async t => {
  await using system = new TestSystem()
  const storageProbe = system.probe<StorageMessage>('storage')
  const headers = { headerByNumber: () => new Promise<never>(() => {}), close: async () => {} }
  const judge = system.spawn(validation({ headers, storage: storageProbe.ref, compute: validateInWorker }))
  const client = system.probe<Verdict>('client')
  const { number, body } = makeChain({ seed: 5, blocks: 1 })[0]!
  const key = encodeContentKey({ type: 'body', number })
  judge.tell({ type: 'validate', ref: 1, key, bytes: body.slice(), client: client.ref })
  const check = judge.ask(replyTo => ({ type: 'check', key, bytes: body.slice(), replyTo }), {
    timeoutMs: 1000,
  })
  const code = check.then(
    () => 'an answer',
    (error: SpimplError) => error.code,
  )
  await system.settle()
  system.stopActor(judge)
  t.like(await client.expectMessage('verdict'), { valid: false, code: 'ACTOR_STOPPED', blamesContent: false })
  t.is(await code, 'ACTOR_STOPPED')
})
