import test, { type ExecutionContext } from 'ava'
import { makeChain, SimulatedNetwork, seededRandomness, TestSystem } from 'spimpl/testing'
import {
  type Composition,
  DispatchQueue,
  EventLoopExecutor,
  type Executor,
  type RunningComposition,
  type Shape,
} from 'spimpl-runtime'
import { DispatchExecutor } from 'spimpl-runtime/dispatch'
import type { NodeOptions } from '../../node/node.ts'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'

/** Small valid blocks, against whose headers the nodes of a test validate. */
export const blocks = makeChain({ seed: 1, blocks: 2 })

/** Where the nodes of a test live. */
export interface World {
  readonly options: NodeOptions
  start<S extends Shape>(node: Composition<S>): Promise<RunningComposition<S>>
  /** Lets the nodes run until a promise settles. */
  until<T>(promise: Promise<T>): Promise<T>
}

const options: NodeOptions = { headers: blocks, bootnodes: [], udp: { host: '127.0.0.1' } }
const log = () => {}

async function onSockets(makeExecutor: () => Executor, run: (world: World) => Promise<void>): Promise<void> {
  const running: AsyncDisposable[] = []
  const until = <T>(promise: Promise<T>) => promise
  try {
    await run({
      options,
      until,
      async start(node) {
        const started = await node.start({ executor: makeExecutor(), log })
        running.push(started)
        return started
      },
    })
  } finally {
    for (const one of running) await one[Symbol.asyncDispose]()
  }
}

async function simulated(run: (world: World) => Promise<void>): Promise<void> {
  await using system = new TestSystem()
  const line = new DispatchQueue('line', { target: system.main })
  const network = new SimulatedNetwork({
    scheduler: {
      now: () => system.now(),
      at: (when, action) => void line.after(Math.max(when - system.now(), 0), action),
    },
    randomness: seededRandomness(system.seed),
    conditions: { latencyMs: 5, jitterMs: 2 },
  })
  let nodes = 0
  const until = <T>(promise: Promise<T>) => system.until(promise)
  await run({
    options: { ...options, openSocket: network.open, crypto: nodeCryptography },
    until,
    start: node => until(node.start({ system, name: `node${++nodes}` })),
  })
  await system.until(system.stop())
  if (system.actorCount > 0) throw new Error(`expected no actor to be left, got ${system.actorCount}`)
}

/** Registers a case for nodes on the event loop and on libdispatch, with sockets, and in a simulation. */
export function inEveryWorld(title: string, run: (t: ExecutionContext, world: World) => Promise<void>): void {
  test(`event-loop: ${title}`, t =>
    onSockets(
      () => new EventLoopExecutor(),
      world => run(t, world),
    ))
  test(`simulation: ${title}`, t => simulated(world => run(t, world)))
  const obstacle = DispatchExecutor.obstacle()
  if (obstacle === undefined || process.env.CI === 'true') {
    const makeExecutor = () => new DispatchExecutor({ label: 'spimpl.composing' })
    test(`dispatch: ${title}`, t => onSockets(makeExecutor, world => run(t, world)))
  } else {
    // Names the reason in the list of tests; CI installs libdispatch, so there it is no excuse.
    test.skip(`dispatch: ${title}: not here, ${obstacle}`, () => {})
  }
}
