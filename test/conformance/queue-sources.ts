import { gate, type QueueCases } from './stage.ts'

/** What libdispatch promises of sources. */
export const queueSources: QueueCases = {
  'a data-add source adds up what comes while it waits': async (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue())
    const seen: number[] = []
    source.setEventHandler(() => seen.push(source.data))
    source.activate()
    source.mergeData(2)
    source.mergeData(3)
    await stage.settle()
    source.mergeData(4)
    await stage.settle()
    t.deepEqual(seen, [5, 4])
  },
  'a data-or source combines bits': async (t, stage) => {
    const source = stage.library.DispatchSource.dataOr(stage.queue())
    const seen: number[] = []
    source.setEventHandler(() => seen.push(source.data))
    source.activate()
    source.mergeData(0b001)
    source.mergeData(0b100)
    await stage.settle()
    t.deepEqual(seen, [0b101])
  },
  'a data-replace source keeps the last value': async (t, stage) => {
    const source = stage.library.DispatchSource.dataReplace(stage.queue())
    const seen: number[] = []
    source.setEventHandler(() => seen.push(source.data))
    source.activate()
    source.mergeData(9)
    source.mergeData(1)
    await stage.settle()
    t.deepEqual(seen, [1])
  },
  'merging zero is no event': async (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue())
    source.setEventHandler(() => t.fail())
    source.activate()
    source.mergeData(0)
    await stage.settle()
    t.pass()
  },
  'a source is inactive until it is activated, and keeps what came': async (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue())
    const seen: number[] = []
    source.setEventHandler(() => seen.push(source.data))
    source.mergeData(1)
    source.mergeData(1)
    await stage.settle()
    t.deepEqual(seen, [])
    source.activate()
    await stage.settle()
    t.deepEqual(seen, [2])
  },
  'a suspended source merges and waits': async (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue())
    const seen: number[] = []
    source.setEventHandler(() => seen.push(source.data))
    source.activate()
    source.suspend()
    source.mergeData(1)
    source.mergeData(1)
    await stage.settle()
    t.deepEqual(seen, [])
    source.resume()
    await stage.settle()
    t.deepEqual(seen, [2])
    t.throws(() => source.resume(), { code: 'QUEUE_OVER_RESUMED' })
  },
  'a cancelled source delivers nothing more, and its cancel handler runs once': async (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue())
    let cancelled = 0
    source.setEventHandler(() => t.fail())
    source.setCancelHandler(() => cancelled++)
    source.activate()
    source.mergeData(1)
    source.cancel()
    source.cancel()
    source.mergeData(1)
    await stage.settle()
    t.is(cancelled, 1)
    t.true(source.isCancelled)
  },
  'a timer source fires once without a repeat': async (t, stage) => {
    const source = stage.library.DispatchSource.timer(stage.queue(), { afterMs: 2 })
    let fired = 0
    source.setEventHandler(() => fired++)
    source.activate()
    await stage.advance(12)
    t.is(fired, 1)
  },
  'a timer source repeats until it is cancelled': async (t, stage) => {
    const source = stage.library.DispatchSource.timer(stage.queue(), { afterMs: 2, repeatingMs: 2 })
    let due = 0
    source.setEventHandler(() => {
      due += source.data
    })
    source.activate()
    await stage.advance(15)
    source.cancel()
    t.true(due >= 4, `${due}`)
    const before = due
    await stage.advance(6)
    t.is(due, before)
  },
  'a handler never overlaps itself, also on a concurrent queue': async (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue('c', { concurrent: true }))
    const held = gate()
    const came: number[] = []
    source.setEventHandler(async () => {
      came.push(source.data)
      await held.promise
    })
    source.activate()
    source.mergeData(1)
    await stage.settle()
    source.mergeData(2)
    source.mergeData(3)
    await stage.settle()
    t.deepEqual(came, [1])
    held.open()
    await stage.settle()
    t.deepEqual(came, [1, 5])
  },
  'the cancel handler waits for the event handler that awaits': async (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue('c', { concurrent: true }))
    const held = gate()
    const log: string[] = []
    source.setEventHandler(async () => {
      await held.promise
      log.push('event')
    })
    source.setCancelHandler(() => log.push('cancel'))
    source.activate()
    source.mergeData(1)
    await stage.settle()
    source.cancel()
    await stage.settle()
    t.deepEqual(log, [])
    held.open()
    await stage.settle()
    t.deepEqual(log, ['event', 'cancel'])
  },
  'the cancel handler of a suspended source waits until it goes on': async (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue())
    let cancelled = 0
    source.setCancelHandler(() => cancelled++)
    source.activate()
    source.suspend()
    source.cancel()
    await stage.settle()
    t.is(cancelled, 0)
    source.resume()
    await stage.settle()
    t.is(cancelled, 1)
  },
  'resume activates a source that is inactive and not suspended': async (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue())
    let sum = 0
    source.setEventHandler(() => {
      sum += source.data
    })
    source.suspend()
    source.resume()
    source.mergeData(2)
    await stage.settle()
    t.is(sum, 0)
    source.resume()
    await stage.settle()
    t.is(sum, 2)
    t.throws(() => source.resume(), { code: 'QUEUE_OVER_RESUMED' })
  },
  'a zero takes the place of what waits to be replaced, and what adds up to zero is no event': async (t, stage) => {
    const replace = stage.library.DispatchSource.dataReplace(stage.queue('a'))
    const add = stage.library.DispatchSource.dataAdd(stage.queue('b'))
    let events = 0
    for (const source of [replace, add]) {
      source.setEventHandler(() => events++)
      source.activate()
    }
    replace.mergeData(5)
    replace.mergeData(0)
    add.mergeData(5)
    add.mergeData(-5)
    await stage.settle()
    t.is(events, 0)
    replace.mergeData(7)
    await stage.settle()
    t.is(events, 1)
    t.is(replace.data, 7)
  },
  'an error of an event handler goes where those of its queue go': async (t, stage) => {
    const errors: unknown[] = []
    const source = stage.library.DispatchSource.dataAdd(stage.queue('q', { onError: error => errors.push(error) }))
    source.setEventHandler(() => {
      throw new RangeError('event')
    })
    source.activate()
    source.mergeData(1)
    await stage.settle()
    t.true(errors[0] instanceof RangeError)
  },
  'an event handler runs on the queue of its source': async (t, stage) => {
    const queue = stage.queue()
    const source = stage.library.DispatchSource.dataAdd(queue)
    let ran = false
    source.setEventHandler(() => {
      queue.assertCurrent()
      ran = true
    })
    source.activate()
    queue.suspend()
    source.mergeData(1)
    await stage.settle()
    t.false(ran)
    queue.resume()
    await stage.settle()
    t.true(ran)
  },
  'a repeating timer takes at most half its interval as leeway': async (t, stage) => {
    const source = stage.library.DispatchSource.timer(stage.queue(), { afterMs: 8, repeatingMs: 8, leewayMs: 1_000 })
    let due = 0
    source.setEventHandler(() => {
      due += source.data
    })
    source.activate()
    await stage.advance(40)
    source.cancel()
    t.true(due >= 3, `${due}`)
  },
}
