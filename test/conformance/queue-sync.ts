import { type Cases, gate } from './stage.ts'

/** Synchronous dispatch, which a queue of libdispatch does not have here: see queue-library.ts. */
export const queueSync: Cases = {
  'sync runs the work and returns its value': (t, stage) => {
    t.is(
      stage.queue().sync(() => 7),
      7,
    )
  },
  'sync runs behind what waits on the queue': (t, stage) => {
    const queue = stage.queue()
    const ran: number[] = []
    queue.async(() => ran.push(1))
    queue.sync(() => ran.push(2))
    t.deepEqual(ran, [1, 2])
  },
  'sync throws what the work throws': (t, stage) => {
    t.throws(
      () =>
        stage.queue().sync(() => {
          throw new RangeError('no')
        }),
      { instanceOf: RangeError },
    )
  },
  'sync on the queue one is on is an error, not a deadlock': async (t, stage) => {
    const queue = stage.queue()
    let refused = false
    queue.async(() => {
      t.throws(() => queue.sync(() => {}), { code: 'QUEUE_SYNC_ON_SELF' })
      refused = true
    })
    await stage.settle()
    t.true(refused)
  },
  'sync through another queue to the serial target one is on is an error': async (t, stage) => {
    const target = stage.queue('target')
    const a = stage.queue('a', { target })
    const b = stage.queue('b', { target })
    let refused = false
    a.async(() => {
      t.throws(() => b.sync(() => {}), { code: 'QUEUE_SYNC_ON_SELF' })
      refused = true
    })
    await stage.settle()
    t.true(refused)
  },
  'sync from one queue to another runs there': async (t, stage) => {
    const a = stage.queue('a')
    const b = stage.queue('b')
    let ran = false
    a.async(() => {
      b.sync(() => {
        b.assertCurrent()
        ran = true
      })
      a.assertCurrent()
    })
    await stage.settle()
    t.true(ran)
  },
  'sync on a suspended queue is an error': (t, stage) => {
    const queue = stage.queue()
    queue.suspend()
    t.throws(() => queue.sync(() => {}), { code: 'QUEUE_SYNC_BLOCKED' })
    queue.resume()
  },
  'sync on a queue below a suspended one is an error': (t, stage) => {
    const target = stage.queue('target')
    const queue = stage.queue('q', { target })
    target.suspend()
    t.throws(() => queue.sync(() => {}), { code: 'QUEUE_SYNC_BLOCKED' })
    target.resume()
  },
  'sync on a queue that waits for a promise is an error': async (t, stage) => {
    const queue = stage.queue()
    const hold = gate()
    queue.async(() => hold.promise)
    await stage.settle()
    t.throws(() => queue.sync(() => {}), { code: 'QUEUE_SYNC_BLOCKED' })
    hold.open()
    await stage.settle()
    t.is(
      queue.sync(() => 1),
      1,
    )
  },
  'sync as a barrier waits for nobody': async (t, stage) => {
    const queue = stage.queue('q', { concurrent: true })
    const hold = gate()
    queue.async(() => hold.promise)
    await stage.settle()
    t.throws(() => queue.sync(() => {}, { barrier: true }), { code: 'QUEUE_SYNC_BLOCKED' })
    t.is(
      queue.sync(() => 'beside'),
      'beside',
    )
    hold.open()
  },
  'a promise of sync work holds the queue': async (t, stage) => {
    const queue = stage.queue()
    const hold = gate()
    let ran = false
    void queue.sync(() => hold.promise)
    queue.async(() => {
      ran = true
    })
    await stage.settle()
    t.false(ran)
    hold.open()
    await stage.settle()
    t.true(ran)
  },
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
}
