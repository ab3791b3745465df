import { behavior } from 'spimpl-runtime/internal/actors/actor.js'
import { type Cases, turn } from './stage.ts'

/** What an executor on a real event loop must show besides: a flood starves nobody. */
export const polling: Cases = {
  'the event loop polls while a flood of items runs': async (t, stage) => {
    const queue = stage.queue()
    let ran = 0
    const again = () => {
      if (++ran < 300_000) queue.async(again)
    }
    queue.async(again)
    let polled = -1
    const immediate = turn().then(() => {
      polled = ran
    })
    await stage.settle()
    await immediate
    t.is(ran, 300_000)
    t.true(polled < 300_000)
  },
  'a flood of messages keeps setImmediate below 10 ms': async (t, stage) => {
    type Flood = { readonly type: 'more' }
    let left = 400_000
    const flood = behavior<Flood>(context => ({
      more: () => {
        if (--left > 0) context.self.tell({ type: 'more' })
      },
    }))
    const system = stage.system()
    for (let at = 0; at < 20; at++) system.spawn(flood).tell({ type: 'more' })
    const latencies: number[] = []
    while (left > 0) {
      // The time of the processor that has passed meanwhile: a busy machine gives it to others for any time of the clock.
      const before = process.cpuUsage()
      await turn()
      const { user, system } = process.cpuUsage(before)
      latencies.push((user + system) / 1000)
    }
    latencies.sort((a, b) => a - b)
    t.true(latencies.length > 5)
    // The median, because the collector of garbage runs now and then; without a budget there would be one latency.
    t.true(latencies[latencies.length >> 1]! < 10, `${latencies.at(-1)} ms`)
  },
  'messages that cause each other through promises let the event loop poll': async (t, stage) => {
    type Step = { readonly type: 'step' }
    let steps = 0
    let running = true
    const stepper = behavior<Step>(context => ({
      step: async () => {
        steps++
        await undefined
        if (running) context.self.tell({ type: 'step' })
      },
    }))
    stage.system().spawn(stepper).tell({ type: 'step' })
    for (let turns = 0; turns < 20; turns++) await turn()
    running = false
    await stage.settle()
    t.true(steps > 20)
  },
  'handlers that take long and return promises let the event loop poll between them': async (t, stage) => {
    type Step = { readonly type: 'step' }
    const all = 60
    let steps = 0
    const stepper = behavior<Step>(() => ({
      step: async () => {
        const untilMs = performance.now() + 1
        while (performance.now() < untilMs) Math.sqrt(2)
        steps++
      },
    }))
    const ref = stage.system().spawn(stepper)
    for (let n = 0; n < all; n++) ref.tell({ type: 'step' })
    let most = 0
    for (let before = 0; before < all; before = steps) {
      await turn()
      most = Math.max(most, steps - before)
    }
    // Each takes a millisecond at least, of the two that an executor has before it polls.
    t.true(most <= 4, `${most} between two polls`)
  },
}
