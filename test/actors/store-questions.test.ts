import test from 'ava'
import { TestSystem } from 'spimpl-runtime/testing'
import type { OverlayMessage } from '../../actors/overlay-messages.ts'
import type { StorageMessage } from '../../actors/storage.ts'
import { storeQuestions } from '../../actors/store-questions.ts'
import type { ValidationMessage } from '../../actors/validation.ts'
import { ownRecord } from '../../node/ports/own-record.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import type { OverlayInput } from '../../src/portal/portal.ts'

const from = ownRecord({
  privateKey: new Uint8Array(32).fill(1),
  crypto: nodeCryptography,
  chainId: 1n,
  wallTimeMs: 1,
}).current
const outcome = { stored: true, evicted: [], radius: 1n } as const

function stage(system: TestSystem) {
  const storage = system.probe<StorageMessage>('storage')
  const validation = system.probe<ValidationMessage>('validation')
  const client = system.probe<OverlayMessage>('overlay')
  const settled: OverlayInput[] = []
  const questions = storeQuestions({
    storage: storage.ref,
    validation: validation.ref,
    client: client.ref,
    settle: input => settled.push(input),
  })
  const ask = async (ref: number): Promise<number> => {
    const name = { key: Uint8Array.of(ref), contentId: new Uint8Array(32).fill(ref) }
    questions.ask({ type: 'validate', ref, from, content: Uint8Array.of(7), ...name })
    return (await validation.expectMessage('validate')).ref
  }
  return { storage, questions, settled, ask }
}

test('what a lookup brought is in the store before it is said to be valid', async t => {
  await using system = new TestSystem()
  const { storage, questions, settled, ask } = stage(system)
  questions.answered({ type: 'verdict', ref: await ask(5), result: { ok: true, value: {} as never } })
  const keep = await storage.expectMessage('keep')
  t.deepEqual(keep.value, Uint8Array.of(7))
  t.deepEqual(settled, [])
  questions.answered({ type: 'content-kept', ref: keep.ref, outcome })
  t.deepEqual(settled, [{ type: 'validated', ref: 5, valid: true }])
})

test('a store that cannot write makes content no less valid, and what is not valid is not written', async t => {
  await using system = new TestSystem()
  const { storage, questions, settled, ask } = stage(system)
  questions.answered({ type: 'verdict', ref: await ask(5), result: { ok: true, value: {} as never } })
  questions.answered({ type: 'keep-failed', ref: (await storage.expectMessage('keep')).ref, code: 'STORE_FAILED' })
  const result = { ok: false, code: 'RECEIPTS_ROOT_WRONG', detail: '' } as const
  questions.answered({ type: 'verdict', ref: await ask(6), result })
  await storage.expectNoMessage()
  t.deepEqual(settled, [
    { type: 'validated', ref: 5, valid: true },
    { type: 'validated', ref: 6, valid: false, code: 'RECEIPTS_ROOT_WRONG' },
  ])
})
