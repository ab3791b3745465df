import test from 'ava'
import fc from 'fast-check'
import { concatBytes } from '../../../src/codec/bytes.ts'
import { encodeVarint } from '../../../src/codec/varint.ts'
import {
  OutboundTransfer,
  type TransferInput,
  type TransferOrder,
  type TransferOutput,
} from '../../../src/portal/portal.ts'
import { peer } from '../../testing/portal/driven-overlay.ts'

const start = { ref: 9, peer, connectionId: 77, version: 2, prefixed: true }
const name = (index: number) => ({ key: Uint8Array.of(index), contentId: new Uint8Array(32).fill(index) })

function begin(order: Extract<TransferOrder, { readonly type: 'serve' | 'send' }>) {
  const core = new OutboundTransfer(order, { maxItemBytes: 1_000_000 })
  const outputs: TransferOutput[] = []
  const handle = (input: TransferInput): void => core.handle(input, 0, output => outputs.push(output))
  handle({ type: 'start' })
  const count = (type: TransferOutput['type']): number => outputs.filter(output => output.type === type).length
  const written = (): Uint8Array =>
    concatBytes(...outputs.flatMap(output => (output.type === 'write' ? [output.bytes] : [])))
  return { handle, outputs, count, written }
}

test('any items, in memory or in the store, in any order of answers: all bytes in order, one finish, one end', t => {
  const item = fc.record({ length: fc.nat({ max: 100_000 }), isStored: fc.boolean() })
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 8 }), fc.array(fc.boolean()), (shapes, order) => {
      const contents = shapes.map(({ length }, index) => new Uint8Array(length).fill(index + 1))
      const items = shapes.map(({ isStored }, index) => ({
        ...name(index),
        content: isStored ? undefined : contents[index],
      }))
      const { handle, outputs, count, written } = begin({ type: 'send', ...start, items })
      handle({ type: 'stream-opened' })
      let answered = 0
      for (let round = 0; count('finish') === 0; round++) {
        if (round > 100) throw new Error('it does not finish')
        const reads = outputs.flatMap(output => (output.type === 'want-content' ? [output.ref] : []))
        t.true(reads.length - answered <= 1, 'one read at a time')
        if (reads.length > answered && order[round % Math.max(1, order.length)] !== true) {
          const ref = reads[answered]!
          answered += 1
          handle({ type: 'content-read', ref, content: contents[ref]! })
        } else handle({ type: 'stream-writable' })
        if (round > 50 && reads.length > answered) {
          const ref = reads[answered]!
          answered += 1
          handle({ type: 'content-read', ref, content: contents[ref]! })
        }
      }
      t.deepEqual(written(), concatBytes(...contents.flatMap(each => [encodeVarint(each.length), each])))
      t.is(count('finish'), 1)
      handle({ type: 'stream-closed', reason: 'finished' })
      t.deepEqual(outputs.slice(-2), [{ type: 'transfer-done', ref: 9 }, { type: 'over' }])
    }),
    { numRuns: 60 },
  )
})

test('content for a peer of version 0 has no length prefix; a stream that breaks is reported with its reason', t => {
  const content = Uint8Array.of(1, 2, 3)
  const { handle, outputs, written } = begin({ type: 'serve', ...start, prefixed: false, content, ...name(1) })
  t.like(outputs[0], { type: 'expect', limits: { maxSendBytes: 1_000_005 } })
  handle({ type: 'stream-opened' })
  t.deepEqual(written(), content)
  handle({ type: 'stream-closed', reason: 'STREAM_IDLE' })
  t.deepEqual(outputs.slice(-2), [
    { type: 'transfer-failed', ref: 9, code: 'STREAM_IDLE', blamesContent: false },
    { type: 'over' },
  ])
})

test('an item that was evicted since it was offered ends the transfer; a late answer of the store changes nothing', t => {
  const { handle, outputs, count } = begin({ type: 'send', ...start, items: [{ ...name(0), content: undefined }] })
  handle({ type: 'stream-opened' })
  handle({ type: 'content-read', ref: 0, content: undefined })
  t.like(outputs.at(-1), { type: 'transfer-failed', code: 'CONTENT_NOT_FOUND', blamesContent: false })
  handle({ type: 'content-read', ref: 0, content: Uint8Array.of(1) })
  handle({ type: 'stream-closed', reason: 'STREAM_CLOSED' })
  t.deepEqual([count('write'), count('transfer-failed'), count('over')], [0, 1, 1])
})
