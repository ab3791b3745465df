import { gate, type QueueCases, turn } from './stage.ts'

/** Targets, suspension, and what a queue knows of itself. */
export const queueTree: QueueCases = {
  'two queues on one serial target never run at the same time': async (t, stage) => {
    const target = stage.queue('target')
    const a = stage.queue('a', { target })
    const b = stage.queue('b', { target })
    let inside = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++inside)
      await turn()
      inside--
    }
    for (let at = 0; at < 5; at++) {
      a.async(work)
      b.async(work)
    }
    for (let at = 0; at < 40; at++) await stage.settle()
    t.is(most, 1)
    t.is(a.size + b.size + target.size, 0)
  },
  'exclusion comes from the target of a target': async (t, stage) => {
    const top = stage.queue('top')
    const middle = stage.queue('middle', { target: top, concurrent: true })
    const a = stage.queue('a', { target: middle })
    const b = stage.queue('b', { target: middle })
    const hold = gate()
    let ran = false
    a.async(() => hold.promise)
    b.async(() => {
      ran = true
    })
    await stage.settle()
    t.false(ran)
    hold.open()
    await stage.settle()
    t.true(ran)
  },
  'queues on one concurrent target overlap': async (t, stage) => {
    const target = stage.queue('target', { concurrent: true })
    const hold = gate()
    let ran = false
    stage.queue('a', { target }).async(() => hold.promise)
    stage.queue('b', { target }).async(() => {
      ran = true
    })
    await stage.settle()
    t.true(ran)
    hold.open()
  },
  'a barrier on a target waits for the queues below it': async (t, stage) => {
    const target = stage.queue('target', { concurrent: true })
    const hold = gate()
    let barrier = false
    stage.queue('a', { target }).async(() => hold.promise)
    await stage.settle()
    target.async(
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
  'each queue keeps its own order on a shared target': async (t, stage) => {
    const target = stage.queue('target')
    const ran: string[] = []
    const a = stage.queue('a', { target })
    const b = stage.queue('b', { target })
    for (let at = 0; at < 20; at++) {
      a.async(() => ran.push(`a${at}`))
      b.async(() => ran.push(`b${at}`))
    }
    await stage.settle()
    for (const name of ['a', 'b']) {
      t.deepEqual(
        ran.filter(item => item.startsWith(name)),
        Array.from({ length: 20 }, (_, at) => `${name}${at}`),
      )
    }
  },
  'suspending a target stops its subtree': async (t, stage) => {
    const target = stage.queue('target')
    const below = stage.queue('below', { target })
    let ran = false
    target.suspend()
    below.async(() => {
      ran = true
    })
    await stage.settle()
    t.false(ran)
    target.resume()
    await stage.settle()
    t.true(ran)
  },
  'a suspended queue keeps its work in order': async (t, stage) => {
    const queue = stage.queue()
    const ran: number[] = []
    queue.suspend()
    for (let at = 0; at < 5; at++) queue.async(() => ran.push(at))
    await stage.settle()
    t.deepEqual(ran, [])
    queue.resume()
    await stage.settle()
    t.deepEqual(ran, [0, 1, 2, 3, 4])
  },
  'suspension is counted': async (t, stage) => {
    const queue = stage.queue()
    let ran = false
    queue.suspend()
    queue.suspend()
    queue.async(() => {
      ran = true
    })
    queue.resume()
    await stage.settle()
    t.false(ran)
    t.true(queue.suspended)
    queue.resume()
    await stage.settle()
    t.true(ran)
  },
  'resuming more often than suspending is an error': (t, stage) => {
    t.throws(() => stage.queue().resume(), { code: 'QUEUE_OVER_RESUMED' })
  },
  'an item that suspends its queue is the last one': async (t, stage) => {
    const queue = stage.queue()
    const ran: number[] = []
    queue.async(() => {
      ran.push(1)
      queue.suspend()
    })
    queue.async(() => ran.push(2))
    await stage.settle()
    t.deepEqual(ran, [1])
    queue.resume()
    await stage.settle()
    t.deepEqual(ran, [1, 2])
  },
  'suspending stops nothing that is in flight': async (t, stage) => {
    const queue = stage.queue()
    const hold = gate()
    let ended = false
    queue.async(async () => {
      await hold.promise
      ended = true
    })
    await stage.settle()
    queue.suspend()
    hold.open()
    await stage.settle()
    t.true(ended)
    queue.resume()
  },
  'an inactive queue runs nothing until it is activated': async (t, stage) => {
    const queue = stage.queue('q', { inactive: true })
    let ran = false
    queue.async(() => {
      ran = true
    })
    await stage.settle()
    t.false(ran)
    queue.activate()
    await stage.settle()
    t.true(ran)
  },
  'activating twice does nothing': async (t, stage) => {
    const queue = stage.queue('q', { inactive: true })
    queue.activate()
    queue.activate()
    t.false(queue.suspended)
  },
  'an activated queue that is suspended waits': async (t, stage) => {
    const queue = stage.queue('q', { inactive: true })
    let ran = false
    queue.suspend()
    queue.async(() => {
      ran = true
    })
    queue.activate()
    await stage.settle()
    t.false(ran)
    queue.resume()
    await stage.settle()
    t.true(ran)
  },
  'an inactive queue may be given another target': async (t, stage) => {
    const target = stage.queue('target')
    const queue = stage.queue('q', { inactive: true })
    queue.setTarget(target)
    queue.activate()
    let current = false
    queue.async(() => {
      target.assertCurrent()
      current = true
    })
    await stage.settle()
    t.true(current)
  },
  'an active queue keeps its target': (t, stage) => {
    const queue = stage.queue()
    t.throws(() => queue.setTarget(stage.root()), { code: 'QUEUE_TARGET_INVALID' })
  },
  'a tree cannot become a circle': (t, stage) => {
    const a = stage.queue('a', { inactive: true })
    const b = stage.queue('b', { target: a })
    t.throws(() => a.setTarget(b), { code: 'QUEUE_TARGET_INVALID' })
    t.throws(() => a.setTarget(a), { code: 'QUEUE_TARGET_INVALID' })
  },
  'assertCurrent holds on the queue and on its targets': async (t, stage) => {
    const target = stage.queue('target')
    const queue = stage.queue('q', { target })
    let held = false
    queue.async(() => {
      queue.assertCurrent()
      target.assertCurrent()
      held = true
    })
    await stage.settle()
    t.true(held)
  },
  'assertCurrent fails elsewhere and names both queues': async (t, stage) => {
    const a = stage.queue('a')
    const b = stage.queue('b')
    t.throws(() => a.assertCurrent(), { code: 'QUEUE_WRONG', message: /on a, runs on no queue/ })
    let error: Error | undefined
    b.async(() => {
      error = t.throws(() => a.assertCurrent(), { code: 'QUEUE_WRONG' })
    })
    await stage.settle()
    t.regex(error?.message ?? '', /expected to run on a, runs on b/)
  },
  'assertCurrent fails on the queue below': async (t, stage) => {
    const target = stage.queue('target')
    const below = stage.queue('below', { target })
    let checked = false
    target.async(() => {
      t.throws(() => below.assertCurrent(), { code: 'QUEUE_WRONG' })
      checked = true
    })
    await stage.settle()
    t.true(checked)
  },
  'assertNotCurrent is its contrary': async (t, stage) => {
    const queue = stage.queue()
    queue.assertNotCurrent()
    let checked = false
    queue.async(() => {
      t.throws(() => queue.assertNotCurrent(), { code: 'QUEUE_WRONG' })
      checked = true
    })
    await stage.settle()
    t.true(checked)
  },
  'queue-specific data is found along the targets, the nearest first': async (t, stage) => {
    const key = new stage.library.QueueKey<string>('name')
    const target = stage.queue('target')
    const queue = stage.queue('q', { target })
    target.setSpecific(key, 'target')
    const seen: (string | undefined)[] = []
    const look = () => seen.push(stage.library.DispatchQueue.getSpecific(key))
    queue.async(look)
    await stage.settle()
    queue.setSpecific(key, 'queue')
    queue.async(look)
    await stage.settle()
    t.deepEqual(seen, ['target', 'queue'])
    t.is(queue.getSpecific(key), 'queue')
  },
  'queue-specific data is not found elsewhere, and can be taken away': async (t, stage) => {
    const key = new stage.library.QueueKey<number>('n')
    const queue = stage.queue()
    queue.setSpecific(key, 1)
    t.is(stage.library.DispatchQueue.getSpecific(key), undefined)
    queue.setSpecific(key, undefined)
    t.is(queue.getSpecific(key), undefined)
  },
  'two keys of one name are two keys': (t, stage) => {
    const queue = stage.queue()
    const a = new stage.library.QueueKey<number>('same')
    const b = new stage.library.QueueKey<number>('same')
    queue.setSpecific(a, 1)
    t.is(queue.getSpecific(b), undefined)
  },
}
