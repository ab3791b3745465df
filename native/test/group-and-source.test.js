import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DispatchGroup, DispatchQueue, DispatchSource } from '../index.js'
import { withDispatch as test } from './with-dispatch.js'

const on = queue => new Promise(resolve => queue.async(resolve))

test('a group notifies when everything has left it', async t => {
  const queue = new DispatchQueue('test.group')
  const group = new DispatchGroup()
  const seen = []
  group.enter()
  for (let index = 0; index < 3; index++) group.async(queue, () => seen.push(index))
  group.notify(queue, () => seen.push('notified'))
  await on(queue)
  t.deepEqual(seen, [0, 1, 2])
  group.leave()
  await group.wait()
  await on(queue)
  t.deepEqual(seen, [0, 1, 2, 'notified'])
  t.throws(() => group.leave(), { code: 'GROUP_UNBALANCED' })
})

test('an empty group notifies at once, and a group can be used again', async t => {
  const group = new DispatchGroup()
  await group.wait()
  group.enter()
  const second = group.wait()
  group.leave()
  await second
  t.pass()
})

test('a group that is collected while entered does not end the process', async t => {
  for (let index = 0; index < 20; index++) new DispatchGroup().enter()
  globalThis.gc?.()
  await new Promise(resolve => setImmediate(resolve))
  t.pass()
})

test('a timer fires, repeats and stops', async t => {
  const queue = new DispatchQueue('test.timer')
  let fired = 0
  let enough
  const done = new Promise(resolve => {
    enough = resolve
  })
  const timer = new DispatchSource('timer', {
    queue,
    strict: true,
    onFire: count => {
      fired += count
      t.true(queue.isCurrent)
      if (fired >= 3) enough()
    },
  })
  timer.schedule({ delayMs: 1, intervalMs: 2, leewayMs: 0 }).activate()
  await done
  await timer.cancel()
  const after = fired
  await new Promise(resolve => setTimeout(resolve, 10))
  t.is(fired, after)
})

test('merged data arrives once while the queue is busy', async t => {
  const queue = new DispatchQueue('test.data')
  const make = (type, seen) => new DispatchSource(type, { queue, onFire: data => seen.push(data) }).activate()
  const added = []
  const ored = []
  const replaced = []
  const all = [make('data-add', added), make('data-or', ored), make('data-replace', replaced)]
  queue.suspend()
  for (const data of [1, 2, 4]) for (const source of all) source.merge(data)
  queue.resume()
  await on(queue)
  while (added.length + ored.length + replaced.length < 3) await on(queue)
  t.deepEqual([added, ored, replaced], [[7], [7], [4]])
  await Promise.all(all.map(source => source.cancel()))
})

test('a suspended source holds its events, and cancelling an inactive one settles', async t => {
  const queue = new DispatchQueue('test.source')
  const seen = []
  const source = new DispatchSource('data-add', { queue, onFire: data => seen.push(data) }).activate()
  source.suspend()
  source.merge(5)
  await on(queue)
  t.deepEqual(seen, [])
  source.resume()
  while (seen.length === 0) await on(queue)
  t.deepEqual(seen, [5])
  t.throws(() => source.resume(), { code: 'QUEUE_OVER_RESUMED' })
  await source.cancel()
  await new DispatchSource('timer', { queue, onFire: () => t.fail() }).cancel()
})

test('a descriptor that becomes readable fires a read source', async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dispatch-'))
  const pipe = path.join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const descriptor = openSync(pipe, 'r+')
  const queue = new DispatchQueue('test.read')
  let source
  const available = await new Promise(resolve => {
    source = new DispatchSource('read', { queue, descriptor, onFire: resolve }).activate()
    writeSync(descriptor, 'hello')
  })
  t.is(available, 5)
  await source.cancel()
  closeSync(descriptor)
  rmSync(folder, { recursive: true })
})

test('a descriptor that is not open is told to the caller', t => {
  const queue = new DispatchQueue('test.closed')
  const descriptor = 2 ** 31 - 1
  for (const type of ['read', 'write']) {
    t.throws(() => new DispatchSource(type, { queue, descriptor, onFire: () => {} }), { code: 'SOURCE_INVALID' })
  }
})

test('types are checked', t => {
  const queue = new DispatchQueue('test.types')
  t.throws(() => new DispatchSource('mach', { queue, onFire: () => {} }), { code: 'SOURCE_INVALID' })
  const timer = new DispatchSource('timer', { queue, onFire: () => {} })
  t.throws(() => timer.merge(1), { code: 'SOURCE_INVALID' })
  const native = new DispatchQueue('test.native', { target: DispatchQueue.global() })
  t.throws(() => new DispatchSource('timer', { queue: native, onFire: () => {} }), { code: 'QUEUE_WRONG' })
  t.throws(() => new DispatchGroup().notify(native, () => {}), { code: 'QUEUE_WRONG' })
  for (const wrong of [{ queue: {} }, { onFire: 'fire' }, { descriptor: -1 }, { descriptor: 2 ** 32 }]) {
    t.throws(() => new DispatchSource('read', { queue, onFire: () => {}, ...wrong }), { code: 'SOURCE_INVALID' })
  }
  for (const delayMs of [-1, Number.NaN, '5', undefined]) {
    t.throws(() => timer.schedule({ delayMs }), { code: 'SOURCE_INVALID' })
    t.throws(() => timer.schedule({ delayMs: 1, intervalMs: delayMs ?? null }), { code: 'SOURCE_INVALID' })
  }
  const data = new DispatchSource('data-add', { queue, onFire: () => {} })
  for (const merged of [-1, 0.5, Number.NaN, '1']) t.throws(() => data.merge(merged), { code: 'SOURCE_INVALID' })
})

test('a group that a queue refuses is as empty as before', async t => {
  const group = new DispatchGroup()
  t.throws(() => group.async(DispatchQueue.global(), () => {}), { code: 'QUEUE_WRONG' })
  t.throws(() => group.async(DispatchQueue.lane, undefined), { code: 'ARGUMENT_INVALID' })
  t.throws(() => group.notify(undefined, () => {}), { code: 'ARGUMENT_INVALID' })
  await group.wait()
  t.throws(() => group.leave(), { code: 'GROUP_UNBALANCED' })
})
