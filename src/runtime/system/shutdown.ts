import type { EndedActor, Overseer } from '../actors/actor-host.ts'
import { Timer } from '../queues/timer-wheel.ts'
import type { LivingActor } from '../supervising/actor-lifecycle.ts'
import { abandon } from '../supervising/stop-deadline.ts'
import type { StopReason } from '../supervising/termination.ts'
import { DEFAULT_DEADLINE_MS, type PhaseOptions, type PhaseReport, type ShutdownReport } from './shutdown-report.ts'

/** An actor that the system spawned. */
interface TopActor extends LivingActor {
  readonly options: LivingActor['options'] & { readonly phase?: string }
}

/** The actor at the top of the tree. */
interface Guardian extends LivingActor {
  readonly children: ReadonlyMap<string, TopActor> | undefined
}

/** The end of a system: phase by phase, in each the youngest actor first, each phase with its deadline. */
export class Shutdown extends Timer implements Overseer {
  readonly terminated: Promise<ShutdownReport>
  readonly #guardian: Guardian
  readonly #atEnd: () => Promise<void> | undefined
  readonly #phases: readonly PhaseOptions[]
  readonly #reports: PhaseReport[] = []
  #resolve: (report: ShutdownReport) => void = () => {}
  #failure: unknown
  #phase = -1
  #phaseStartMs = 0
  #stoppedInPhase = 0
  #overallMs = Number.POSITIVE_INFINITY
  #isStepping = false
  /** Actors of the current phase that have not stopped, the oldest first. */
  #toStop: TopActor[] = []
  #late: string[] = []
  #isFinished = false

  /** @param atEnd called when all actors have stopped; `terminated` waits for its promise */
  constructor(guardian: Guardian, phases: readonly PhaseOptions[], atEnd: () => Promise<void> | undefined) {
    super()
    this.#guardian = guardian
    this.#atEnd = atEnd
    this.#phases = phases.length > 0 ? phases : [{ name: 'default' }]
    this.terminated = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  /** @param deadlineMs for all phases together */
  begin(deadlineMs = Number.POSITIVE_INFINITY): Promise<ShutdownReport> {
    if (this.#phase < 0) {
      this.#overallMs = this.#guardian.host.now() + deadlineMs
      this.#nextPhase()
    }
    return this.terminated
  }

  get hasBegun(): boolean {
    return this.#phase >= 0
  }

  topFailed(error: unknown): void {
    this.#failure = error
    void this.begin()
  }

  actorEnded({ path, parent }: EndedActor, reason: StopReason): void {
    if (this.#phase < 0 || this.#isFinished) return
    if (reason.type === 'late') this.#late.push(path)
    if (parent !== this.#guardian) return
    this.#stoppedInPhase++
    this.#step()
  }

  /**
   * The deadline of a phase has passed. It fires again in the next turns until all have stopped. Actors that were told
   * to stop are abandoned. Those behind them are told only now and get a turn, so that an actor that hangs does not
   * cost the others their hooks.
   */
  override fire(): void {
    const { root, host } = this.#guardian
    this.#isStepping = true
    for (const { lifecycle } of this.#toStop.toReversed()) {
      const wasTold = lifecycle.isGoingDown
      lifecycle.requestStop('parent')
      if (wasTold) abandon(lifecycle)
    }
    this.#isStepping = false
    root.setTimer(this, host.now())
    this.#step()
  }

  #nextPhase(): void {
    this.#phase++
    const phase = this.#phases[this.#phase]
    if (phase === undefined) {
      this.#finish()
      return
    }
    const { host, root } = this.#guardian
    this.#phaseStartMs = host.now()
    this.#stoppedInPhase = 0
    this.#toStop = this.#members()
    this.#late = []
    root.setTimer(this, Math.min(this.#phaseStartMs + (phase.deadlineMs ?? DEFAULT_DEADLINE_MS), this.#overallMs))
    this.#step()
  }

  #step(): void {
    if (this.#isStepping) return
    this.#isStepping = true
    for (let youngest = this.#toStop.at(-1); youngest !== undefined; youngest = this.#toStop.at(-1)) {
      youngest.lifecycle.requestStop('parent')
      if (!youngest.lifecycle.hasStopped) break
      this.#toStop.pop()
    }
    this.#isStepping = false
    if (this.#toStop.length === 0) this.#endPhase()
  }

  #endPhase(): void {
    const { host, root } = this.#guardian
    root.cancelTimer(this)
    const { name } = this.#phases[this.#phase]!
    const tookMs = host.now() - this.#phaseStartMs
    this.#reports.push({ name, stopped: this.#stoppedInPhase, late: this.#late, tookMs })
    this.#nextPhase()
  }

  /**
   * Actors of the current phase, the oldest first. An actor that names no phase, or an unknown one, is in the first.
   */
  #members(): TopActor[] {
    const names = this.#phases.map(phase => phase.name)
    return [...(this.#guardian.children?.values() ?? [])].filter(
      ({ options }) => Math.max(names.indexOf(options.phase ?? ''), 0) === this.#phase,
    )
  }

  #finish(): void {
    if (this.#isFinished) return
    this.#isFinished = true
    this.#guardian.lifecycle.requestStop('parent')
    const late = this.#reports.flatMap(report => report.late)
    const report = { phases: this.#reports, late }
    const full = this.#failure === undefined ? report : { ...report, failure: this.#failure }
    const ended = this.#atEnd()
    if (ended === undefined) this.#resolve(full)
    else void ended.then(() => this.#resolve(full))
  }
}
