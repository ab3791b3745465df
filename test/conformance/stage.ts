import test, { type ExecutionContext } from 'ava'
import type { Executor } from 'spimpl-runtime/internal/executors/executor.js'
import type { DispatchQueueOptions } from 'spimpl-runtime/internal/queues/dispatch-queue.js'
import { DispatchQueue } from 'spimpl-runtime/internal/queues/dispatch-queue.js'
import { type DrainBudget, defaultDrainBudget, RootQueue } from 'spimpl-runtime/internal/queues/root-queue.js'
import { System, type SystemOptions } from 'spimpl-runtime/internal/system/system.js'
import {
  type QueueLibrary,
  runtimeLibrary,
  type SharedQueue,
  type SharedQueueOptions,
  type SharedTarget,
} from './queue-library.ts'

/** An executor under test, and how a case lets it run. */
export interface StagedExecutor {
  readonly executor: Executor
  /** Lets time pass on the executor's clock, running what becomes ready. */
  advance(byMs: number): Promise<void>
}

export type ExecutorFactory = () => StagedExecutor

/** What a case of queues has, whichever package they come from. */
export interface QueueStage {
  readonly library: QueueLibrary
  /** Where the queues of this case stand. */
  root(): SharedTarget
  queue(label?: string, options?: SharedQueueOptions<SharedTarget>): SharedQueue
  /** Milliseconds of the clock of its delays. */
  now(): number
  /** Runs until nothing is ready. */
  settle(): Promise<void>
  /** Lets time pass, and waits for the delays that end meanwhile. */
  advance(byMs: number): Promise<void>
}

/** What a case has: one executor, with queues or a system on it. */
export class Stage implements QueueStage {
  readonly library = runtimeLibrary
  readonly staged: StagedExecutor
  private readonly systems: System[] = []
  private madeRoot: RootQueue | undefined

  constructor(factory: ExecutorFactory) {
    this.staged = factory()
  }

  /** The root of the queues of this case. A case has either a root or a system. */
  root(budget: Partial<DrainBudget> = {}): RootQueue {
    this.madeRoot ??= new RootQueue(this.staged.executor, { budget: { ...defaultDrainBudget, ...budget } })
    return this.madeRoot
  }

  queue(label = 'queue', options: DispatchQueueOptions = {}): DispatchQueue {
    return new DispatchQueue(label, { target: this.root(), ...options })
  }

  system(options: Omit<SystemOptions, 'executor'> = {}): System {
    const system = new System({ log: () => {}, ...options, executor: this.staged.executor })
    this.systems.push(system)
    this.madeRoot = system.main
    return system
  }

  /** Milliseconds of the executor's clock. */
  now(): number {
    return this.staged.executor.clock.now()
  }

  /** Runs until nothing is ready. */
  async settle(): Promise<void> {
    let quietTurns = 0
    while (quietTurns < 2) {
      await this.staged.advance(0)
      await turn()
      quietTurns = this.madeRoot?.busy === true ? 0 : quietTurns + 1
    }
  }

  /** Lets time pass, and waits for the timers that are due then: a busy machine may bring the executor's alarm late. */
  async advance(byMs: number): Promise<void> {
    // What is ready comes before time passes, however busy the machine is.
    await this.settle()
    await this.staged.advance(byMs)
    const nowMs = this.now()
    while ((this.madeRoot?.timers.nextMs() ?? Number.POSITIVE_INFINITY) <= nowMs) await turn()
    await this.settle()
  }

  async close(): Promise<void> {
    for (const system of this.systems) {
      let done = false
      void system.stop({ deadlineMs: 10 }).then(() => {
        done = true
      })
      await this.settle()
      while (!done) await this.advance(1)
    }
    this.staged.executor.stop()
  }
}

/** One pass of the event loop. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

export type Cases<OfStage = Stage> = Readonly<
  Record<string, (t: ExecutionContext, stage: OfStage) => Promise<void> | void>
>
/** Cases that know only what both packages have. */
export type QueueCases = Cases<QueueStage>

/** Registers the cases for one executor; the name of the executor stands before each. */
export function conformance(executor: string, factory: ExecutorFactory, cases: Cases): void {
  for (const [name, run] of Object.entries(cases)) {
    // One after the other: a flood in one case would delay the real timers of the next.
    test.serial(`${executor}: ${name}`, async t => {
      const stage = new Stage(factory)
      try {
        await run(t, stage)
      } finally {
        await stage.close()
      }
    })
  }
}

/** A promise and what settles it. */
export function gate<T = void>(): { readonly promise: Promise<T>; open(value: T): void; fail(error: Error): void } {
  let open: (value: T) => void = () => {}
  let fail: (error: Error) => void = () => {}
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}
