import type { ActorCell } from '../actors/actor-cell.ts'
import { Timer } from '../queues/timer-wheel.ts'
import type { StopReason } from './actor-lifecycle.ts'
import { hurry } from './stop-deadline.ts'

/** A phase of shutdown. */
export interface PhaseOptions {
  readonly name: string
  /** After so long, what has not stopped is not waited for, and reported. Default 5,000. */
  readonly deadlineMs?: number
}

/** How a shutdown went. */
export interface ShutdownReport {
  readonly phases: readonly PhaseReport[]
  /** Paths of the actors that did not stop in time. */
  readonly late: readonly string[]
  /** Why the system stopped by itself: its restart intensity was exceeded. */
  readonly failure?: unknown
}

/** How one phase of shutdown went; `late` has the paths of actors that its deadline did not wait for. */
export interface PhaseReport {
  readonly name: string
  /** How many of those that the system spawned stopped, the late ones included. */
  readonly stopped: number
  readonly late: readonly string[]
  readonly tookMs: number
}

/** Of a phase that names none. */
export const DEFAULT_DEADLINE_MS = 5_000

/** The end of a system: phase by phase, in each the youngest actor first, each phase with its deadline. */
export class Shutdown extends Timer {
  readonly terminated: Promise<ShutdownReport>
  private readonly guardian: ActorCell
  private readonly atEnd: () => Promise<void> | undefined
  private readonly phases: readonly PhaseOptions[]
  private readonly reports: PhaseReport[] = []
  private resolve: (report: ShutdownReport) => void = () => {}
  private failure: unknown
  private phase = -1
  private phaseStartMs = 0
  private stoppedInPhase = 0
  private overallMs = Number.POSITIVE_INFINITY
  private stepping = false
  /** Actors of the present phase that have not stopped, the oldest first. */
  private toEnd: ActorCell[] = []
  private late: string[] = []
  private finished = false

  constructor(guardian: ActorCell, phases: readonly PhaseOptions[], atEnd: () => Promise<void> | undefined) {
    super()
    this.guardian = guardian
    this.atEnd = atEnd
    this.phases = phases.length > 0 ? phases : [{ name: 'default' }]
    this.terminated = new Promise(resolve => {
      this.resolve = resolve
    })
  }

  /** @param deadlineMs for all phases together */
  begin(deadlineMs = Number.POSITIVE_INFINITY): Promise<ShutdownReport> {
    if (this.phase < 0) {
      this.overallMs = this.guardian.system.now() + deadlineMs
      this.nextPhase()
    }
    return this.terminated
  }

  /** The system stops, or has. */
  get begun(): boolean {
    return this.phase >= 0
  }

  /** The top of the tree gave up. */
  failed(error: unknown): void {
    this.failure = error
    void this.begin()
  }

  /** Called for every actor that has come to its end. */
  onEnded(cell: ActorCell, reason: StopReason): void {
    if (this.phase < 0 || this.finished) return
    if (reason.type === 'late') this.late.push(cell.path)
    if (cell.parent !== this.guardian) return
    this.stoppedInPhase++
    this.step()
  }

  /**
   * The deadline of a phase, and again in the next turns until all have stopped. Who was told to stop is not waited for any more; those
   * behind it are told only now, and have a turn for it, so that one that hangs does not cost the others their hooks.
   */
  override fire(): void {
    const { root, system } = this.guardian
    this.stepping = true
    for (const cell of [...this.toEnd].reverse()) {
      const isTold = cell.lifecycle.goesDown
      cell.lifecycle.requestStop('parent')
      if (isTold) hurry(cell)
    }
    this.stepping = false
    root.setTimer(this, system.now())
    this.step()
  }

  private nextPhase(): void {
    this.phase++
    const phase = this.phases[this.phase]
    if (phase === undefined) {
      this.finish()
      return
    }
    const { system, root } = this.guardian
    this.phaseStartMs = system.now()
    this.stoppedInPhase = 0
    this.toEnd = this.members()
    this.late = []
    root.setTimer(this, Math.min(this.phaseStartMs + (phase.deadlineMs ?? DEFAULT_DEADLINE_MS), this.overallMs))
    this.step()
  }

  private step(): void {
    if (this.stepping) return
    this.stepping = true
    for (let youngest = this.toEnd.at(-1); youngest !== undefined; youngest = this.toEnd.at(-1)) {
      youngest.lifecycle.requestStop('parent')
      if (!youngest.lifecycle.stopped) break
      this.toEnd.pop()
    }
    this.stepping = false
    if (this.toEnd.length === 0) this.endPhase()
  }

  private endPhase(): void {
    const { system, root } = this.guardian
    root.cancelTimer(this)
    const { name } = this.phases[this.phase]!
    const tookMs = system.now() - this.phaseStartMs
    this.reports.push({ name, stopped: this.stoppedInPhase, late: this.late, tookMs })
    this.nextPhase()
  }

  /** Actors of the present phase, the oldest first. Whoever names no phase, or one that is not declared, is in the first. */
  private members(): ActorCell[] {
    const names = this.phases.map(phase => phase.name)
    return [...(this.guardian.children?.values() ?? [])].filter(
      cell => Math.max(names.indexOf(cell.options.phase ?? ''), 0) === this.phase,
    )
  }

  private finish(): void {
    if (this.finished) return
    this.finished = true
    this.guardian.lifecycle.requestStop('parent')
    const late = this.reports.flatMap(report => report.late)
    const report = { phases: this.reports, late }
    const full = this.failure === undefined ? report : { ...report, failure: this.failure }
    const ended = this.atEnd()
    if (ended === undefined) this.resolve(full)
    else void ended.then(() => this.resolve(full))
  }
}
