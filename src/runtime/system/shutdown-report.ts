/** A phase of shutdown. */
export interface PhaseOptions {
  readonly name: string
  /** Actors that have not stopped by then are abandoned and reported. Default 5,000. */
  readonly deadlineMs?: number
}

/** The deadline of a phase that names none. */
export const DEFAULT_DEADLINE_MS = 5_000

/** How a shutdown went. */
export interface ShutdownReport {
  readonly phases: readonly PhaseReport[]
  /** Paths of the actors that did not stop in time. */
  readonly late: readonly string[]
  /** Why the system stopped by itself: its restart intensity was exceeded. */
  readonly failure?: unknown
}

/** How one phase of shutdown went; `late` has the paths of the actors that missed its deadline. */
export interface PhaseReport {
  readonly name: string
  /** How many of the actors that the system spawned stopped, the late ones included. */
  readonly stopped: number
  readonly late: readonly string[]
  readonly tookMs: number
}
