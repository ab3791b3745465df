import type { Clock } from '../ports/clock.ts'
import { type Randomness, seededRandomness } from '../ports/randomness.ts'
import type { Drainer, Executor } from './executor.ts'

/** 2024-01-01T00:00:00Z: the start of the wall clock of a simulation, so that the logs of two runs are equal. */
const EPOCH_MS = 1_704_067_200_000

/**
 * Runs a root queue in virtual time, in an order that a seed determines: the same seed replays the same interleaving.
 * Nothing runs by itself; `runUntilIdle` and `advance` run it.
 */
export class SimulationExecutor implements Executor {
  readonly name = 'simulation'
  readonly clock: Clock
  readonly seed: number
  readonly #randomness: Randomness
  #drainer: Drainer | undefined
  #nowMs = 0
  #alarmMs = Number.POSITIVE_INFINITY
  #awake = false
  #stopped = false

  constructor({ seed = 1 }: { readonly seed?: number } = {}) {
    this.seed = seed
    this.#randomness = seededRandomness(seed)
    this.clock = { now: () => this.#nowMs, wallTime: () => EPOCH_MS + this.#nowMs }
  }

  readonly choose = (count: number): number => this.#randomness.below(count)

  attach(drainer: Drainer): void {
    this.#drainer = drainer
  }

  wake(): void {
    this.#awake = true
  }

  wakeAt(atMs: number): void {
    this.#alarmMs = atMs
  }

  stop(): void {
    this.#stopped = true
    this.#alarmMs = Number.POSITIVE_INFINITY
  }

  /** When the next timer is due; `Infinity` for never. */
  get nextAlarmMs(): number {
    return this.#alarmMs
  }

  /** Runs everything that is ready at the current moment. @returns whether anything ran */
  runReady(): boolean {
    let ran = false
    while (!this.#stopped && (this.#awake || this.#alarmMs <= this.#nowMs)) {
      this.#awake = false
      if (this.#alarmMs <= this.#nowMs) this.#alarmMs = Number.POSITIVE_INFINITY
      if (this.#drainer!.drain()) this.#awake = true
      ran = true
    }
    return ran
  }

  /**
   * Moves the clock, runs everything that becomes ready on the way, and lets promises settle in between.
   * @param byMs the distance; the clock stops at every timer on the way
   */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    await this.settle()
    while (!this.#stopped && this.#alarmMs <= untilMs) {
      this.#nowMs = Math.max(this.#nowMs, Math.ceil(this.#alarmMs))
      await this.settle()
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs)
    await this.settle()
  }

  /** Runs until nothing is ready, also after promises have settled. The clock stands still. */
  async settle(): Promise<void> {
    do {
      this.runReady()
      // setImmediate runs after every microtask, so the promises among the actors have settled by then.
      await new Promise(resolve => setImmediate(resolve))
    } while (!this.#stopped && (this.#awake || this.#alarmMs <= this.#nowMs))
  }
}
