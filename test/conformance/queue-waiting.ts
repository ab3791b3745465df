import { gate, type QueueCases } from './stage.ts'

/** Groups and delays. */
export const queueWaiting: QueueCases = {
  'a group notifies when all its work is done': async (t, stage) => {
    const queue = stage.queue('q', { concurrent: true })
    const group = new stage.library.DispatchGroup()
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
    new stage.library.DispatchGroup().notify(queue, () => {
      notified = true
    })
    t.false(notified)
    await stage.settle()
    t.true(notified)
  },
  'enter and leave are counted': (t, stage) => {
    const group = new stage.library.DispatchGroup()
    group.enter()
    group.enter()
    group.leave()
    t.is(group.size, 1)
    group.leave()
    t.throws(() => group.leave(), { code: 'GROUP_UNBALANCED' })
  },
  'a group is left by work that throws': async (t, stage) => {
    const queue = stage.queue('q', { onError: () => {} })
    const group = new stage.library.DispatchGroup()
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
    const group = new stage.library.DispatchGroup()
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
    const group = new stage.library.DispatchGroup()
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
    const startMs = stage.now()
    let ranMs = 0
    queue.after(10, () => {
      ranMs = stage.now()
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
