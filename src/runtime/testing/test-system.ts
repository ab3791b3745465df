import { behavior } from '../actors/actor.ts'
import { anyMessage, type Handlers, type Message, type Tagged } from '../actors/message.ts'
import { SpimplError } from '../errors.ts'
import { SimulationExecutor } from '../executors/simulation.ts'
import { seededRandomness } from '../ports/randomness.ts'
import type { Ref } from '../references/actor-ref.ts'
import { System, type SystemOptions } from '../system/system.ts'
import { Recorder } from '../watching/recorder.ts'

/** The options of a simulated run. */
export interface TestSystemOptions extends Omit<SystemOptions, 'executor' | 'randomness' | 'recorder'> {
  /** Determines the order of ready queues and every random number. Default: `SPIMPL_SEED` of the environment, or 1. */
  readonly seed?: number
  /** How many records of the interleaving are kept. Default 65,536. */
  readonly records?: number
}

/** An actor of a test: it keeps the messages that it receives. */
export interface Probe<M extends Message> {
  readonly ref: Ref<M>
  /** Messages that have arrived and were not expected yet, the oldest first. */
  readonly received: readonly M[]
  /**
   * Takes the next message, and runs the system until it arrives.
   * @param withinMs virtual time. Default 1,000
   * @throws SpimplError `EXPECTATION_FAILED` that names what arrived instead, and the seed
   */
  expectMessage<Tag extends M['type']>(tag: Tag, withinMs?: number): Promise<Tagged<M, Tag>>
  /** Runs the system for this long (virtual time) and fails if a message arrives. Default 0. */
  expectNoMessage(forMs?: number): Promise<void>
}

/**
 * A system in virtual time whose order of ready queues a seed determines: the same seed replays the same interleaving.
 * It runs only in `settle`, `advance`, `until` and the expectations of probes.
 *
 * @example
 * await using system = new TestSystem({ seed: 7 })
 * const probe = system.probe<Answer>('probe')
 * system.spawn(greeter).tell({ type: 'greet', answerTo: probe.ref })
 * await probe.expectMessage('hello')
 */
export class TestSystem extends System {
  readonly seed: number
  readonly #simulation: SimulationExecutor
  readonly #interleavingRecorder: Recorder

  constructor({ seed = seedOfEnvironment(), records, log, ...options }: TestSystemOptions = {}) {
    const simulation = new SimulationExecutor({ seed })
    const recorder = new Recorder(records === undefined ? {} : { capacity: records })
    super({
      name: 'test',
      ...options,
      log: log ?? (() => {}),
      executor: simulation,
      randomness: seededRandomness(seed ^ 0x5eed),
      recorder,
    })
    this.seed = seed
    this.#simulation = simulation
    this.#interleavingRecorder = recorder
  }

  /** Runs until nothing is ready. The clock stands still. */
  settle(): Promise<void> {
    return this.#simulation.settle()
  }

  /** Moves the clock, stopping at every timer on the way. */
  advance(byMs: number): Promise<void> {
    return this.#simulation.advance(byMs)
  }

  /**
   * Runs until a promise settles: what is ready, and whenever nothing is, the clock moves to the next timer. The clock
   * waits for nothing outside of the simulation, such as a file or a module, while a timer is pending.
   * @param withinMs virtual time. Default 60,000
   * @throws SpimplError `EXPECTATION_FAILED` when more time has passed, or what the promise rejects with
   */
  async until<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    const untilMs = this.now() + withinMs
    let settled = false
    const done = () => {
      settled = true
    }
    promise.then(done, done)
    await this.settle()
    while (!settled) {
      const { nextAlarmMs } = this.#simulation
      if (nextAlarmMs < Number.POSITIVE_INFINITY && nextAlarmMs > untilMs) {
        throw this.#expectation(`expected a promise to settle within ${withinMs} ms`)
      }
      await this.advance(nextAlarmMs < Number.POSITIVE_INFINITY ? Math.max(nextAlarmMs - this.now(), 0) : 0)
    }
    return await promise
  }

  /** Every hop so far, as the recorder's bytes: equal for equal seeds. */
  interleaving(): Uint8Array {
    return this.#interleavingRecorder.bytes()
  }

  /** The line that replays this run. */
  get replay(): string {
    return `SPIMPL_SEED=${this.seed}`
  }

  probe<M extends Message>(name?: string): Probe<M> {
    const received: M[] = []
    const table = { [anyMessage]: (message: M) => void received.push(message) }
    const watcher = behavior<M>(() => table as unknown as Handlers<M>)
    const ref = this.spawn(watcher, name === undefined ? {} : { name })
    return {
      ref,
      received,
      expectMessage: async (tag, withinMs = 1_000) => {
        const message = await this.#next(received, withinMs)
        if (message?.type === tag) return message as never
        const came = message === undefined ? 'nothing' : JSON.stringify(message.type)
        throw this.#expectation(`expected ${JSON.stringify(tag)} at ${ref.path} within ${withinMs} ms, got ${came}`)
      },
      expectNoMessage: async (forMs = 0) => {
        await this.advance(forMs)
        if (received.length === 0) return
        const tags = received.map(message => message.type).join(', ')
        throw this.#expectation(`expected no message at ${ref.path} for ${forMs} ms, got ${tags}`)
      },
    }
  }

  /** Ends without waiting in real time: the clock moves until the last phase is over. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.until(this.stop(), Number.POSITIVE_INFINITY)
  }

  /**
   * Runs a scenario once for each seed. The first that fails is named with the line that replays it alone; where
   * `SPIMPL_SEED` is set, only that seed runs.
   */
  static async forSeeds(
    seeds: Iterable<number>,
    scenario: (system: TestSystem) => Promise<void>,
    options: Omit<TestSystemOptions, 'seed'> = {},
  ): Promise<void> {
    const only = process.env.SPIMPL_SEED
    for (const seed of only === undefined ? seeds : [Number(only)]) {
      await using system = new TestSystem({ ...options, seed })
      try {
        await scenario(system)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        throw new Error(`${message}\nreplay: SPIMPL_SEED=${seed}`, { cause: error })
      }
    }
  }

  async #next<M>(received: M[], withinMs: number): Promise<M | undefined> {
    const untilMs = this.now() + withinMs
    await this.settle()
    while (received.length === 0 && this.#simulation.nextAlarmMs <= untilMs) {
      await this.advance(Math.max(this.#simulation.nextAlarmMs - this.now(), 0))
    }
    if (received.length === 0) await this.advance(untilMs - this.now())
    return received.shift()
  }

  #expectation(message: string): SpimplError {
    return new SpimplError('EXPECTATION_FAILED', `${message} (replay: ${this.replay})`)
  }
}

function seedOfEnvironment(): number {
  return Number(process.env.SPIMPL_SEED ?? 1)
}
