import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { ComputePool } from 'spimpl-runtime/compute-pool'
import { FairQueue } from 'spimpl-runtime/internal/computing/fair-queue.js'

const module = new URL('./compute-tasks.js', import.meta.url)
const task = <Input, Output>(name: string) => ({ module, name, types: undefined as never as (input: Input) => Output })
const square = task<number, number>('square')
const hold = task<Int32Array, string>('hold')

const held = () => new Int32Array(new SharedArrayBuffer(4))
const release = (cell: Int32Array) => {
  Atomics.store(cell, 0, 1)
  Atomics.notify(cell, 0)
}

test('a task runs on a thread and its value comes back', async t => {
  await using pool = new ComputePool({ threads: 1 })
  t.is(await pool.run(square, 12), 144)
  t.is(pool.size, 0)
})

test('what a task throws is what the caller gets', async t => {
  await using pool = new ComputePool({ threads: 1 })
  const error = await t.throwsAsync(pool.run(task('fail'), 'no such root'))
  t.is(error?.message, 'no such root')
  t.is(error?.name, 'RangeError')
})

test('buffers change owner on the way in and on the way back', async t => {
  await using pool = new ComputePool({ threads: 1 })
  const bytes = Uint8Array.of(1, 2, 3)
  const back = await pool.run(task<Uint8Array, Uint8Array>('reversed'), bytes, { transfer: [bytes.buffer] })
  t.deepEqual([...back], [3, 2, 1])
  t.is(bytes.byteLength, 0)
})

test('a full pool refuses, and room() settles when a task would be taken', async t => {
  await using pool = new ComputePool({ threads: 1, maxQueued: 1 })
  const cell = held()
  const first = pool.run(hold, cell)
  const second = pool.run(square, 3)
  t.true(pool.full)
  t.is(pool.pressure, 2)
  await t.throwsAsync(pool.run(square, 4), { code: 'POOL_FULL' })
  const room = pool.room()
  release(cell)
  await room
  t.false(pool.full)
  t.is(await second, 9)
  await first
})

test('aborting a waiting task takes it out and leaks nothing', async t => {
  await using pool = new ComputePool({ threads: 1, maxQueued: 4 })
  const cell = held()
  const first = pool.run(hold, cell)
  const abort = new AbortController()
  const second = pool.run(square, 3, { signal: abort.signal })
  abort.abort()
  await t.throwsAsync(second, { code: 'TASK_ABORTED' })
  t.is(pool.size, 1)
  release(cell)
  await first
  t.is(pool.size, 0)
})

test('a task that loops forever ends at its deadline, and the pool goes on', async t => {
  await using pool = new ComputePool({ threads: 1 })
  await t.throwsAsync(pool.run(task('spin'), undefined, { timeoutMs: 50 }), { code: 'TASK_TIMEOUT' })
  t.is(await pool.run(square, 5), 25)
})

test('an aborted signal and a closed pool refuse at once', async t => {
  const pool = new ComputePool({ threads: 1 })
  await t.throwsAsync(pool.run(square, 1, { signal: AbortSignal.abort() }), { code: 'TASK_ABORTED' })
  const cell = held()
  const running = pool.run(hold, cell)
  const closing = pool.close()
  await t.throwsAsync(running, { code: 'POOL_CLOSED' })
  await closing
  await t.throwsAsync(pool.run(square, 1), { code: 'POOL_CLOSED' })
})

test('who waits for room keeps its place, and gives it up when aborted', async t => {
  await using pool = new ComputePool({ threads: 1, maxQueued: 0 })
  const cell = held()
  const running = pool.run(hold, cell)
  const abort = new AbortController()
  const done: number[] = []
  const waiting = [1, 2, 3].map(async n => {
    const squared = await pool.run(square, n, n === 2 ? { wait: true, signal: abort.signal } : { wait: true })
    done.push(squared)
  })
  t.is(pool.waiting, 3)
  abort.abort()
  await t.throwsAsync(waiting[1]!, { code: 'TASK_ABORTED' })
  t.is(pool.waiting, 2)
  release(cell)
  await Promise.all([running, waiting[0], waiting[2]])
  t.deepEqual(done, [1, 9])
  t.is(pool.size, 0)
})

test('whoever waits for room learns of it, also when the first who was told wants it no more', async t => {
  await using pool = new ComputePool({ threads: 1, maxQueued: 0 })
  const cell = held()
  const running = pool.run(hold, cell)
  const rooms = [pool.room(), pool.room(), pool.room()]
  release(cell)
  await running
  await Promise.all(rooms)
  t.false(pool.full)
})

test('no limit of time is no limit', async t => {
  await using pool = new ComputePool({ threads: 1 })
  for (const timeoutMs of [Number.POSITIVE_INFINITY, 2 ** 40]) t.is(await pool.run(square, 6, { timeoutMs }), 36)
  await t.throwsAsync(pool.run(square, 6, { timeoutMs: Number.NaN }), { code: 'CONFIG_INVALID' })
})

test('what cannot go to a thread or come back from it is named', async t => {
  await using pool = new ComputePool({ threads: 1 })
  await t.throwsAsync(
    pool.run(task('square'), () => 1),
    { code: 'MESSAGE_NOT_CLONEABLE', message: /square/ },
  )
  await t.throwsAsync(pool.run(task('secretive'), undefined), { code: 'MESSAGE_NOT_CLONEABLE', message: /secretive/ })
  t.is(await pool.run(square, 7), 49)
})

test('a pool without a bound that is a number is refused', t => {
  for (const maxQueued of [-1, Number.NaN]) t.throws(() => new ComputePool({ maxQueued }), { code: 'CONFIG_INVALID' })
})

const recorded = (length: number) => new Int32Array(new SharedArrayBuffer(4 * (length + 1)))
const note = task<{ readonly cells: Int32Array; readonly value: number }, void>('note')

test('tasks of one share run in the order of the calls', async t => {
  await using pool = new ComputePool({ threads: 1 })
  const cells = recorded(20)
  const cell = held()
  const first = pool.run(hold, cell)
  const all = Array.from({ length: 20 }, (_, value) => pool.run(note, { cells, value }))
  release(cell)
  await Promise.all([first, ...all])
  t.deepEqual(
    [...cells.subarray(1)],
    Array.from({ length: 20 }, (_, value) => value),
  )
})

test('shares take turns: a caller with many tasks delays another by one', async t => {
  await using pool = new ComputePool({ threads: 1 })
  const cells = recorded(8)
  const cell = held()
  const first = pool.run(hold, cell)
  const many = [0, 1, 2, 3, 4].map(value => pool.run(note, { cells, value }, { share: 'many' }))
  const few = [10, 11].map(value => pool.run(note, { cells, value }, { share: 'few' }))
  const one = pool.run(note, { cells, value: 20 }, { share: 'one' })
  release(cell)
  await Promise.all([first, ...many, ...few, one])
  t.deepEqual([...cells.subarray(1)], [0, 10, 20, 1, 11, 2, 3, 4])
})

test('sixty callers that ask again and again are all served', async t => {
  await using pool = new ComputePool({ threads: 1 })
  const served = await Promise.all(
    Array.from({ length: 60 }, async (_, caller) => {
      for (let round = 0; round < 5; round++) await pool.run(square, round, { share: `caller ${caller}` })
      return caller
    }),
  )
  t.is(served.length, 60)
})

for (const [what, end] of [
  ['reaches its time limit', (pool: ComputePool) => pool.run(task('spin'), undefined, { timeoutMs: 50 })],
  ['ends its thread', (pool: ComputePool) => pool.run(task('exit'), undefined)],
] as const) {
  test(`tasks behind the last thread run when its task ${what}, without another call`, async t => {
    await using pool = new ComputePool({ threads: 1 })
    const ended = t.throwsAsync(end(pool))
    const behind = [2, 3, 4].map(n => pool.run(square, n))
    const error = await ended
    t.regex((error as { code?: string }).code ?? '', /^(TASK_TIMEOUT|THREAD_DIED)$/)
    t.deepEqual(await Promise.all(behind), [4, 9, 16])
  })
}

test('the timer of a finished task does not fail the next one', async t => {
  await using pool = new ComputePool({ threads: 1 })
  t.is(await pool.run(task('leaveTimer'), 20), 'finished')
  t.is(await pool.run(task<number, string>('linger'), 150), 'lingered')
})

test('a module without the function is a typed error', async t => {
  await using pool = new ComputePool({ threads: 1 })
  await t.throwsAsync(pool.run(task('nothing'), 1), { code: 'CONFIG_INVALID', message: /to export a function nothing/ })
  t.is(await pool.run(square, 3), 9)
})

test('property: a fair queue keeps the order of each share and serves every share in each round', t => {
  const calls = fc.array(fc.record({ share: fc.constantFrom('a', 'b', 'c') }), { maxLength: 40 })
  fc.assert(
    fc.property(calls, fc.array(fc.nat(), { maxLength: 5 }), (given, removed) => {
      const queue = new FairQueue<{ readonly share: string; readonly at: number }>()
      const all = given.map(({ share }, at): { readonly share: string; readonly at: number } => ({ share, at }))
      for (const call of all) queue.push(call)
      const gone = new Set(removed.map(index => all[index % Math.max(all.length, 1)]))
      for (const call of gone) if (call !== undefined) t.true(queue.remove(call))
      const left = all.filter(call => !gone.has(call))
      t.is(queue.size, left.length)
      const served: typeof all = []
      for (let call = queue.shift(); call !== undefined; call = queue.shift()) served.push(call)
      t.is(served.length, left.length)
      for (const share of ['a', 'b', 'c']) {
        t.deepEqual(
          served.filter(call => call.share === share),
          left.filter(call => call.share === share),
        )
      }
      const open = new Set(left.map(({ share }) => share)).size
      t.is(new Set(served.slice(0, open).map(({ share }) => share)).size, open)
    }),
  )
})

const program = fileURLToPath(new URL('./programs/no-descriptors.js', import.meta.url))

test('with all descriptors in use a task fails with a typed error, and runs once there are some', async t => {
  const { stdout } = await promisify(execFile)('sh', ['-c', `ulimit -n 64; exec "${process.execPath}" "${program}"`])
  t.deepEqual(stdout.trim().split('\n'), ['THREAD_DIED', 'THREAD_DIED', '49'])
})
