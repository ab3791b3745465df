import test from 'ava'
import { ComputePool } from 'spimpl-runtime/compute-pool'

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
