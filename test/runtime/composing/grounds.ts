import test, { type ExecutionContext } from 'ava'
import {
  type Composition,
  EventLoopExecutor,
  type RunningComposition,
  type Shape,
  type StartOptions,
} from 'spimpl-runtime'
import { DispatchExecutor } from 'spimpl-runtime/dispatch'
import { TestSystem } from 'spimpl-runtime/testing'

/** Where a composition runs in a test, and what lets it run. */
export interface Ground {
  readonly options: StartOptions
  until<T>(promise: Promise<T>): Promise<T>
}

type Case = (t: ExecutionContext, ground: Ground) => Promise<void>

const real = (options: StartOptions): Ground => ({ options, until: promise => promise })

/** Registers a case for a system of its own on the event loop and on libdispatch, and for a simulated one that exists. */
export function onEveryExecutor(title: string, run: Case): void {
  const log = () => {}
  test(`event-loop: ${title}`, t => run(t, real({ executor: new EventLoopExecutor(), log })))
  test(`simulation: ${title}`, async t => {
    await using system = new TestSystem()
    await run(t, { options: { system }, until: promise => system.until(promise) })
    t.is(system.actorCount, 0)
    t.is(system.main.timers.size, 0)
  })
  const obstacle = DispatchExecutor.obstacle()
  if (obstacle === undefined || process.env.CI === 'true') {
    test(`dispatch: ${title}`, t =>
      run(t, real({ executor: new DispatchExecutor({ label: 'spimpl.composing' }), log })))
  } else {
    // Names the reason in the list of tests; CI installs libdispatch, so there it is no excuse.
    test.skip(`dispatch: ${title}: not here, ${obstacle}`, () => {})
  }
}

/** Starts a composition on a ground. */
export function startOn<S extends Shape>(ground: Ground, composition: Composition<S>): Promise<RunningComposition<S>> {
  return ground.until(composition.start(ground.options))
}
