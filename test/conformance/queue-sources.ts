import { PassThrough } from 'node:stream'
import { DispatchSource } from 'spimpl-runtime/internal/queues/dispatch-source.js'
import { type Cases, gate, turn } from './stage.ts'

/** What libdispatch promises of sources beside the delivery of their events. */
export const queueSources: Cases = {
  'a handler never overlaps itself, also on a concurrent queue': async (t, stage) => {
    const source = DispatchSource.dataAdd(stage.queue('c', { concurrent: true }))
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
    const source = DispatchSource.dataAdd(stage.queue('c', { concurrent: true }))
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
    const source = DispatchSource.dataAdd(stage.queue())
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
    const source = DispatchSource.dataAdd(stage.queue())
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
    const replace = DispatchSource.dataReplace(stage.queue('a'))
    const add = DispatchSource.dataAdd(stage.queue('b'))
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
    const source = DispatchSource.dataAdd(stage.queue('q', { onError: error => errors.push(error) }))
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
    const source = DispatchSource.dataAdd(queue)
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
  'a readable source fires again for what its handler left, and at the end': async (t, stage) => {
    const stream = new PassThrough()
    const source = DispatchSource.readable(stage.queue(), stream)
    const came: number[] = []
    source.setEventHandler(() => {
      came.push(source.data)
      stream.read(Math.min(10, source.data) || undefined)
    })
    source.activate()
    const ended = new Promise<void>(resolve => stream.on('end', resolve))
    stream.write(new Uint8Array(25))
    while (came.length < 3) {
      await turn()
      await stage.settle()
    }
    stream.end()
    while (came.length < 4) {
      await turn()
      await stage.settle()
    }
    await ended
    t.deepEqual(came, [25, 15, 5, 0])
    source.cancel()
  },
  'a repeating timer takes at most half its interval as leeway': async (t, stage) => {
    const source = DispatchSource.timer(stage.queue(), { afterMs: 8, repeatingMs: 8, leewayMs: 1_000 })
    let due = 0
    source.setEventHandler(() => {
      due += source.data
    })
    source.activate()
    await stage.advance(40)
    source.cancel()
    t.true(due >= 3, `${due}`)
  },
  'a delay without end never comes, and holds no timer': async (t, stage) => {
    const queue = stage.queue()
    const cancel = queue.after(Number.POSITIVE_INFINITY, () => t.fail())
    t.is(stage.root().timers.size, 0)
    t.false(cancel())
    t.throws(() => queue.after(Number.NaN, () => {}), { code: 'CONFIG_INVALID' })
    await stage.settle()
  },
}
