import { DispatchGroup } from 'spimpl-runtime/internal/queues/dispatch-group.js'
import { type Cases, gate } from './stage.ts'

/** What libdispatch forbids or would deadlock on, and what the work of others does wrong. */
export const queueFaults: Cases = {
  'sync back to a queue that waits in sync is an error': async (t, stage) => {
    const a = stage.queue('a')
    const b = stage.queue('b')
    const ran: string[] = []
    a.async(() => {
      ran.push('begin')
      b.sync(() => {
        a.async(() => ran.push('next'))
        t.throws(() => a.sync(() => {}), { code: 'QUEUE_SYNC_ON_SELF' })
      })
      ran.push('end')
    })
    await stage.settle()
    t.deepEqual(ran, ['begin', 'end', 'next'])
  },
  'assertCurrent also looks at who waits in sync, as dispatch_assert_queue does': async (t, stage) => {
    const target = stage.queue('target')
    const a = stage.queue('a', { target })
    const b = stage.queue('b')
    let ran = false
    a.async(() => {
      b.sync(() => {
        a.assertCurrent()
        target.assertCurrent()
        b.assertCurrent()
        t.throws(() => a.assertNotCurrent(), { code: 'QUEUE_WRONG' })
        ran = true
      })
      t.throws(() => b.assertCurrent(), { code: 'QUEUE_WRONG' })
    })
    await stage.settle()
    t.true(ran)
    t.throws(() => a.assertCurrent(), { code: 'QUEUE_WRONG' })
  },
  'sync below a suspended target runs nothing of what waits': async (t, stage) => {
    const target = stage.queue('target')
    const queue = stage.queue('q', { target })
    let ran = false
    target.suspend()
    queue.async(() => {
      ran = true
    })
    t.throws(() => queue.sync(() => {}), { code: 'QUEUE_SYNC_BLOCKED' })
    t.false(ran)
    target.resume()
    await stage.settle()
    t.true(ran)
  },
  'sync below a target that waits for a promise runs nothing of what waits': async (t, stage) => {
    const target = stage.queue('target')
    const queue = stage.queue('q', { target })
    const held = gate()
    let ran = false
    target.async(() => held.promise)
    await stage.settle()
    queue.async(() => {
      ran = true
    })
    t.throws(() => queue.sync(() => {}), { code: 'QUEUE_SYNC_BLOCKED' })
    t.false(ran)
    held.open()
    await stage.settle()
    t.true(ran)
  },
  'sync comes before what the items that waited enqueue': (t, stage) => {
    const queue = stage.queue()
    const ran: number[] = []
    queue.async(() => {
      ran.push(1)
      queue.async(() => ran.push(3))
    })
    queue.sync(() => ran.push(2))
    t.deepEqual(ran, [1, 2])
    queue.sync(() => {})
    t.deepEqual(ran, [1, 2, 3])
  },
  'an item that suspends its queue blocks the sync behind it': async (t, stage) => {
    const queue = stage.queue()
    queue.async(() => queue.suspend())
    t.throws(() => queue.sync(() => {}), { code: 'QUEUE_SYNC_BLOCKED' })
    queue.resume()
    t.is(
      queue.sync(() => 1),
      1,
    )
  },
  'an item that would wait for one behind it is refused': async (t, stage) => {
    const queue = stage.queue('serial')
    const above = stage.queue('above', { target: queue, concurrent: true })
    const concurrent = stage.queue('concurrent', { concurrent: true })
    const group = new DispatchGroup()
    const done: unknown[] = []
    const code = (promise: Promise<unknown>) =>
      promise.then(
        value => done.push(value),
        error => done.push(error.code),
      )
    queue.async(() => code(queue.asyncAndWait(() => {}, { group })))
    queue.async(() => code(above.asyncAndWait(() => {})))
    concurrent.async(() => code(concurrent.asyncAndWait(() => {}, { barrier: true })))
    concurrent.async(() => code(concurrent.asyncAndWait(() => 'overlaps')))
    await stage.settle()
    t.deepEqual(done.map(String).sort(), ['QUEUE_SYNC_ON_SELF', 'QUEUE_SYNC_ON_SELF', 'QUEUE_SYNC_ON_SELF', 'overlaps'])
    t.is(group.size, 0)
  },
  'sync from a barrier to a queue below its own is an error': async (t, stage) => {
    const queue = stage.queue('c', { concurrent: true })
    const below = stage.queue('below', { target: queue })
    let refused = 0
    const tries = () => {
      t.throws(() => below.sync(() => {}), { code: 'QUEUE_SYNC_ON_SELF' })
      refused++
    }
    queue.async(tries, { barrier: true })
    await stage.settle()
    queue.sync(tries, { barrier: true })
    t.is(refused, 2)
    queue.async(() => below.sync(() => refused++))
    await stage.settle()
    t.is(refused, 3)
  },
  'apply settles when all are done, also if one fails': async (t, stage) => {
    const queue = stage.queue('c', { concurrent: true })
    const held = gate()
    let done = 0
    let settled = false
    const applied = queue.apply(3, async iteration => {
      if (iteration === 0) throw new RangeError('first')
      await held.promise
      done++
    })
    const failed = t.throwsAsync(applied, { instanceOf: RangeError }).then(() => {
      settled = true
    })
    await stage.settle()
    t.false(settled)
    held.open()
    await stage.settle()
    await failed
    t.is(done, 2)
  },
  'apply on a concurrent queue is refused on the serial target one is on': async (t, stage) => {
    const target = stage.queue('serial')
    const queue = stage.queue('c', { target, concurrent: true })
    let refused: Promise<unknown> | undefined
    target.async(() => {
      refused = t.throwsAsync(
        queue.apply(2, () => {}),
        { code: 'QUEUE_SYNC_ON_SELF' },
      )
    })
    await stage.settle()
    await refused
  },
  'apply on the concurrent queue one is on overlaps with the item that waits for it': async (t, stage) => {
    const queue = stage.queue('c', { concurrent: true })
    const done: string[] = []
    queue.async(async () => {
      await queue.apply(2, iteration => done.push(`${iteration}`))
      done.push('all')
    })
    await stage.settle()
    t.deepEqual(done, ['0', '1', 'all'])
  },
  'work that leaves its group once too often is an error of the work': async (t, stage) => {
    const errors: unknown[] = []
    const queue = stage.queue('q', { onError: error => errors.push(error) })
    const group = new DispatchGroup()
    queue.async(() => group.leave(), { group })
    let after = false
    queue.async(() => {
      after = true
    })
    await stage.settle()
    t.is((errors[0] as { code?: string }).code, 'GROUP_UNBALANCED')
    t.true(after)
  },
  'a thenable that throws is an error of the work, and holds nothing': async (t, stage) => {
    const errors: unknown[] = []
    const queue = stage.queue('q', { onError: error => errors.push(error) })
    const refusal = () => {
      throw new RangeError('then')
    }
    queue.async(() => Object.fromEntries([['then', refusal]]))
    let after = false
    queue.async(() => {
      after = true
    })
    await stage.settle()
    t.true(errors[0] instanceof RangeError)
    t.true(after)
  },
}
