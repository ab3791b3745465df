import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DispatchGroup, DispatchQueue, DispatchSource } from '../index.js'
import { cancelled, started } from './sources.js'
import { withDispatch as test } from './with-dispatch.js'

const on = queue => new Promise(resolve => queue.async(resolve))

test('a group notifies when everything has left it', async t => {
  const queue = new DispatchQueue('test.group')
  const group = new DispatchGroup()
  const seen = []
  group.enter()
  for (let index = 0; index < 3; index++) queue.async(() => seen.push(index), { group })
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
  const timer = DispatchSource.timer(queue, { afterMs: 1, repeatingMs: 2, leewayMs: 0 }, { strict: true })
  started(timer, count => {
    fired += count
    t.true(queue.isCurrent)
    if (fired >= 3) enough()
  })
  await done
  await cancelled(timer)
  const after = fired
  await new Promise(resolve => setTimeout(resolve, 10))
  t.is(fired, after)
})

test('merged data arrives once while the queue is busy', async t => {
  const queue = new DispatchQueue('test.data')
  const make = (type, seen) => started(DispatchSource[type](queue), data => seen.push(data))
  const added = []
  const ored = []
  const replaced = []
  const all = [make('dataAdd', added), make('dataOr', ored), make('dataReplace', replaced)]
  queue.suspend()
  for (const data of [1, 2, 4]) for (const source of all) source.mergeData(data)
  queue.resume()
  await on(queue)
  while (added.length + ored.length + replaced.length < 3) await on(queue)
  t.deepEqual([added, ored, replaced], [[7], [7], [4]])
  await Promise.all(all.map(cancelled))
})

test('a suspended source holds its events', async t => {
  const queue = new DispatchQueue('test.source')
  const seen = []
  const source = started(DispatchSource.dataAdd(queue), data => seen.push(data))
  source.suspend()
  source.mergeData(5)
  await on(queue)
  t.deepEqual(seen, [])
  source.resume()
  while (seen.length === 0) await on(queue)
  t.deepEqual(seen, [5])
  t.throws(() => source.resume(), { code: 'QUEUE_OVER_RESUMED' })
  await cancelled(source)
})

test('a descriptor that becomes readable fires a read source', async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dispatch-'))
  const pipe = path.join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const descriptor = openSync(pipe, 'r+')
  const queue = new DispatchQueue('test.read')
  let source
  const available = await new Promise(resolve => {
    source = started(DispatchSource.readable(queue, descriptor), resolve)
    writeSync(descriptor, 'hello')
  })
  t.is(available, 5)
  await cancelled(source)
  closeSync(descriptor)
  rmSync(folder, { recursive: true })
})

test('a descriptor that is not open is told to the caller', t => {
  const queue = new DispatchQueue('test.closed')
  const descriptor = 2 ** 31 - 1
  for (const kind of ['readable', 'writable']) {
    t.throws(() => DispatchSource[kind](queue, descriptor), { code: 'SOURCE_INVALID' })
  }
})

test('a timer that has fired for the last time, and one that never does, keep no program alive', async t => {
  const queue = new DispatchQueue('test.once')
  const never = started(DispatchSource.timer(queue, { afterMs: Number.POSITIVE_INFINITY }), () => t.fail())
  await new Promise(resolve => started(DispatchSource.timer(queue, { afterMs: 1 }), resolve))
  never.schedule({ afterMs: 0 })
  never.schedule({ afterMs: Number.POSITIVE_INFINITY })
  await cancelled(never)
  t.pass()
})

test('arguments are checked', t => {
  const queue = new DispatchQueue('test.types')
  const wrong = { code: 'SOURCE_INVALID' }
  t.throws(() => new DispatchSource('timer', queue), wrong)
  const timer = DispatchSource.timer(queue, { afterMs: 1 })
  const data = DispatchSource.dataAdd(queue)
  t.throws(() => timer.mergeData(1), wrong)
  t.throws(() => data.schedule({ afterMs: 1 }), wrong)
  const native = new DispatchQueue('test.native', { target: DispatchQueue.global() })
  t.throws(() => DispatchSource.dataAdd(native), { code: 'QUEUE_WRONG' })
  t.throws(() => new DispatchGroup().notify(native, () => {}), { code: 'QUEUE_WRONG' })
  for (const kind of ['dataAdd', 'dataOr', 'dataReplace', 'readable', 'writable']) {
    t.throws(() => DispatchSource[kind]({}), wrong)
  }
  for (const descriptor of [-1, 2 ** 32, undefined])
    t.throws(() => DispatchSource.writable(queue, descriptor ?? ''), wrong)
  for (const handler of ['fire', undefined]) {
    t.throws(() => data.setEventHandler(handler), wrong)
    t.throws(() => data.setCancelHandler(handler), wrong)
  }
  for (const afterMs of [Number.NaN, '5', undefined]) {
    t.throws(() => timer.schedule({ afterMs }), wrong)
    t.throws(() => timer.schedule({ afterMs: 1, repeatingMs: afterMs ?? -1 }), wrong)
    t.throws(() => timer.schedule({ afterMs: 1, leewayMs: afterMs ?? null }), wrong)
  }
  for (const merged of [0.5, Number.NaN, '1']) t.throws(() => data.mergeData(merged), wrong)
})

test('a group that a queue refuses is as empty as before', async t => {
  const group = new DispatchGroup()
  t.throws(() => DispatchQueue.global().async(() => {}, { group }), { code: 'QUEUE_WRONG' })
  t.throws(() => DispatchQueue.main.async(undefined, { group }), { code: 'ARGUMENT_INVALID' })
  t.throws(() => group.notify(undefined, () => {}), { code: 'ARGUMENT_INVALID' })
  await group.wait()
  t.throws(() => group.leave(), { code: 'GROUP_UNBALANCED' })
})
