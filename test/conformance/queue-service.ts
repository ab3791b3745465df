import { PassThrough } from 'node:stream'
import { DispatchSource, withLeeway } from 'spimpl-runtime/internal/queues/dispatch-source.js'
import { qualitiesOfService } from 'spimpl-runtime/internal/queues/quality-of-service.js'
import { type Cases, turn } from './stage.ts'

/** Classes of service, drain budgets, sources of streams: what is the runtime's own. */
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
  'a delay without end never comes, and holds no timer': async (t, stage) => {
    const queue = stage.queue()
    const cancel = queue.after(Number.POSITIVE_INFINITY, () => t.fail())
    t.is(stage.root().timers.size, 0)
    t.false(cancel())
    t.throws(() => queue.after(Number.NaN, () => {}), { code: 'CONFIG_INVALID' })
    await stage.settle()
  },
}
