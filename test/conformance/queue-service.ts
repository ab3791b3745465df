import { PassThrough } from 'node:stream'
import { DispatchSource, withLeeway } from 'spimpl-runtime/internal/queues/dispatch-source.js'
import { qualitiesOfService } from 'spimpl-runtime/internal/queues/quality-of-service.js'
import { type Cases, turn } from './stage.ts'

/** Classes of service, drain budgets, sources. */
export const queueService: Cases = {
  'a more urgent class runs first': async (t, stage) => {
    const ran: string[] = []
    for (const qos of [...qualitiesOfService].reverse()) {
      stage.queue(qos, { qos }).async(() => ran.push(qos))
    }
    await stage.settle()
    t.deepEqual(ran, [...qualitiesOfService])
  },
  'background is not starved by a flood of urgent work': async (t, stage) => {
    const urgent = Array.from({ length: 4 }, (_, at) => stage.queue(`u${at}`, { qos: 'user-interactive' }))
    let urgentRan = 0
    let urgentBefore = -1
    let running = true
    for (const queue of urgent) {
      const again = () => {
        urgentRan++
        if (running && urgentRan < 1_000_000) queue.async(again)
      }
      queue.async(again)
    }
    stage.queue('b', { qos: 'background' }).async(() => {
      urgentBefore = urgentRan
      running = false
    })
    await stage.settle()
    t.true(urgentBefore >= 0 && urgentBefore < 1_000_000)
  },
  'each lesser class has its turn in time': async (t, stage) => {
    const turns = new Map<string, number>()
    let total = 0
    for (const qos of qualitiesOfService) {
      const queue = stage.queue(qos, { qos })
      const again = () => {
        turns.set(qos, (turns.get(qos) ?? 0) + 1)
        if (++total < 200_000) queue.async(again)
      }
      queue.async(again)
    }
    await stage.settle()
    for (const qos of qualitiesOfService) t.true((turns.get(qos) ?? 0) > 1, qos)
    t.true(turns.get('user-interactive')! > turns.get('background')!)
  },
  'the priority of a queue below another is that of its target': async (t, stage) => {
    const target = stage.queue('target', { qos: 'background' })
    const ran: string[] = []
    stage.queue('below', { target, qos: 'user-interactive' }).async(() => ran.push('below'))
    stage.queue('other', { qos: 'utility' }).async(() => ran.push('other'))
    await stage.settle()
    t.deepEqual(ran, ['other', 'below'])
  },
  'one queue does not keep others from their turn': async (t, stage) => {
    // Without the budget of time, at which a busy machine would end a turn anywhere.
    stage.root({ itemsPerTurn: 16, microseconds: Number.POSITIVE_INFINITY })
    const hot = stage.queue('hot')
    const other = stage.queue('other')
    let ran = 0
    for (let at = 0; at < 1_000; at++) hot.async(() => ran++)
    let before = -1
    other.async(() => {
      before = ran
    })
    await stage.settle()
    t.true(before >= 0 && before < 1_000 && before % 16 === 0)
    t.is(ran, 1_000)
  },
  'a drain ends at its budget of items': async (t, stage) => {
    const root = stage.root({ items: 100, itemsPerTurn: 10, microseconds: Number.POSITIVE_INFINITY })
    const queue = stage.queue()
    let ran = 0
    for (let at = 0; at < 10_000; at++) queue.async(() => ran++)
    t.true(root.drain())
    // The clock, and with it the budget, is looked at once in 64 items at most.
    t.true(ran >= 90 && ran <= 200, `${ran}`)
    root.executor.wake()
    await stage.settle()
    t.is(ran, 10_000)
  },
  'a data-add source adds up what comes while it waits': async (t, stage) => {
    const source = DispatchSource.dataAdd(stage.queue())
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
    const source = DispatchSource.dataOr(stage.queue())
    const seen: number[] = []
    source.setEventHandler(() => seen.push(source.data))
    source.activate()
    source.mergeData(0b001)
    source.mergeData(0b100)
    await stage.settle()
    t.deepEqual(seen, [0b101])
  },
  'a data-replace source keeps the last value': async (t, stage) => {
    const source = DispatchSource.dataReplace(stage.queue())
    const seen: number[] = []
    source.setEventHandler(() => seen.push(source.data))
    source.activate()
    source.mergeData(9)
    source.mergeData(1)
    await stage.settle()
    t.deepEqual(seen, [1])
  },
  'merging zero is no event': async (t, stage) => {
    const source = DispatchSource.dataAdd(stage.queue())
    source.setEventHandler(() => t.fail())
    source.activate()
    source.mergeData(0)
    await stage.settle()
    t.pass()
  },
  'a source is inactive until it is activated, and keeps what came': async (t, stage) => {
    const source = DispatchSource.dataAdd(stage.queue())
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
    const source = DispatchSource.dataAdd(stage.queue())
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
    const source = DispatchSource.dataAdd(stage.queue())
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
    const source = DispatchSource.timer(stage.queue(), { afterMs: 2 })
    let fired = 0
    source.setEventHandler(() => fired++)
    source.activate()
    await stage.advance(12)
    t.is(fired, 1)
  },
  'a timer source repeats until it is cancelled': async (t, stage) => {
    const source = DispatchSource.timer(stage.queue(), { afterMs: 2, repeatingMs: 2 })
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
  'a readable source says how many bytes wait': async (t, stage) => {
    const stream = new PassThrough()
    const source = DispatchSource.readable(stage.queue(), stream)
    let seen = 0
    source.setEventHandler(() => {
      seen += source.data
      stream.read()
    })
    source.activate()
    stream.write(Buffer.alloc(10))
    await turn()
    await stage.settle()
    t.is(seen, 10)
    source.cancel()
  },
  'a writable source fires when there is room': async (t, stage) => {
    const stream = new PassThrough({ highWaterMark: 16 })
    const source = DispatchSource.writable(stage.queue(), stream)
    const room: number[] = []
    source.setEventHandler(() => room.push(source.data))
    source.activate()
    await stage.settle()
    t.deepEqual(room, [16])
    source.cancel()
  },
  'leeway moves timers to shared moments, never early and never later than it allows': t => {
    for (const leewayMs of [0, 0.5, 1, 7, 10, 100]) {
      for (let dueMs = 1_000; dueMs < 1_100; dueMs += 3) {
        const movedMs = withLeeway(dueMs, leewayMs)
        t.true(movedMs >= dueMs && movedMs <= dueMs + leewayMs)
      }
    }
    t.is(withLeeway(1_001, 64), withLeeway(1_020, 64))
  },
}
