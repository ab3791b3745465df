import test from 'ava'
import fc from 'fast-check'
import { ComputePool } from 'spimpl-runtime/compute-pool'
import { makeChain } from '../../src/history/chain-maker/chain-maker.ts'
import { validateContent } from '../../src/history/content/content.ts'
import { encodeContentKey, type HistoryContentType } from '../../src/history/content/content-key.ts'
import { MAX_CONTENT_BYTES } from '../../src/history/content/refusal.ts'
import type { Block } from '../../src/history/headers/block-file.ts'
import type { ValidationLimits } from '../../src/history/limits.ts'
import type { ValidationInput, ValidationOutput } from '../../src/history/messages.ts'
import { blamesContent, Validation } from '../../src/history/validation/validation.ts'
import { type ValidationJob, validateInWorker, validationTask } from '../../src/history/validation/validation-task.ts'
import { withByte } from '../testing/history/tampering.ts'

// Block 1 is small, block 2 large (chain-maker.ts).
const chain = makeChain({ seed: 5, blocks: 4 })
const [small, large] = [chain[0]!, chain[1]!]

/** A core whose outputs are returned, and a clock that the test moves. */
function driven(limits: Partial<ValidationLimits> = {}) {
  const core = new Validation(limits)
  const state = { now: 1000 }
  return {
    core,
    state,
    send(input: ValidationInput): ValidationOutput[] {
      const outputs: ValidationOutput[] = []
      core.handle(input, state.now, output => outputs.push(output))
      return outputs
    },
  }
}

function ask(ref: number, type: HistoryContentType, block: Block, bytes = block[type]): ValidationInput {
  return { type: 'validate', ref, key: encodeContentKey({ type, number: block.number }), bytes }
}

const arrived = ({ number, header }: Block): ValidationInput => ({ type: 'header-arrived', number, header })
const codes = (outputs: readonly ValidationOutput[]): string[] =>
  outputs.map(output =>
    output.type === 'verdict' ? `${output.ref}: ${output.result.ok ? 'valid' : output.result.code}` : output.type,
  )

test('small content: one question for the header, then a verdict without the pool', t => {
  const { send } = driven()
  t.deepEqual(send(ask(1, 'body', small)), [{ type: 'want-header', number: 1n }])
  t.deepEqual(send(ask(2, 'receipts', small)), [])
  t.deepEqual(send(arrived(small)), [
    {
      type: 'verdict',
      ref: 1,
      result: { ok: true, value: { type: 'body', transactions: 1, ommers: 0, withdrawals: 2 } },
    },
    { type: 'verdict', ref: 2, result: { ok: true, value: { type: 'receipts', receipts: 1, logs: 1 } } },
  ])
  // The header is known now.
  t.deepEqual(codes(send(ask(3, 'body', small))), ['3: valid'])
})

test('large content goes to the pool with its header, and the result of the pool is the verdict', async t => {
  const { core, send } = driven()
  send(ask(1, 'receipts', large))
  const [output] = send(arrived(large))
  if (output?.type !== 'compute') return t.fail()
  t.is(core.snapshot().pendingBytes, large.receipts.length)
  const result = await validateInWorker(structuredClone(output.job))
  t.deepEqual(send({ type: 'computed', ref: 1, result }), [{ type: 'verdict', ref: 1, result }])
  t.true(result.ok)
  t.deepEqual(core.snapshot(), { headers: 1, pendingItems: 0, pendingBytes: 0, valid: 1, refused: {} })
})

test('the task gives the same result as validation in place', async t => {
  for (const block of chain) {
    for (const type of ['body', 'receipts'] as const) {
      const bytes = block[type]
      const tampered = withByte(bytes, bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1)
      for (const content of [bytes, tampered]) {
        const job = { contentType: type, number: block.number, header: block.header.bytes, bytes: content }
        t.deepEqual(await validateInWorker(job), validateContent({ type, number: block.number }, block.header, content))
      }
    }
  }
  const job = { contentType: 'body', number: 1n, header: Uint8Array.of(0xc0), bytes: small.body } as const
  t.like(await validateInWorker(job), { ok: false, code: 'HEADER_MALFORMED' })
  t.like(await validateInWorker({ ...job, header: large.header.bytes }), { ok: false, code: 'HEADER_WRONG' })
})

test('tampered content is refused with the reason, which is counted', t => {
  const { core, send } = driven()
  send(arrived(small))
  const tampered = withByte(small.body, 40, small.body[40]! ^ 1)
  const [output] = send(ask(1, 'body', small, tampered))
  t.is(output?.type === 'verdict' && !output.result.ok && output.result.code, 'TRANSACTIONS_ROOT_WRONG')
  t.deepEqual(codes(send(ask(2, 'receipts', small, small.body))), ['2: RECEIPTS_MALFORMED'])
  t.deepEqual(codes(send(ask(3, 'body', small, tampered))), ['3: TRANSACTIONS_ROOT_WRONG'])
  t.deepEqual(core.snapshot().refused, { TRANSACTIONS_ROOT_WRONG: 2, RECEIPTS_MALFORMED: 1 })
})

test('content that no header could make valid asks for no header', t => {
  const { send } = driven()
  t.deepEqual(codes(send({ type: 'validate', ref: 1, key: Uint8Array.of(9), bytes: small.body })), [
    '1: CONTENT_KEY_INVALID',
  ])
  t.deepEqual(codes(send(ask(2, 'body', small, new Uint8Array(MAX_CONTENT_BYTES + 1)))), ['2: CONTENT_TOO_LARGE'])
})

test('without a header there is no judgement, and the header is requested again', t => {
  const { send } = driven()
  send(ask(1, 'body', small))
  send(ask(2, 'receipts', small))
  const failed: ValidationInput = { type: 'header-failed', number: 1n, detail: 'not there' }
  t.deepEqual(send(failed), [
    { type: 'verdict', ref: 1, result: { ok: false, code: 'HEADER_UNAVAILABLE', detail: 'not there' } },
    { type: 'verdict', ref: 2, result: { ok: false, code: 'HEADER_UNAVAILABLE', detail: 'not there' } },
  ])
  t.deepEqual(send(failed), [])
  t.deepEqual(codes(send(ask(3, 'body', small))), ['want-header'])
  // The header of another block is no header.
  t.deepEqual(codes(send({ type: 'header-arrived', number: 1n, header: large.header })), ['3: HEADER_UNAVAILABLE'])
})

test('a wait for a header ends, and so does one for the pool', t => {
  const { core, state, send } = driven({ headerTimeoutMs: 100, computeTimeoutMs: 500 })
  t.is(core.deadline(), Number.POSITIVE_INFINITY)
  send(ask(1, 'body', small))
  state.now = 1050
  send(ask(2, 'body', large))
  t.is(core.deadline(), 1100)
  t.deepEqual(codes(send(arrived(large))), ['compute'])
  state.now = 1099
  t.deepEqual(send({ type: 'timeout' }), [])
  state.now = 1100
  t.deepEqual(codes(send({ type: 'timeout' })), ['1: HEADER_UNAVAILABLE'])
  t.is(core.deadline(), 1550)
  state.now = 1550
  t.deepEqual(codes(send({ type: 'timeout' })), ['2: VALIDATION_LIMIT'])
  t.is(core.deadline(), Number.POSITIVE_INFINITY)
  // Both may answer late.
  t.deepEqual(send(arrived(small)), [])
  t.deepEqual(send({ type: 'computed', ref: 2, result: { ok: false, code: 'CONTENT_INVALID', detail: '' } }), [])
  t.deepEqual(send({ type: 'compute-failed', ref: 2, detail: '' }), [])
})

test('a failure of the pool does not blame the content', t => {
  const { send } = driven()
  send(ask(1, 'body', large))
  send(arrived(large))
  const [output] = send({ type: 'compute-failed', ref: 1, detail: 'the pool is full' })
  if (output?.type !== 'verdict' || output.result.ok) return t.fail()
  t.is(output.result.detail, 'the pool is full')
  t.false(blamesContent(output.result.code))
  t.false(blamesContent('HEADER_UNAVAILABLE'))
  t.true(blamesContent('RECEIPTS_ROOT_WRONG'))
})

test('pending items are bounded, in number and in bytes', t => {
  const { core, send } = driven({ pendingItems: 2, pendingBytes: large.body.length + 10_000 })
  send(ask(1, 'body', large))
  t.deepEqual(codes(send(ask(2, 'receipts', large))), ['2: VALIDATION_LIMIT'])
  t.deepEqual(codes(send(ask(3, 'body', small))), ['want-header'])
  t.deepEqual(codes(send(ask(4, 'receipts', small))), ['4: VALIDATION_LIMIT'])
  t.is(core.snapshot().pendingItems, 2)
})

test('a withdrawn item gets no verdict and takes no room', t => {
  const { core, send } = driven()
  send(ask(1, 'body', small))
  send(ask(2, 'body', large))
  t.deepEqual(send({ type: 'withdraw', ref: 1 }), [])
  t.deepEqual(send({ type: 'withdraw', ref: 1 }), [])
  t.deepEqual(send(arrived(small)), [])
  t.deepEqual(codes(send(arrived(large))), ['compute'])
  send({ type: 'withdraw', ref: 2 })
  t.deepEqual(core.snapshot(), { headers: 2, pendingItems: 0, pendingBytes: 0, valid: 0, refused: {} })
})

test('headers are kept up to a limit, the most recently used ones', t => {
  const { core, send } = driven({ headers: 2 })
  for (const block of [chain[0]!, chain[2]!]) send(arrived(block))
  send(ask(1, 'body', chain[0]!))
  send(arrived(chain[3]!))
  t.is(core.snapshot().headers, 2)
  t.deepEqual(codes(send(ask(2, 'body', chain[0]!))), ['2: valid'])
  t.deepEqual(codes(send(ask(3, 'body', chain[2]!))), ['want-header'])
})

// Blocks of another chain with the same numbers, as after a reorganization.
const replaced = makeChain({ seed: 6, blocks: 4 })

for (const [size, at] of [
  ['small', 0],
  ['large', 1],
] as const) {
  test(`after a reorganization ${size} content of the new block is valid: a header that was kept for long is asked for again`, async t => {
    const { send, state } = driven({ headerTrustMs: 100 })
    const [before, after] = [replaced[at]!, chain[at]!]
    const computed = async (outputs: readonly ValidationOutput[]): Promise<ValidationOutput[]> => {
      const [output] = outputs
      if (output?.type !== 'compute') return [...outputs]
      return send({ type: 'computed', ref: output.ref, result: await validateInWorker(output.job) })
    }
    send(arrived(before))
    t.deepEqual(codes(await computed(send(ask(1, 'body', after)))), ['1: TRANSACTIONS_ROOT_WRONG'], 'it is new')
    state.now += 100
    const doubt = [{ type: 'want-header', number: after.number, doubted: before.header }]
    t.deepEqual(await computed(send(ask(2, 'body', after))), doubt as ValidationOutput[])
    t.deepEqual(codes(await computed(send(ask(3, 'receipts', before)))), ['3: valid'])
    const replacing = send(arrived(after))
    t.deepEqual(replacing.shift(), { type: 'block-replaced', number: after.number })
    t.deepEqual(codes(await computed(replacing)), ['2: valid'])
    t.deepEqual(codes(await computed(send(ask(4, 'body', after)))), ['4: valid'])
  })
}

test('content that was valid by a header that is replaced meanwhile is compared with the new one', async t => {
  const { send, state } = driven({ headerTrustMs: 100 })
  const [before, after] = [replaced[1]!, chain[1]!]
  const run = async ([output]: readonly ValidationOutput[]): Promise<ValidationOutput[]> => {
    if (output?.type !== 'compute') throw new Error(`expected compute, got ${output?.type}`)
    return send({ type: 'computed', ref: output.ref, result: await validateInWorker(output.job) })
  }
  send(arrived(before))
  state.now += 100
  const late = send(ask(1, 'body', before))
  t.deepEqual(codes(await run(send(ask(2, 'body', after)))), ['want-header'])
  const [, again] = send(arrived(after))
  t.deepEqual(codes(await run([again!])), ['2: valid'])
  t.deepEqual(codes(await run(await run(late))), ['1: TRANSACTIONS_ROOT_WRONG'])
})

test('if the header is confirmed or unavailable, the refusal stands, and the header stays', t => {
  const { core, send, state } = driven({ headerTrustMs: 100, headerTimeoutMs: 50 })
  const doubted = (ref: number): void => {
    state.now += 100
    t.deepEqual(codes(send(ask(ref, 'body', replaced[0]!))), ['want-header'])
  }
  send(arrived(small))
  doubted(1)
  t.deepEqual(codes(send(arrived(small))), ['1: TRANSACTIONS_ROOT_WRONG'])
  doubted(2)
  t.deepEqual(codes(send({ type: 'header-failed', number: small.number, detail: '' })), ['2: TRANSACTIONS_ROOT_WRONG'])
  doubted(3)
  state.now += 50
  t.deepEqual(codes(send({ type: 'timeout' })), ['3: TRANSACTIONS_ROOT_WRONG'])
  t.deepEqual(codes(send(ask(4, 'body', small))), ['4: valid'])
  t.is(core.snapshot().headers, 1)
})

test('a ref in use is a mistake of the caller', t => {
  const { send } = driven()
  send(ask(1, 'body', small))
  t.throws(() => send(ask(1, 'body', large)), { instanceOf: RangeError })
})

test('with any inputs, each item gets exactly one verdict, and nothing is left behind', t => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('ask' as const),
      block: fc.nat(3),
      type: fc.constantFrom('body' as const, 'receipts' as const),
    }),
    fc.record({ kind: fc.constantFrom('arrive' as const, 'fail' as const), block: fc.nat(3) }),
    fc.record({ kind: fc.constantFrom('compute' as const, 'compute-fails' as const, 'wait' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const { core, state, send } = driven({ headerTimeoutMs: 50, computeTimeoutMs: 50, pendingItems: 6 })
      const open = new Set<number>()
      const jobs: number[] = []
      let asked = 0
      const take = (outputs: readonly ValidationOutput[]) => {
        for (const output of outputs) {
          if (output.type === 'compute') jobs.push(output.ref)
          if (output.type === 'verdict') t.true(open.delete(output.ref))
        }
      }
      for (const now of steps) {
        if (now.kind === 'ask') {
          open.add(++asked)
          take(send(ask(asked, now.type, chain[now.block]!)))
        } else if (now.kind === 'arrive') take(send(arrived(chain[now.block]!)))
        else if (now.kind === 'fail')
          take(send({ type: 'header-failed', number: chain[now.block]!.number, detail: '' }))
        else if (now.kind === 'compute') {
          const result = { ok: true, value: { type: 'receipts', receipts: 0, logs: 0 } } as const
          take(send({ type: 'computed', ref: jobs.pop() ?? 0, result }))
        } else if (now.kind === 'compute-fails')
          take(send({ type: 'compute-failed', ref: jobs.pop() ?? 0, detail: '' }))
        else {
          state.now += 20
          take(send({ type: 'timeout' }))
        }
        t.is(core.snapshot().pendingItems, open.size)
        t.is(core.deadline() < Number.POSITIVE_INFINITY, open.size > 0)
      }
      state.now += 50
      take(send({ type: 'timeout' }))
      t.is(open.size, 0)
      t.is(core.snapshot().pendingBytes, 0)
    }),
    { numRuns: 60 },
  )
})

test('the compute pool runs the task on another thread and gives the verdicts of this one', async t => {
  await using pool = new ComputePool({ threads: 1 })
  const { body, receipts, header, number } = large
  const jobs: ValidationJob[] = [
    { contentType: 'receipts', number, header: header.bytes, bytes: receipts },
    { contentType: 'body', number, header: header.bytes, bytes: body },
    { contentType: 'body', number, header: header.bytes, bytes: withByte(body, 5000, body[5000]! ^ 1) },
  ]
  const answers = await Promise.all(jobs.map(job => pool.run<ValidationJob, unknown>(validationTask, job)))
  t.deepEqual(answers, await Promise.all(jobs.map(validateInWorker)))
})
