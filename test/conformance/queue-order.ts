import { gate, type QueueCases, turn } from './stage.ts'

/** Order and exclusion on serial and concurrent queues. */
export const queueOrder: QueueCases = {
  'a serial queue runs items in the order they came': async (t, stage) => {
    const queue = stage.queue()
    const ran: number[] = []
    for (let item = 0; item < 100; item++) queue.async(() => ran.push(item))
    await stage.settle()
    t.deepEqual(ran, [...Array(100).keys()])
  },
  'async never runs the work before it returns': async (t, stage) => {
    const queue = stage.queue()
    let ran = false
    queue.async(() => {
      ran = true
    })
    t.false(ran)
    await stage.settle()
    t.true(ran)
  },
  'work that enqueues work does not run it inside itself': async (t, stage) => {
    const queue = stage.queue()
    const ran: string[] = []
    queue.async(() => {
      queue.async(() => ran.push('inner'))
      ran.push('outer')
    })
    await stage.settle()
    t.deepEqual(ran, ['outer', 'inner'])
  },
  'a serial queue waits for the promise of an item': async (t, stage) => {
    const queue = stage.queue()
    const first = gate()
    const ran: string[] = []
    queue.async(async () => {
      ran.push('begin')
      await first.promise
      ran.push('end')
    })
    queue.async(() => ran.push('next'))
    await stage.settle()
    t.deepEqual(ran, ['begin'])
    first.open()
    await stage.settle()
    t.deepEqual(ran, ['begin', 'end', 'next'])
  },
  'a serial queue goes on after a promise that rejects': async (t, stage) => {
    const errors: unknown[] = []
    const queue = stage.queue('q', { onError: error => errors.push(error) })
    const ran: string[] = []
    queue.async(async () => {
      throw new Error('late')
    })
    queue.async(() => ran.push('next'))
    await stage.settle()
    t.deepEqual(ran, ['next'])
    t.is((errors[0] as Error).message, 'late')
  },
  'a serial queue goes on after an item that throws': async (t, stage) => {
    const errors: unknown[] = []
    const queue = stage.queue('q', { onError: error => errors.push(error) })
    let ran = false
    queue.async(() => {
      throw new Error('now')
    })
    queue.async(() => {
      ran = true
    })
    await stage.settle()
    t.true(ran)
    t.is(errors.length, 1)
  },
  'two serial queues overlap while one waits': async (t, stage) => {
    const hold = gate()
    const a = stage.queue('a')
    const b = stage.queue('b')
    let ran = false
    a.async(() => hold.promise)
    b.async(() => {
      ran = true
    })
    await stage.settle()
    t.true(ran)
    hold.open()
  },
  'asyncAndWait settles with the value': async (t, stage) => {
    const value = stage.queue().asyncAndWait(() => 42)
    await stage.settle()
    t.is(await value, 42)
  },
  'asyncAndWait settles with what the promise settles with': async (t, stage) => {
    const value = stage.queue().asyncAndWait(async () => 'late')
    await stage.settle()
    t.is(await value, 'late')
  },
  'asyncAndWait rejects with what the work throws': async (t, stage) => {
    const value = t.throwsAsync(
      stage.queue().asyncAndWait(() => {
        throw new RangeError('no')
      }),
      { instanceOf: RangeError },
    )
    await stage.settle()
    await value
  },
  'a concurrent queue overlaps items that wait': async (t, stage) => {
    const queue = stage.queue('q', { concurrent: true })
    const gates = [gate(), gate(), gate()]
    let begun = 0
    for (const { promise } of gates) {
      queue.async(() => {
        begun++
        return promise
      })
    }
    await stage.settle()
    t.is(begun, 3)
    for (const { open } of gates) open()
  },
  'a concurrent queue begins items in order': async (t, stage) => {
    const queue = stage.queue('q', { concurrent: true })
    const begun: number[] = []
    for (let item = 0; item < 10; item++) queue.async(async () => begun.push(item))
    await stage.settle()
    t.deepEqual(begun, [...Array(10).keys()])
  },
  'a barrier waits for all that came before': async (t, stage) => {
    const queue = stage.queue('q', { concurrent: true })
    const hold = gate()
    let barrier = false
    queue.async(() => hold.promise)
    queue.async(
      () => {
        barrier = true
      },
      { barrier: true },
    )
    await stage.settle()
    t.false(barrier)
    hold.open()
    await stage.settle()
    t.true(barrier)
  },
  'nothing that came after a barrier begins before it ends': async (t, stage) => {
    const queue = stage.queue('q', { concurrent: true })
    const hold = gate()
    let after = false
    queue.async(() => hold.promise, { barrier: true })
    queue.async(() => {
      after = true
    })
    await stage.settle()
    t.false(after)
    hold.open()
    await stage.settle()
    t.true(after)
  },
  'two barriers run one after the other': async (t, stage) => {
    const queue = stage.queue('q', { concurrent: true })
    let inside = 0
    let most = 0
    const barrier = async () => {
      most = Math.max(most, ++inside)
      await turn()
      inside--
    }
    for (let at = 0; at < 4; at++) queue.async(barrier, { barrier: true })
    for (let at = 0; at < 20; at++) await stage.settle()
    t.is(most, 1)
    t.is(inside, 0)
    t.is(queue.size, 0)
  },
  'a barrier on a serial queue is an item like any other': async (t, stage) => {
    const queue = stage.queue()
    const ran: number[] = []
    queue.async(() => ran.push(1))
    queue.async(() => ran.push(2), { barrier: true })
    queue.async(() => ran.push(3))
    await stage.settle()
    t.deepEqual(ran, [1, 2, 3])
  },
  'apply runs every iteration once': async (t, stage) => {
    const seen: number[] = []
    const done = stage.queue('q', { concurrent: true }).apply(50, iteration => seen.push(iteration))
    await stage.settle()
    await done
    t.deepEqual(
      seen.sort((a, b) => a - b),
      [...Array(50).keys()],
    )
  },
  'apply settles behind the last promise': async (t, stage) => {
    const gates = [gate(), gate()]
    let done = false
    void stage
      .queue('q', { concurrent: true })
      .apply(2, iteration => gates[iteration]!.promise)
      .then(() => {
        done = true
      })
    await stage.settle()
    gates[0]!.open()
    await stage.settle()
    t.false(done)
    gates[1]!.open()
    await stage.settle()
    t.true(done)
  },
  'apply of nothing settles at once': async (t, stage) => {
    await stage.queue().apply(0, () => t.fail())
    t.pass()
  },
  'apply on the serial queue one is on is refused': async (t, stage) => {
    const queue = stage.queue()
    let refused: Promise<unknown> | undefined
    queue.async(() => {
      refused = t.throwsAsync(
        queue.apply(2, () => {}),
        { code: 'QUEUE_SYNC_ON_SELF' },
      )
    })
    await stage.settle()
    await refused
  },
  'size counts what waits': async (t, stage) => {
    const queue = stage.queue()
    queue.async(() => {})
    queue.async(() => {})
    t.is(queue.size, 2)
    await stage.settle()
    t.is(queue.size, 0)
  },
  'a queue without a target stands on the main root': (t, stage) => {
    const { DispatchQueue } = stage.library
    const queue = new DispatchQueue('plain')
    t.is(queue.target, DispatchQueue.main)
    t.is(queue.label, 'plain')
  },
  'an item that enqueues the next a hundred thousand times does not grow the stack': async (t, stage) => {
    const queue = stage.queue()
    let left = 100_000
    const again = () => {
      if (--left > 0) queue.async(again)
    }
    queue.async(again)
    await stage.settle()
    t.is(left, 0)
  },
}
