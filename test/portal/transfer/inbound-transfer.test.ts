import test from 'ava'
import fc from 'fast-check'
import { concatBytes } from '../../../src/codec/bytes.ts'
import { encodeVarint } from '../../../src/codec/varint.ts'
import {
  InboundTransfer,
  type TransferInput,
  type TransferOrder,
  type TransferOutput,
} from '../../../src/portal/portal.ts'
import { peer } from '../../testing/portal/driven-overlay.ts'

type Inbound = Extract<TransferOrder, { readonly type: 'fetch' | 'receive' }>

const MAX_ITEM_BYTES = 200_000
const WINDOW_BYTES = 100_000

const name = (index: number) => ({ key: Uint8Array.of(index), contentId: new Uint8Array(32).fill(index) })
const start = { ref: 9, peer, connectionId: 77, version: 2, prefixed: true }

function orderOf(type: Inbound['type'], items: number, prefixed = true): Inbound {
  return type === 'fetch'
    ? { type, ...start, prefixed, ...name(0) }
    : { type, ...start, items: Array.from({ length: items }, (_, index) => name(index)) }
}

const framed = (items: readonly Uint8Array[]): Uint8Array =>
  concatBytes(...items.flatMap(item => [encodeVarint(item.length), item]))

/** A transfer whose surroundings answer when the test lets them. */
class Stage {
  readonly core: InboundTransfer
  readonly outputs: TransferOutput[] = []
  /** Answers that are owed for outputs. */
  readonly owed: TransferInput[] = []
  /** Bytes that were given back to the receive window. */
  read = 0
  isInvalid = (_index: number): boolean => false
  canStore = true

  constructor(order: Inbound) {
    this.core = new InboundTransfer(order, { maxItemBytes: MAX_ITEM_BYTES })
    this.handle({ type: 'start' })
  }

  handle(input: TransferInput): TransferOutput[] {
    const outputs: TransferOutput[] = []
    this.core.handle(input, 0, output => outputs.push(output))
    this.outputs.push(...outputs)
    for (const output of outputs) this.#owe(output)
    return outputs
  }

  #owe(output: TransferOutput): void {
    if (output.type === 'read') this.read += output.bytes
    else if (output.type === 'transfer-size') this.owed.push({ type: 'room' })
    else if (output.type === 'validate' && this.isInvalid(output.ref)) {
      const failure = { valid: false, code: 'RECEIPTS_ROOT_WRONG', blamesContent: true } as const
      this.owed.push({ type: 'verdict', ref: output.ref, ...failure })
    } else if (output.type === 'validate') this.owed.push({ type: 'verdict', ref: output.ref, valid: true })
    else if (output.type === 'keep' && this.canStore) {
      this.owed.push({ type: 'content-kept', ref: output.ref, outcome: { stored: true } })
    } else if (output.type === 'keep') this.owed.push({ type: 'keep-failed', ref: output.ref })
  }

  count(type: TransferOutput['type']): number {
    return this.outputs.filter(output => output.type === type).length
  }

  items(): { readonly index: number; readonly content: Uint8Array; readonly stored: boolean }[] {
    return this.outputs.flatMap(output => (output.type === 'transfer-item' ? [output] : []))
  }

  /** The code of the one failure, `done`, or undefined while the transfer goes on. */
  get end(): string | undefined {
    const ends = this.outputs.flatMap(output => {
      if (output.type === 'transfer-done') return ['done']
      return output.type === 'transfer-failed' ? [output.code] : []
    })
    if (ends.length > 1) throw new Error(`expected one end, got ${ends.join(' and ')}`)
    return ends[0]
  }
}

/** What happens next; a number selects among what is possible. */
const step = fc.nat()
const sizes = fc.array(fc.oneof(fc.nat({ max: 300 }), fc.integer({ min: 60_000, max: MAX_ITEM_BYTES })), {
  minLength: 1,
  maxLength: 5,
})

test('any chunking and any order of answers: items in order, the window is kept, exactly one end', t => {
  let failures = 0
  let completed = 0
  fc.assert(
    fc.property(
      fc.record({
        type: fc.constantFrom('fetch' as const, 'receive' as const),
        prefixed: fc.boolean(),
        sizes,
        steps: fc.array(step, { minLength: 40, maxLength: 40 }),
        invalidAt: fc.oneof(fc.constant(-1), fc.nat({ max: 5 })),
        canStore: fc.boolean(),
        cutAt: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat({ max: 250_000 })),
        cancelAt: fc.oneof(fc.constant(-1), fc.nat({ max: 60 })),
      }),
      ({ type, prefixed: wantsPrefix, sizes, steps, invalidAt, canStore, cutAt, cancelAt }) => {
        const prefixed = wantsPrefix || type === 'receive'
        const lengths = type === 'fetch' ? [Math.max(1, sizes[0]!)] : sizes
        const items = lengths.map((length, index) => new Uint8Array(length).fill(index + 1))
        const stage = new Stage(orderOf(type, items.length, prefixed))
        stage.isInvalid = index => index === invalidAt
        stage.canStore = canStore
        const whole = prefixed ? framed(items) : items[0]!
        const bytes = whole.subarray(0, cutAt)
        const isWhole = bytes.length === whole.length
        let sent = 0
        let isOpen = false
        let isClosed = false
        let isCancelled = false
        for (let round = 0; stage.count('over') === 0; round++) {
          if (round > 5_000) throw new Error('the transfer does not end')
          const draw = steps[round % steps.length]! + round
          if (round === cancelAt) {
            isCancelled = true
            stage.handle({ type: 'cancel' })
          }
          const isReset = stage.count('reset') > 0
          const room = WINDOW_BYTES - (sent - stage.read)
          t.true(room >= 0 && stage.read <= sent, 'no more than the window is outstanding')
          const acts: (() => void)[] = []
          if (!isOpen) {
            acts.push(() => {
              isOpen = true
              stage.handle({ type: 'stream-opened' })
            })
          } else if (!isClosed && isReset) {
            acts.push(() => {
              isClosed = true
              stage.handle({ type: 'stream-closed', reason: 'STREAM_CLOSED' })
            })
          } else if (sent < bytes.length && room > 0) {
            const length = Math.min(room, bytes.length - sent, 1 + ((draw * 7_919) % 60_000))
            acts.push(() => {
              const from = sent
              sent += length
              const middle = from + (draw % (length + 1))
              const chunks = [bytes.slice(from, middle), bytes.slice(middle, sent)]
              stage.handle({ type: 'stream-data', chunks, bytes: length })
            })
          } else if (sent === bytes.length && !isClosed) {
            acts.push(() => {
              isClosed = true
              if (isWhole) stage.handle({ type: 'stream-ended' })
              stage.handle({ type: 'stream-closed', reason: isWhole ? 'finished' : 'STREAM_RESET' })
            })
          }
          if (stage.owed.length > 0) {
            acts.push(() => {
              const [answer] = stage.owed.splice(draw % stage.owed.length, 1)
              stage.handle(answer!)
            })
          }
          t.true(acts.length > 0, 'somebody can go on')
          acts[draw % acts.length]!()
        }
        const { end } = stage
        const received = stage.items()
        const hasInvalid = invalidAt >= 0 && invalidAt < items.length && items[invalidAt]!.length > 0
        for (const [at, { index, content, stored }] of received.entries()) {
          t.true(at === 0 || received[at - 1]!.index < index)
          t.deepEqual(content, items[index]!)
          t.is(stored, canStore)
        }
        if (isCancelled && end === undefined) return
        if (end === 'done') {
          completed += 1
          const expected = items.filter(item => type === 'fetch' || item.length > 0)
          t.is(received.length, expected.length)
          t.true(isWhole || !prefixed)
        } else {
          failures += 1
          t.true(hasInvalid || !isWhole, end)
          if (isWhole) t.is(end, 'RECEIPTS_ROOT_WRONG')
        }
        t.is(stage.count('over'), 1)
      },
    ),
    { numRuns: 300 },
  )
  t.true(completed > 30 && failures > 30, `${completed} completed, ${failures} failed`)
})

test('it asks for a stream with limits by its items, and waits for the peer if we accepted an offer', t => {
  const [fetch] = new Stage(orderOf('fetch', 1)).outputs
  t.like(fetch, { type: 'initiate', connectionId: 77, limits: { maxReceiveBytes: MAX_ITEM_BYTES + 5 } })
  const [receive] = new Stage(orderOf('receive', 3)).outputs
  const limits = { maxReceiveBytes: 3 * (MAX_ITEM_BYTES + 5), totalTimeoutMs: 240_000 }
  t.like(receive, { type: 'expect', limits })
})

test('a peer that announces an item above the limit, or no length at all, is to blame', t => {
  for (const [bytes, code] of [
    [encodeVarint(MAX_ITEM_BYTES + 1), 'CONTENT_TOO_LARGE'],
    [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff), 'VARINT_INVALID'],
  ] as const) {
    const stage = new Stage(orderOf('fetch', 1))
    stage.handle({ type: 'stream-opened' })
    stage.handle({ type: 'stream-data', chunks: [bytes], bytes: bytes.length })
    t.like(stage.outputs.at(-1), { type: 'transfer-failed', ref: 9, code, blamesContent: true })
    t.like(stage.outputs.at(-2), { type: 'reset', reason: 'STREAM_TOO_LARGE' })
    stage.handle({ type: 'stream-closed', reason: 'STREAM_CLOSED' })
    t.is(stage.count('over'), 1)
  }
})

test('answers to questions that it did not ask are ignored', t => {
  const stage = new Stage(orderOf('receive', 2))
  stage.handle({ type: 'stream-opened' })
  for (const input of [
    { type: 'room' },
    { type: 'verdict', ref: 0, valid: true },
    { type: 'content-kept', ref: 0, outcome: { stored: true } },
    { type: 'keep-failed', ref: 0 },
    { type: 'content-read', ref: 0, content: undefined },
    { type: 'stream-writable' },
    { type: 'stream-delivered' },
  ] as const) {
    t.deepEqual(stage.handle(input), [], input.type)
  }
  const bytes = framed([Uint8Array.of(5)])
  stage.handle({ type: 'stream-data', chunks: [bytes], bytes: bytes.length })
  t.deepEqual(stage.handle({ type: 'verdict', ref: 1, valid: true }), [], 'of another item')
  t.is(stage.handle({ type: 'verdict', ref: 0, valid: true }).length, 1)
})

test('a transfer that is cancelled before its stream opens resets it, and is over when it has closed', t => {
  const stage = new Stage(orderOf('fetch', 1))
  t.deepEqual(stage.handle({ type: 'cancel' }), [])
  t.deepEqual(stage.handle({ type: 'stream-opened' }), [{ type: 'reset', reason: 'STREAM_CLOSED' }])
  t.deepEqual(stage.handle({ type: 'stream-closed', reason: 'STREAM_CLOSED' }), [{ type: 'over' }])
})
