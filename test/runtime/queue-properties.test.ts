import test from 'ava'
import fc from 'fast-check'
import { EventLoopExecutor } from 'spimpl-runtime/internal/executors/event-loop.js'
import { SimulationExecutor } from 'spimpl-runtime/internal/executors/simulation.js'
import { DispatchQueue } from 'spimpl-runtime/internal/queues/dispatch-queue.js'
import { qualitiesOfService } from 'spimpl-runtime/internal/queues/quality-of-service.js'
import { defaultDrainBudget, RootQueue, type Target } from 'spimpl-runtime/internal/queues/root-queue.js'

/** A tree: each queue stands on the root or on one made before it. */
const shape = fc.array(
  fc.record({
    target: fc.nat(20),
    concurrent: fc.boolean(),
    qos: fc.constantFrom(...qualitiesOfService),
    inactive: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
)

const operation = fc.record({
  queue: fc.nat(20),
  kind: fc.constantFrom(
    ...['async', 'async', 'async', 'await', 'await', 'barrier', 'barrier-sync', 'suspend', 'nested', 'turn'],
    ...['sync', 'sync-barrier', 'nested-sync', 'nested-sync-barrier'],
  ),
  turns: fc.nat(3),
})

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

async function holds(
  executor: EventLoopExecutor | SimulationExecutor,
  tree: readonly { target: number; concurrent: boolean; qos: (typeof qualitiesOfService)[number]; inactive: boolean }[],
  operations: readonly { queue: number; kind: string; turns: number }[],
): Promise<string | undefined> {
  const root = new RootQueue(executor, { budget: { ...defaultDrainBudget, items: 50, itemsPerTurn: 3 } })
  const queues: DispatchQueue[] = []
  for (const [at, { target, ...options }] of tree.entries()) {
    const above: Target = target % (at + 1) === at ? root : queues[target % (at + 1)]!
    queues.push(new DispatchQueue(`q${at}`, { ...options, target: above }))
  }
  const inside = new Map<DispatchQueue, { plain: number; barriers: number }>(
    queues.map(queue => [queue, { plain: 0, barriers: 0 }]),
  )
  const begun = new Map<DispatchQueue, number[]>(queues.map(queue => [queue, []]))
  const sent = new Map<DispatchQueue, number>(queues.map(queue => [queue, 0]))
  let ended = 0
  let expected = 0
  let problem: string | undefined

  const chain = (queue: DispatchQueue): DispatchQueue[] => {
    const all: DispatchQueue[] = []
    for (let at: Target | undefined = queue; at instanceof DispatchQueue; at = at.target) all.push(at)
    return all
  }
  const enter = (queue: DispatchQueue, barrier: boolean): void => {
    for (const at of chain(queue)) {
      const here = inside.get(at)!
      if (!at.concurrent && here.plain + here.barriers > 0) problem ??= `two items inside serial ${at.label}`
      if (at === queue && barrier && here.plain + here.barriers > 0) problem ??= `a barrier of ${at.label} is not alone`
      if (here.barriers > 0) problem ??= `an item beside a barrier of ${at.label}`
      if (at === queue && barrier) here.barriers++
      else here.plain++
    }
  }
  const leave = (queue: DispatchQueue, barrier: boolean): void => {
    for (const at of chain(queue)) {
      const here = inside.get(at)!
      if (at === queue && barrier) here.barriers--
      else here.plain--
    }
    ended++
  }
  /** Runs now, or is refused: where libdispatch would wait for itself, or for a promise. */
  const sync = (queue: DispatchQueue, barrier: boolean): void => {
    try {
      queue.sync(
        () => {
          expected++
          enter(queue, barrier)
          queue.assertCurrent()
          leave(queue, barrier)
        },
        { barrier },
      )
    } catch (error) {
      const { code } = error as { readonly code?: string }
      if (code !== 'QUEUE_SYNC_ON_SELF' && code !== 'QUEUE_SYNC_BLOCKED') throw error
    }
  }
  const send = (queue: DispatchQueue, { kind, turns }: { kind: string; turns: number }): void => {
    const number = sent.get(queue)!
    sent.set(queue, number + 1)
    expected++
    const barrier = kind.startsWith('barrier')
    const work = () => {
      enter(queue, barrier)
      queue.assertCurrent()
      begun.get(queue)!.push(number)
      if (kind === 'nested') send(queues[(queues.indexOf(queue) + turns) % queues.length]!, { kind: 'async', turns: 0 })
      if (kind.endsWith('sync') || kind.endsWith('sync-barrier')) {
        sync(queues[(queues.indexOf(queue) + turns) % queues.length]!, kind.endsWith('barrier'))
      }
      if (kind !== 'await' && kind !== 'barrier') {
        leave(queue, barrier)
        return undefined
      }
      return (async () => {
        for (let at = 0; at < turns; at++) await turn()
        leave(queue, barrier)
      })()
    }
    if (barrier) queue.async(work, { barrier })
    else queue.async(work)
  }

  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 6; ) {
      const before = ended
      if (executor instanceof SimulationExecutor) executor.runReady()
      await turn()
      quiet = ended === before && !root.busy ? quiet + 1 : 0
    }
  }

  const suspended: DispatchQueue[] = []
  for (const { queue, kind, turns } of operations) {
    const on = queues[queue % queues.length]!
    if (kind === 'turn') {
      if (executor instanceof SimulationExecutor) executor.runReady()
      await turn()
    } else if (kind === 'suspend') {
      on.suspend()
      suspended.push(on)
      if (turns === 0) suspended.pop()!.resume()
    } else if (kind === 'sync' || kind === 'sync-barrier') {
      sync(on, kind === 'sync-barrier')
    } else {
      send(on, { kind, turns })
    }
  }
  for (const queue of queues) queue.activate()
  await settle()
  for (const queue of suspended) queue.resume()
  await settle()
  executor.stop()
  if (ended !== expected) problem ??= `${expected} items were sent, ${ended} ended`
  for (const [queue, numbers] of begun) {
    if (numbers.some((number, at) => number !== at)) problem ??= `${queue.label} began ${numbers.join(' ')}`
  }
  for (const queue of queues) {
    if (queue.inFlight !== 0 || queue.size !== 0) problem ??= `${queue.label} is not empty at the end`
  }
  return problem
}

for (const [name, make] of [
  ['event-loop', () => new EventLoopExecutor()],
  ['simulation', (seed: number) => new SimulationExecutor({ seed })],
] as const) {
  test.serial(
    `${name}: in random trees under random operations, exclusion and order hold, nothing is lost or runs twice`,
    async t => {
      await fc.assert(
        fc.asyncProperty(
          shape,
          fc.array(operation, { maxLength: 60 }),
          fc.integer(),
          async (tree, operations, seed) => {
            const problem = await holds(make(seed), tree, operations)
            if (problem !== undefined) throw new Error(problem)
          },
        ),
        { numRuns: 150 },
      )
      t.pass()
    },
  )
}
