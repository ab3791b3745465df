import { gate, type QueueCases } from './stage.ts'

/** What libdispatch forbids or would deadlock on, and what the work of others does wrong. */
export const queueFaults: QueueCases = {
  'an item that would wait for one behind it is refused': async (t, stage) => {
    const queue = stage.queue('serial')
    const above = stage.queue('above', { target: queue, concurrent: true })
    const concurrent = stage.queue('concurrent', { concurrent: true })
    const group = new stage.library.DispatchGroup()
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
    const group = new stage.library.DispatchGroup()
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
