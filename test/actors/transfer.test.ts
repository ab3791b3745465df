import test from 'ava'
import type { Behavior, LogRecord, Ref } from 'spimpl-runtime'
import { TestSystem } from 'spimpl-runtime/internal/testing/test-system.js'
import type { StorageMessage } from '../../actors/storage.ts'
import type { StreamMessage } from '../../actors/stream.ts'
import type { StreamsMessage } from '../../actors/streams.ts'
import { type TransferMessage, type TransferOptions, transfer } from '../../actors/transfer.ts'
import type { ValidationMessage } from '../../actors/validation.ts'
import { concatBytes } from '../../src/codec/bytes.ts'
import { encodeVarint } from '../../src/codec/varint.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { PublishableRecord } from '../../src/identity/publishable-record.ts'
import type { TransferEvent, TransferOrder } from '../../src/portal/portal.ts'

const peer = new PublishableRecord({ privateKey: new Uint8Array(32).fill(7), crypto: nodeCryptography }).current
const framed = (...items: readonly Uint8Array[]): Uint8Array =>
  concatBytes(...items.flatMap(item => [encodeVarint(item.length), item]))
const name = (digit: number) => ({ key: Uint8Array.of(digit), contentId: new Uint8Array(32).fill(digit) })
const start = { ref: 9, peer, connectionId: 77, version: 2, prefixed: true }

/** A transfer between probes in the places of the actors around it. */
function stage(system: TestSystem, make: (options: TransferOptions) => Behavior<TransferMessage>, maxItemBytes = 1000) {
  const streams = system.probe<StreamsMessage>('streams')
  const storage = system.probe<StorageMessage>('storage')
  const validation = system.probe<ValidationMessage>('validation')
  const overlay = system.probe<TransferEvent>('overlay')
  const stream = system.probe<StreamMessage>('stream')
  const options = {
    streams: streams.ref,
    storage: storage.ref,
    validation: validation.ref,
    overlay: overlay.ref,
    maxItemBytes,
  }
  const actor = system.spawn(make(options), { restart: 'temporary' })
  return { streams, storage, validation, overlay, stream, transfer: actor }
}

const data = (to: Ref<TransferMessage>, bytes: Uint8Array): void => {
  to.tell({ type: 'stream-data', chunks: [bytes], bytes: bytes.length })
}

test('an item is validated, then stored, then reported; the next waits for that, and its bytes hold the window', async t => {
  await using system = new TestSystem()
  const request: TransferOrder = { type: 'receive', ...start, items: [name(1), name(2)] }
  const s = stage(system, options => transfer(request, options))
  const asked = await s.streams.expectMessage('expect')
  t.is(asked.connectionId, 77)
  t.is(asked.limits.totalTimeoutMs, 180_000, 'a minute an item, and one more')
  s.transfer.tell({ type: 'stream-opened', stream: s.stream.ref })
  t.is((await s.overlay.expectMessage('transfer-begun')).ref, 9)
  const first = new Uint8Array(300).fill(1)
  const second = new Uint8Array(200).fill(2)
  const bytes = framed(first, second)
  data(s.transfer, bytes)

  const validate = await s.validation.expectMessage('validate')
  t.deepEqual(validate.bytes, first)
  t.is((await s.stream.expectMessage('read')).bytes, framed(first).length)
  await s.validation.expectNoMessage()
  s.transfer.tell({ type: 'verdict', ref: validate.ref, valid: true })
  const keep = await s.storage.expectMessage('keep')
  t.deepEqual(keep.value, first)
  await s.overlay.expectNoMessage()
  s.transfer.tell({ type: 'content-kept', ref: keep.ref, outcome: { stored: true, evicted: [], radius: 1n } })
  t.like(await s.overlay.expectMessage('transfer-item'), { ref: 9, index: 0, stored: true })

  const next = await s.validation.expectMessage('validate')
  t.deepEqual(next.bytes, second)
  t.is((await s.stream.expectMessage('read')).bytes, framed(second).length)
  s.transfer.tell({ type: 'verdict', ref: next.ref, valid: true })
  const { ref } = await s.storage.expectMessage('keep')
  s.transfer.tell({
    type: 'content-kept',
    ref,
    outcome: { stored: false, reason: 'out-of-radius', evicted: [], radius: 1n },
  })
  t.like(await s.overlay.expectMessage('transfer-item'), { index: 1, stored: false })
  t.is((await s.overlay.expectMessage('transfer-done')).ref, 9)
  await s.stream.expectMessage('finish')
})

test('content that is not valid is not stored, and the stream is reset', async t => {
  await using system = new TestSystem()
  const s = stage(system, options => transfer({ type: 'fetch', ...start, ...name(1) }, options))
  await s.streams.expectMessage('initiate')
  s.transfer.tell({ type: 'stream-opened', stream: s.stream.ref })
  data(s.transfer, framed(Uint8Array.of(1, 2, 3)))
  const { ref } = await s.validation.expectMessage('validate')
  s.transfer.tell({ type: 'verdict', ref, valid: false, code: 'TRANSACTIONS_ROOT_WRONG', blamesContent: true })
  const failed = await s.overlay.expectMessage('transfer-failed')
  t.like(failed, { code: 'TRANSACTIONS_ROOT_WRONG', blamesContent: true })
  await s.stream.expectMessage('read')
  await s.stream.expectMessage('reset')
  await s.storage.expectNoMessage(1000)
})

test('what arrived whole before a reset is still good; what did not is reported with the reason', async t => {
  await using system = new TestSystem()
  const request: TransferOrder = { type: 'receive', ...start, items: [name(1), name(2)] }
  const s = stage(system, options => transfer(request, options))
  s.transfer.tell({ type: 'stream-opened', stream: s.stream.ref })
  data(s.transfer, concatBytes(framed(Uint8Array.of(1)), Uint8Array.of(50, 1, 2)))
  s.transfer.tell({ type: 'stream-closed', reason: 'STREAM_RESET', detail: '', stats: undefined })
  const { ref } = await s.validation.expectMessage('validate')
  s.transfer.tell({ type: 'verdict', ref, valid: true })
  const keep = await s.storage.expectMessage('keep')
  s.transfer.tell({ type: 'content-kept', ref: keep.ref, outcome: { stored: true, evicted: [], radius: 1n } })
  await s.overlay.expectMessage('transfer-begun')
  await s.overlay.expectMessage('transfer-item')
  t.is((await s.overlay.expectMessage('transfer-failed')).code, 'STREAM_RESET')
})

test('an offered item of no bytes is passed over: its sender does not have it any more', async t => {
  await using system = new TestSystem()
  const request: TransferOrder = { type: 'receive', ...start, items: [name(1), name(2), name(3)] }
  const s = stage(system, options => transfer(request, options))
  s.transfer.tell({ type: 'stream-opened', stream: s.stream.ref })
  data(s.transfer, framed(new Uint8Array(0), Uint8Array.of(2), new Uint8Array(0)))
  const { ref, bytes } = await s.validation.expectMessage('validate')
  t.deepEqual(bytes, Uint8Array.of(2))
  s.transfer.tell({ type: 'verdict', ref, valid: true })
  const keep = await s.storage.expectMessage('keep')
  s.transfer.tell({ type: 'content-kept', ref: keep.ref, outcome: { stored: true, evicted: [], radius: 1n } })
  await s.overlay.expectMessage('transfer-begun')
  t.is((await s.overlay.expectMessage('transfer-item')).index, 1)
  await s.overlay.expectMessage('transfer-done')
})

test('a large item is taken when there is room for it; until then its bytes hold the window', async t => {
  await using system = new TestSystem()
  const request: TransferOrder = { type: 'receive', ...start, items: [name(1)] }
  const s = stage(system, options => transfer(request, options), 1_000_000)
  s.transfer.tell({ type: 'stream-opened', stream: s.stream.ref })
  const item = new Uint8Array(100_000).map((_, at) => at)
  const bytes = framed(item)
  data(s.transfer, bytes.subarray(0, 50_000))
  await s.overlay.expectMessage('transfer-begun')
  t.like(await s.overlay.expectMessage('transfer-size'), { ref: 9, bytes: 100_000 })
  // The prefix alone was taken.
  t.is((await s.stream.expectMessage('read')).bytes, 3)
  for (let at = 50_000; at < 60_000; at += 10) data(s.transfer, bytes.subarray(at, at + 10))
  await s.stream.expectNoMessage()
  s.transfer.tell({ type: 'room' })
  t.is((await s.stream.expectMessage('read')).bytes, 59_997)
  data(s.transfer, bytes.subarray(60_000))
  t.deepEqual((await s.validation.expectMessage('validate')).bytes, item)
})

test('a stream that ends while its item waits for room: the item is taken afterwards', async t => {
  await using system = new TestSystem()
  const s = stage(system, options => transfer({ type: 'fetch', ...start, ...name(1) }, options), 1_000_000)
  s.transfer.tell({ type: 'stream-opened', stream: s.stream.ref })
  const item = new Uint8Array(70_000).fill(3)
  data(s.transfer, framed(item))
  await s.overlay.expectMessage('transfer-size')
  s.transfer.tell({ type: 'stream-ended' })
  s.transfer.tell({ type: 'stream-closed', reason: 'finished', detail: '', stats: undefined })
  await s.overlay.expectNoMessage()
  s.transfer.tell({ type: 'room' })
  t.deepEqual((await s.validation.expectMessage('validate')).bytes, item)
})

test('a stream that does not come about fails the transfer, and the log says why', async t => {
  const records: LogRecord[] = []
  await using system = new TestSystem({ log: record => records.push(record) })
  const s = stage(system, options => transfer({ type: 'fetch', ...start, ...name(1) }, options))
  s.transfer.tell({ type: 'stream-closed', reason: 'STREAM_LIMIT', detail: 'full', stats: undefined })
  t.is((await s.overlay.expectMessage('transfer-failed')).code, 'STREAM_LIMIT')
  const fields = { transfer: 'fetch', peer: peer.nodeIdHex, code: 'STREAM_LIMIT', streamEnd: 'full' }
  t.like(records, [{ level: 'debug', message: 'a transfer failed', fields }])
})

test('items go out in order, those of the store among them, and the transfer is done when the peer has all', async t => {
  await using system = new TestSystem()
  const content = Uint8Array.of(5, 5, 5)
  const items = [
    { ...name(1), content },
    { ...name(2), content: undefined },
  ]
  const s = stage(system, options => transfer({ type: 'send', ...start, items }, options))
  t.is((await s.streams.expectMessage('initiate')).limits.totalTimeoutMs, 180_000)
  s.transfer.tell({ type: 'stream-opened', stream: s.stream.ref })
  const { ref, contentId } = await s.storage.expectMessage('read')
  t.is(contentId[0], 2)
  s.transfer.tell({ type: 'content-read', ref, content: Uint8Array.of(6, 6) })
  const written: Uint8Array[] = []
  for (let count = 0; count < 4; count++) written.push((await s.stream.expectMessage('write')).bytes)
  t.deepEqual(concatBytes(...written), framed(content, Uint8Array.of(6, 6)))
  await s.stream.expectMessage('finish')
  await s.overlay.expectNoMessage()
  s.transfer.tell({ type: 'stream-delivered' })
  await s.overlay.expectMessage('transfer-done')
})

test('an item that was evicted since it was offered fails the transfer', async t => {
  await using system = new TestSystem()
  const items = [{ ...name(2), content: undefined }]
  const s = stage(system, options => transfer({ type: 'send', ...start, items }, options))
  s.transfer.tell({ type: 'stream-opened', stream: s.stream.ref })
  const { ref } = await s.storage.expectMessage('read')
  s.transfer.tell({ type: 'content-read', ref, content: undefined })
  t.is((await s.overlay.expectMessage('transfer-failed')).code, 'CONTENT_NOT_FOUND')
  await s.stream.expectMessage('reset')
})

test('a cancelled transfer resets its stream, reports nothing, and ends with it', async t => {
  await using system = new TestSystem()
  const s = stage(system, options => transfer({ type: 'fetch', ...start, ...name(1) }, options))
  s.transfer.tell({ type: 'stream-opened', stream: s.stream.ref })
  s.transfer.tell({ type: 'cancel' })
  await s.stream.expectMessage('reset')
  s.transfer.tell({ type: 'stream-closed', reason: 'STREAM_CLOSED', detail: '', stats: undefined })
  await system.settle()
  t.false(s.transfer.tell({ type: 'cancel' }))
  await s.overlay.expectNoMessage(1000)
})
