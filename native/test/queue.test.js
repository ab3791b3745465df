import { AddonError, backendInfo, DispatchQueue, DispatchSource, drainLane, QueueKey, RemoteQueue } from '../index.js'
import { serially, withDispatch } from './with-dispatch.js'

// One after the other, because a drain that one test asks for would run the items of all.
const test = serially(withDispatch)

const on = queue => new Promise(resolve => queue.async(resolve))

test('the library passed its self-test and serves the main thread as the main queue', t => {
  const { libdispatch } = backendInfo()
  t.true(libdispatch.found, libdispatch.refused?.join('\n'))
  t.is(libdispatch.root, process.env.AVA_WORKER_THREADS ? 'lane' : 'main')
  t.true(libdispatch.roundTripUs > 0)
})

test('a serial queue runs in order, one at a time, on this lane', async t => {
  const queue = new DispatchQueue('test.serial')
  const seen = []
  for (let index = 0; index < 1000; index++) {
    queue.async(() => {
      seen.push(index)
      if (!queue.isCurrent || !DispatchQueue.main.isCurrent) t.fail('not on its queue')
    })
  }
  t.deepEqual(seen, [])
  await on(queue)
  t.deepEqual(seen, [...Array(1000).keys()])
  // What follows an await may still run in the item that settled it.
  await new Promise(resolve => setImmediate(resolve))
  t.false(queue.isCurrent)
})

test('a queue counts as current for what targets it, not for its siblings', async t => {
  const parent = new DispatchQueue('test.parent')
  const child = new DispatchQueue('test.child', { target: parent })
  const sibling = new DispatchQueue('test.sibling', { target: parent })
  await new Promise(resolve => {
    child.async(() => {
      t.true(child.isCurrent && parent.isCurrent)
      t.false(sibling.isCurrent)
      t.notThrows(() => parent.assertCurrent())
      t.throws(() => sibling.assertCurrent(), { instanceOf: AddonError, code: 'QUEUE_WRONG' })
      resolve()
    })
  })
})

test('a suspended queue keeps its items in order, and suspensions are counted', async t => {
  const queue = new DispatchQueue('test.suspended')
  const other = new DispatchQueue('test.other')
  const seen = []
  queue.suspend()
  queue.suspend()
  for (let index = 0; index < 5; index++) queue.async(() => seen.push(index))
  await on(other)
  queue.resume()
  await on(other)
  t.deepEqual(seen, [])
  queue.resume()
  await on(queue)
  t.deepEqual(seen, [0, 1, 2, 3, 4])
  t.throws(() => queue.resume(), { code: 'QUEUE_OVER_RESUMED' })
})

test('suspending a target stops its subtree, from within an item too', async t => {
  const parent = new DispatchQueue('test.parent')
  const child = new DispatchQueue('test.child', { target: parent })
  const other = new DispatchQueue('test.other')
  const seen = []
  child.async(() => {
    seen.push('first')
    parent.suspend()
  })
  await on(other)
  child.async(() => seen.push('second'))
  parent.async(() => seen.push('third'))
  await on(other)
  await on(other)
  t.deepEqual(seen, ['first'])
  parent.resume()
  await on(child)
  await on(parent)
  t.deepEqual(seen.sort(), ['first', 'second', 'third'])
})

test('an inactive queue waits for its activation', async t => {
  const queue = new DispatchQueue('test.inactive', { inactive: true })
  const seen = []
  queue.async(() => seen.push(1))
  await on(new DispatchQueue('test.other'))
  t.deepEqual(seen, [])
  queue.activate()
  queue.activate()
  await on(queue)
  t.deepEqual(seen, [1])
})

test('an inactive queue moves to another target', async t => {
  const first = new DispatchQueue('test.first')
  const second = new DispatchQueue('test.second')
  const queue = new DispatchQueue('test.moved', { target: first, inactive: true })
  queue.setTarget(second)
  queue.activate()
  await new Promise(resolve => {
    queue.async(() => {
      t.true(second.isCurrent)
      t.false(first.isCurrent)
      resolve()
    })
  })
  t.throws(() => second.setTarget(queue), { code: 'QUEUE_TARGET_INVALID' })
  t.throws(() => second.setTarget(DispatchQueue.global()), { code: 'QUEUE_TARGET_INVALID' })
  t.throws(() => queue.setTarget(first), { code: 'QUEUE_TARGET_INVALID', message: /expected an inactive queue/ })
  t.throws(() => DispatchQueue.main.setTarget(first), { code: 'QUEUE_TARGET_INVALID' })
})

test('a barrier of a concurrent queue runs after what came before it', async t => {
  const queue = new DispatchQueue('test.concurrent', { concurrent: true })
  const seen = []
  for (let index = 0; index < 4; index++) queue.async(() => seen.push(index))
  queue.async(() => seen.push('barrier'), { barrier: true })
  for (let index = 4; index < 8; index++) queue.async(() => seen.push(index))
  await new Promise(resolve => queue.async(resolve, { barrier: true }))
  t.deepEqual(new Set(seen.slice(0, 4)), new Set([0, 1, 2, 3]))
  t.is(seen[4], 'barrier')
  t.is(seen.length, 9)
})

test('after waits at least its delay', async t => {
  const queue = new DispatchQueue('test.after')
  const begin = performance.now()
  await new Promise(resolve => queue.after(15, resolve))
  t.true(performance.now() - begin >= 14.5)
})

test('apply runs every index once and reports the first exception', async t => {
  const queue = new DispatchQueue('test.apply', { concurrent: true })
  const seen = []
  await queue.apply(50, index => seen.push(index))
  t.deepEqual(
    seen.sort((a, b) => a - b),
    [...Array(50).keys()],
  )
  await queue.apply(0, () => t.fail())
  const failing = queue.apply(3, index => {
    if (index === 1) throw new Error('one')
  })
  await t.throwsAsync(failing, { message: 'one' })
})

test('queue-specific data is found along the targets', async t => {
  const parent = new DispatchQueue('test.parent')
  const child = new DispatchQueue('test.child', { target: parent })
  const key = new QueueKey('key')
  parent.setSpecific(key, { of: 'parent' })
  const read = queue => new Promise(resolve => queue.async(() => resolve(DispatchQueue.getSpecific(key))))
  t.deepEqual(await read(child), { of: 'parent' })
  child.setSpecific(key, 'own')
  t.is(await read(child), 'own')
  child.setSpecific(key, undefined)
  t.deepEqual(await read(child), { of: 'parent' })
  // What follows an await may still run in the item that settled it.
  await new Promise(resolve => setImmediate(resolve))
  t.is(DispatchQueue.getSpecific(key), undefined)
})

test('queue-specific data lives as long as libdispatch has the queue: no shorter, no longer', async t => {
  const key = new QueueKey('key')
  const released = new DispatchQueue('test.specific.released')
  released.setSpecific(key, 'kept')
  const seen = new Promise(resolve => released.async(() => resolve(DispatchQueue.getSpecific(key))))
  released.release()
  t.is(await seen, 'kept')

  let gone = 0
  const registry = new FinalizationRegistry(() => gone++)
  const remember = queue => {
    const value = { of: queue.label }
    registry.register(value)
    queue.setSpecific(key, value)
  }
  const replaced = new DispatchQueue('test.specific.replaced')
  for (let index = 0; index < 50; index++) remember(new DispatchQueue('test.specific.lost'))
  for (let index = 0; index < 50; index++) remember(replaced)
  for (let round = 0; round < 2000 && gone < 98; round++) {
    globalThis.gc()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  // A frame that has returned may still hold the last one of each kind.
  t.true(gone >= 98, `${gone} of 99 values went`)
  t.is(await new Promise(resolve => replaced.async(() => resolve(DispatchQueue.getSpecific(key).of))), replaced.label)
})

test('promises of one item settle before the next item', async t => {
  const queue = new DispatchQueue('test.microtasks')
  const seen = []
  queue.async(() => {
    seen.push('item')
    void Promise.resolve().then(() => seen.push('promise'))
    process.nextTick(() => seen.push('tick'))
  })
  queue.async(() => seen.push('next item'))
  await on(queue)
  t.is(seen[0], 'item')
  t.is(seen[3], 'next item')
})

test('JavaScript is refused where it cannot run', t => {
  const native = new DispatchQueue('test.native', { target: DispatchQueue.global('utility') })
  t.false(native.runsJavaScript)
  t.throws(() => native.async(() => {}), { code: 'QUEUE_WRONG' })
  t.throws(() => new DispatchQueue('test.qos', { qos: 'hasty' }), { code: 'QOS_UNKNOWN' })
  t.throws(() => new DispatchQueue('test.target', { target: {} }), { code: 'QUEUE_TARGET_INVALID' })
})

test('a released queue still runs what it has and refuses more', async t => {
  const queue = new DispatchQueue('test.released')
  const ran = on(queue)
  queue.release()
  await ran
  t.throws(() => queue.async(() => {}), { code: 'QUEUE_RELEASED' })
})

test('queues that are collected while suspended or inactive do not end the process', async t => {
  for (let index = 0; index < 50; index++) {
    new DispatchQueue('test.lost.inactive', { inactive: true })
    const lost = new DispatchQueue('test.lost')
    lost.suspend()
    lost.suspend()
  }
  globalThis.gc?.()
  await on(new DispatchQueue('test.other'))
  globalThis.gc?.()
  await new Promise(resolve => setImmediate(resolve))
  t.pass()
})

test('what waits below a target that is lost while suspended runs after all', async t => {
  let ran = false
  const lose = () => {
    const parent = new DispatchQueue('test.lost.parent')
    const child = new DispatchQueue('test.lost.child', { target: parent })
    const source = DispatchSource.dataAdd(child)
    // A handler that used `source.data` would keep the source, and with it the queue.
    source.setEventHandler(() => {})
    source.activate()
    parent.suspend()
    source.mergeData(1)
    child.async(() => {
      ran = true
    })
  }
  lose()
  for (let round = 0; round < 2000 && !ran; round++) {
    globalThis.gc()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  t.true(ran)
})

test('a drain that is asked for does not wait for the event loop', t => {
  const queue = new DispatchQueue('test.drain')
  let ran = 0
  queue.async(() => {
    ran++
    drainLane()
  })
  drainLane()
  t.is(ran, 1)
})

test('a wrong argument is told to the caller, and nothing is enqueued', async t => {
  const queue = new DispatchQueue('test.arguments')
  const wrong = { instanceOf: AddonError, code: 'ARGUMENT_INVALID' }
  for (const work of [undefined, null, 7, {}, 'work']) {
    t.throws(() => queue.async(work), wrong)
    t.throws(() => queue.async(work, { barrier: true }), wrong)
    t.throws(() => queue.after(1, work), wrong)
    t.throws(() => queue.listen(work), wrong)
    await t.throwsAsync(queue.apply(1, work), wrong)
  }
  for (const delay of [Number.NaN, '5', 5n, undefined]) {
    t.throws(() => queue.after(delay, () => t.fail()), wrong)
  }
  for (const iterations of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '3', new Date()]) {
    await t.throwsAsync(
      queue.apply(iterations, () => t.fail()),
      wrong,
    )
  }
  for (const key of [undefined, 'key', Symbol('key'), {}]) t.throws(() => queue.setSpecific(key, 1), wrong)
  for (const group of [null, {}, 'group']) t.throws(() => queue.async(() => t.fail(), { group }), wrong)
  for (const target of [undefined, null, {}, 'lane']) {
    t.throws(() => queue.setTarget(target), { code: 'QUEUE_TARGET_INVALID' })
  }
  for (const port of [-1, 0.5, '1', undefined]) t.throws(() => new RemoteQueue(port), wrong)
  t.throws(() => new RemoteQueue(1, { capacity: 0 }), wrong)
  await on(queue)
})

test('after the longest delay that 64 bits hold, nothing has run yet', async t => {
  const queue = new DispatchQueue('test.after')
  let ran = false
  queue.after(Number.MAX_VALUE, () => {
    ran = true
  })
  await new Promise(resolve => queue.after(2, resolve))
  t.false(ran)
  // Its item would keep the program alive for 146 years; one of a suspended queue does not.
  queue.suspend()
})
