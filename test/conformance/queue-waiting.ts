import { DispatchGroup } from 'spimpl-runtime/internal/queues/dispatch-group.js'
import { type Cases, gate } from './stage.ts'

/** Synchronous dispatch, groups, delays. */
export const queueWaiting: Cases = {
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
  'a group notifies when all its work is done': async (t, stage) => {
    const queue = stage.queue('q', { concurrent: true })
    const group = new DispatchGroup()
    const hold = gate()
    let notified = false
    queue.async(() => hold.promise, { group })
    queue.async(() => {}, { group })
    group.notify(queue, () => {
      notified = true
    })
    await stage.settle()
    t.false(notified)
    hold.open()
    await stage.settle()
    t.true(notified)
  },
  'an empty group notifies at once': async (t, stage) => {
    const queue = stage.queue()
    let notified = false
    new DispatchGroup().notify(queue, () => {
      notified = true
    })
    t.false(notified)
    await stage.settle()
    t.true(notified)
  },
  'enter and leave are counted': (t, _stage) => {
    const group = new DispatchGroup()
    group.enter()
    group.enter()
    group.leave()
    t.is(group.size, 1)
    group.leave()
    t.throws(() => group.leave(), { code: 'GROUP_UNBALANCED' })
  },
  'a group is left by work that throws': async (t, stage) => {
    const queue = stage.queue('q', { onError: () => {} })
    const group = new DispatchGroup()
    queue.async(
      () => {
        throw new Error('x')
      },
      { group },
    )
    await stage.settle()
    t.is(group.size, 0)
  },
  'a group can be waited for, and used again': async (t, stage) => {
    const group = new DispatchGroup()
    for (let round = 0; round < 2; round++) {
      group.enter()
      const waited = group.wait()
      group.leave()
      await waited
    }
    await group.wait()
    t.is(group.size, 0)
    stage.root()
  },
  'waiting for a group ends at its deadline': async (t, stage) => {
    const group = new DispatchGroup()
    group.enter()
    const inTime = group.waitWithin(5, stage.root())
    await stage.advance(8)
    t.false(await inTime)
    const later = group.waitWithin(1_000, stage.root())
    group.leave()
    t.true(await later)
  },
  'after runs the work once the time has passed, not before': async (t, stage) => {
    const queue = stage.queue()
    const { clock } = stage.staged.executor
    const startMs = clock.now()
    let ranMs = 0
    queue.after(10, () => {
      ranMs = clock.now()
    })
    // A busy machine may need that long to look once: what counts is that it did not come before.
    await stage.advance(15)
    t.true(ranMs - startMs >= 10)
  },
  'after can be cancelled, once': async (t, stage) => {
    const queue = stage.queue()
    const cancel = queue.after(3, () => t.fail())
    t.true(cancel())
    t.false(cancel())
    await stage.advance(6)
  },
  'delays end in the order of their time, and those of one moment in the order they were set': async (t, stage) => {
    const queue = stage.queue()
    const ran: string[] = []
    // Anew where a busy machine let so much time pass in between that their order is another.
    for (let tookMs = Number.POSITIVE_INFINITY; tookMs >= 4; ) {
      const startMs = stage.now()
      const cancels = [
        queue.after(6, () => ran.push('late')),
        queue.after(2, () => ran.push('early')),
        queue.after(6, () => ran.push('late too')),
      ]
      tookMs = stage.now() - startMs
      if (tookMs >= 4) for (const cancel of cancels) cancel()
    }
    await stage.advance(12)
    t.deepEqual(ran, ['early', 'late', 'late too'])
  },
  'a delay that ends on a suspended queue waits there': async (t, stage) => {
    const queue = stage.queue()
    let ran = false
    queue.suspend()
    queue.after(1, () => {
      ran = true
    })
    await stage.advance(4)
    t.false(ran)
    queue.resume()
    await stage.settle()
    t.true(ran)
  },
}
