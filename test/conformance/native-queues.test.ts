import test from 'ava'
import { backendInfo, DispatchGroup, DispatchQueue, DispatchSource, drainLane, QueueKey } from 'node-dispatch-addon'
import { queueCases } from './executor-cases.ts'
import type { QueueLibrary, SharedQueue, SharedQueueOptions, SharedTarget } from './queue-library.ts'
import { type Cases, type QueueStage, turn } from './stage.ts'

/** The queues, groups and sources of node-dispatch-addon, in place of the runtime's. */
const library = { DispatchQueue, DispatchGroup, DispatchSource, QueueKey } as QueueLibrary

/** After so many turns in which no queue began an item, nothing is ready. */
const QUIET_TURNS = 4

class NativeStage implements QueueStage {
  readonly library = library
  private readonly queues: SharedQueue[] = []
  private readonly probe = new DispatchQueue('probe')

  root(): SharedTarget {
    return DispatchQueue.main
  }

  queue(label = 'queue', options: SharedQueueOptions<SharedTarget> = {}): SharedQueue {
    const queue = new library.DispatchQueue(label, options)
    this.queues.push(queue)
    return queue
  }

  now(): number {
    return performance.now()
  }

  async settle(): Promise<void> {
    let before = ''
    for (let quietTurns = 0; quietTurns < QUIET_TURNS; ) {
      drainLane()
      await turn()
      const waiting = this.queues.map(({ size }) => size).join()
      quietTurns = waiting === before ? quietTurns + 1 : 0
      before = waiting
    }
  }

  /** libdispatch fires what is due in the order of its time, so all that is due before the probe has fired before it. */
  async advance(byMs: number): Promise<void> {
    await this.settle()
    await new Promise<void>(resolve => this.probe.after(byMs, resolve))
    await this.settle()
  }
}

/** What libdispatch does otherwise. `queue-sync.ts` and `queue-service.ts` hold what the runtime has in these places. */
const differences: Cases<NativeStage> = {
  'there is no sync, because this thread would wait for itself': (t, stage) => {
    t.false('sync' in stage.queue())
  },
  'classes of service order threads, not the items of one': async (t, stage) => {
    const ran: string[] = []
    for (const qos of ['background', 'user-interactive', 'utility'] as const) {
      stage.queue(qos, { qos }).async(() => ran.push(qos))
    }
    await stage.settle()
    t.deepEqual(ran, ['background', 'user-interactive', 'utility'])
  },
  'sources watch descriptors, not streams': t => {
    const queue = new DispatchQueue('descriptors')
    t.throws(() => DispatchSource.readable(queue, process.stdin as never), { code: 'SOURCE_INVALID' })
  },
  'data is counted in whole numbers': (t, stage) => {
    const source = stage.library.DispatchSource.dataAdd(stage.queue())
    t.throws(() => source.mergeData(0.5), { code: 'SOURCE_INVALID' })
  },
  'a delay that has ended on a suspended queue can still be cancelled': async (t, stage) => {
    const queue = stage.queue()
    queue.suspend()
    const cancel = queue.after(1, () => t.fail())
    await stage.advance(4)
    t.true(cancel())
    queue.resume()
    await stage.settle()
  },
  'a delay that is no number is ARGUMENT_INVALID, and a delay without end never comes': (t, stage) => {
    t.throws(() => stage.queue().after(Number.NaN, () => {}), { code: 'ARGUMENT_INVALID' })
    t.false(stage.queue().after(Number.POSITIVE_INFINITY, () => t.fail())())
  },
}

const { addon, libdispatch } = backendInfo()
if (libdispatch.found || process.env.CI === 'true') {
  for (const cases of queueCases) {
    for (const [name, run] of Object.entries(cases)) test.serial(`native: ${name}`, t => run(t, new NativeStage()))
  }
  for (const [name, run] of Object.entries(differences)) {
    test.serial(`native differs: ${name}`, t => run(t, new NativeStage()))
  }
} else {
  // As in dispatch.test.ts: the reason stands in the list of tests, and CI has a libdispatch.
  test.skip(`native: not here, ${[...addon.reasons, ...libdispatch.refused].join('; ')}`, () => {})
}
